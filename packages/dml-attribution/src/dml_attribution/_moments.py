"""Means and standard deviations of a stream of values, without keeping the values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._similarity import LARGEST_CORRELATION

Matrix = NDArray[np.float64]


class Moments:
    """Running mean and variance of arrays; correlations are averaged through Fisher's z."""

    def __init__(self, *, correlation: bool) -> None:
        self.correlation = correlation
        self.count = 0
        self._mean: Any = 0.0
        self._squares: Any = 0.0

    def add(self, values: NDArray[Any]) -> None:
        """Take in values ``(n, ...)`` of ``n`` images (Chan's update, which does not cancel)."""
        values = self._to_z(values.astype(np.float64))
        n, mean = len(values), values.mean(axis=0)
        shift = mean - self._mean
        self._squares = self._squares + values.var(axis=0) * n + shift**2 * self.count * n / (self.count + n)
        self._mean = self._mean + shift * n / (self.count + n)
        self.count += n

    @property
    def mean(self) -> Matrix:
        """Mean over the images."""
        return self._from_z(self._mean)

    @property
    def std(self) -> Matrix:
        """Population standard deviation over the images; for correlations taken in z space and turned back (ch. 9)."""
        return self._from_z(np.sqrt(self._squares / self.count))

    def _to_z(self, values: Matrix) -> Matrix:
        return np.arctanh(np.clip(values, -LARGEST_CORRELATION, LARGEST_CORRELATION)) if self.correlation else values

    def _from_z(self, values: Matrix) -> Matrix:
        return np.tanh(values) if self.correlation else values
