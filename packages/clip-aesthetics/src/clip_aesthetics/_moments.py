"""Sufficient statistics of linear regression, gathered batch by batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Moments:
    """Number, means and co-moments of rows ``z = (features, target)``, in double precision.

    The co-moments are taken about the means from the start: with raw sums, features with a large mean would lose the
    digits that matter.

    Attributes:
        n: number of rows.
        mean: ``(d + 1,)``.
        comoment: ``(d + 1, d + 1)`` sum of outer products of deviations from the mean.
    """

    n: int
    mean: Tensor
    comoment: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> Moments:
        """Return the moments of rows ``(n, d + 1)``."""
        mean = rows.mean(0)
        deviation = rows - mean
        return cls(len(rows), mean, deviation.T @ deviation)

    @property
    def deviation(self) -> Tensor:
        """Standard deviations of the features ``(d,)``."""
        return (self.comoment.diagonal()[:-1] / self.n).clamp_min(0).sqrt()

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both sets of rows (Chan, Golub and LeVeque 1983)."""
        n = self.n + other.n
        shift = other.mean - self.mean
        comoment = self.comoment + other.comoment + torch.outer(shift, shift) * (self.n * other.n / n)
        return Moments(n, self.mean + shift * (other.n / n), comoment)


def total(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all parts, of which there is at least one."""
    first, *others = parts
    return sum(others, first)
