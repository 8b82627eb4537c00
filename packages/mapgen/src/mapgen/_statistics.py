"""Correlations with bootstrap intervals, monotonicity and symmetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._core import value_error

_Array = NDArray[np.float64]


class Correlation(float):
    """A correlation from -1 to 1, with its interval; NaN where the response or the factor is constant.

    Attributes:
        low: lower end of the interval.
        high: upper end of the interval.
        level: confidence of the interval.
    """

    low: float
    high: float
    level: float

    def __new__(cls, value: float, low: float, high: float, level: float) -> Correlation:
        """Return the correlation as a number that knows its interval."""
        correlation = super().__new__(cls, value)
        correlation.low, correlation.high, correlation.level = low, high, level
        return correlation

    def __repr__(self) -> str:
        """Return the number and the interval."""
        return f"{float(self)} ({self.level:.0%} interval {self.low} to {self.high})"


@dataclass(frozen=True)
class Symmetry:
    """Whether a response is the same in several directions.

    Args:
        largest_difference: between two directions at one value of the factor, in units of the response.
        relative_difference: the same, as a share of the range of all responses.
        means: mean response of each direction.
        p_value: share of permutations of the directions, within each value of the factor, whose means differ at least
            as much; a small one says that the model treats the directions differently.
    """

    largest_difference: float
    relative_difference: float
    means: Mapping[str, float]
    p_value: float


def correlation(
    x: _Array, y: _Array, *, ranks: bool, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Correlation:
    """Return Pearson's correlation, or Spearman's with ``ranks``, and a percentile interval over resampled images."""
    if ranks:
        x, y = _ranks(x), _ranks(y)
    picks = np.random.default_rng(seed).integers(len(x), size=(resamples, len(x)))
    values = _pearson(x[picks], y[picks])
    values = values[np.isfinite(values)]  # a resample may hold one value only
    value = float(_pearson(x[None], y[None])[0])
    if not len(values) or not np.isfinite(value):
        return Correlation(value, np.nan, np.nan, level)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Correlation(value, float(low), float(high), level)


def monotonicity(x: _Array, y: _Array) -> float:
    """Return the sum of all steps over the sum of their sizes: 1 rises everywhere, -1 falls everywhere, 0 is flat."""
    values = np.unique(x)
    means = np.array([y[x == value].mean() for value in values])
    steps = np.diff(means)
    size = np.abs(steps).sum()
    return float(steps.sum() / size) if size > 0 else 0.0


def symmetry(curves: Mapping[str, _Array], *, permutations: int = 999, seed: int = 0) -> Symmetry:
    """Compare curves of one factor, measured at the same values in several directions."""
    if len(curves) < 2:
        raise value_error("responses", "at least two directions", list(curves))
    lengths = {name: len(curve) for name, curve in curves.items()}
    if len(set(lengths.values())) > 1:
        raise value_error("responses", "the same values of the factor in each direction", lengths)
    table = np.stack(list(curves.values()))
    difference = float(np.ptp(table, axis=0).max())
    generator = np.random.default_rng(seed)
    centred = table - table.mean(0)
    observed = np.square(centred.mean(1)).sum()
    drawn = [np.square(generator.permuted(centred, axis=0).mean(1)).sum() for _ in range(permutations)]
    # Rounding must not make an equal permutation count as smaller.
    beyond = sum(value >= observed * (1 - 1e-9) for value in drawn)
    return Symmetry(
        largest_difference=difference,
        relative_difference=difference / float(np.ptp(table)) if np.ptp(table) > 0 else 0.0,
        means=dict(zip(curves, table.mean(1).tolist())),
        p_value=float((1 + beyond) / (1 + permutations)),
    )


def _pearson(x: _Array, y: _Array) -> _Array:
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    size = np.sqrt(np.square(x).sum(1) * np.square(y).sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        values: _Array = np.where(size > 0, (x * y).sum(1) / size, np.nan)
    return np.clip(values, -1, 1)


def _ranks(values: _Array) -> _Array:
    """Return ranks, ties sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse.ravel()]
