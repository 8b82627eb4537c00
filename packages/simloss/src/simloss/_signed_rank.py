"""Wilcoxon's signed-rank test, exact also with ties and zeros."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence


def signed_rank_p_value(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test for paired differences.

    Zeros are dropped, equal sizes share their mean rank, and the distribution of the rank sum is counted over all
    ``2**n`` signs, so that the value is exact for few pairs and for ties. It is 1 when all differences are zero.

    Args:
        differences: one difference per pair.

    Returns:
        Probability, under symmetry around zero, of a rank sum at least as extreme.

    Example:
        >>> signed_rank_p_value([0.3, 0.1, 0.2, 0.5, 0.4])
        0.0625

    Reference:
        Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1945; used in Chapter 14.
    """
    sizes = sorted(abs(difference) for difference in differences if difference != 0)
    # Twice the mean rank is a whole number, also where sizes are equal.
    ranks = {size: bisect_left(sizes, size) + bisect_right(sizes, size) + 1 for size in sizes}
    ways = Counter({0: 1})
    for size in sizes:
        ways += Counter({rank_sum + ranks[size]: count for rank_sum, count in ways.items()})
    positive = sum(ranks[difference] for difference in differences if difference > 0)
    negative = sum(ranks[size] for size in sizes) - positive
    tail = sum(count for rank_sum, count in ways.items() if rank_sum <= min(positive, negative))
    return float(min(1, 2 * tail / 2 ** len(sizes)))
