"""How many of R random neighbours share the query's value: means and standard deviations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Null = Literal["binomial", "hypergeometric"]
Counts = NDArray[np.int64]


def binomial_moments(draws: Counts, count: Counts, total: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the hits when neighbours are drawn with replacement.

    ``mu = R p`` and ``sigma = sqrt(R p (1 - p))`` with ``p = count / total``, the query included in both counts.

    Args:
        draws: number of neighbours R of each query.
        count: items with the query's value, the query included.
        total: items with any value, the query included.

    Returns:
        Mean and standard deviation, each in the shape of ``draws``.

    Reference:
        Chapter 7, Eq. 7.3. Erratum: sigma is printed without the square root.
    """
    share = count / total
    mean = draws * share
    return mean, np.sqrt(mean * (1 - share))


def hypergeometric_moments(
    draws: Counts, count: Counts, total: Counts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the hits when neighbours are drawn without replacement.

    The query is no neighbour of itself: R of ``total - 1`` others are drawn, of which ``count - 1`` share its value.

    Args:
        draws: number of neighbours R of each query.
        count: items with the query's value, the query included.
        total: items with any value, the query included.

    Returns:
        Mean and standard deviation, each in the shape of ``draws``.
    """
    others = total - 1
    share = (count - 1) / others
    mean = draws * share
    return mean, np.sqrt(mean * (1 - share) * (others - draws) / np.maximum(others - 1, 1))


Moments = Callable[[Counts, Counts, Counts], tuple[NDArray[np.float64], NDArray[np.float64]]]
MOMENTS: dict[str, Moments] = {"binomial": binomial_moments, "hypergeometric": hypergeometric_moments}
