"""Do two classifiers differ on the same texts?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_count, check_seed
from ._core import value_error
from ._lexicon import SENTIMENT
from ._scores import class_numbers, scores_of

_METRICS = ("accuracy", "macro_recall", "macro_f1")


def randomisation_test(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    metric: Literal["accuracy", "macro_recall", "macro_f1"] = "macro_f1",
    rounds: int = 100_000,
    seed: int = 0,
    classes: Sequence[str] = SENTIMENT,
) -> float:
    r"""Return the p-value of Yeh's randomised matched-pair test.

    In each round the two predictions of every text are exchanged with probability 1/2. With ``s`` rounds whose
    difference is at least the observed one, :math:`p = (s + 1) / (rounds + 1)`.

    Args:
        truth: ``(n,)`` class names.
        first: ``(n,)`` predictions of one classifier.
        second: ``(n,)`` predictions of the other.
        metric: what is compared.
        rounds: number of rounds; p is never below ``1 / (rounds + 1)``.
        seed: of the exchanges.
        classes: names of the classes.

    Example:
        >>> truth = ["negative", "positive"] * 20
        >>> randomisation_test(truth, truth, ["neutral"] * 10 + truth[10:], rounds=999)
        0.001

    Reference:
        Yeh, "More accurate tests for the statistical significance of result differences", COLING 2000; Chapter 15.4.2.
    """
    if metric not in _METRICS:
        raise value_error("metric", f"one of {_METRICS}", metric)
    check_count("rounds", rounds)
    check_seed(seed)
    numbers = class_numbers(classes, truth=truth, first=first, second=second)
    k = len(classes)
    # Texts with the same truth and predictions are alike, so exchanges are drawn per kind of text, not per text.
    kinds = (numbers["truth"] * k + numbers["first"]) * k + numbers["second"]
    counts = np.bincount(kinds, minlength=k**3).reshape(k, k, k)
    observed = _difference(counts[None], metric)[0]
    generator, extreme = np.random.default_rng(seed), 0
    for size in [10_000] * (rounds // 10_000) + [rounds % 10_000]:
        moved = generator.binomial(counts, 0.5, size=(size, k, k, k))
        exchanged = counts - moved + moved.swapaxes(-1, -2)
        extreme += int((_difference(exchanged, metric) >= observed - 1e-12).sum())
    return (extreme + 1) / (rounds + 1)


def mcnemar_test(truth: ArrayLike, first: ArrayLike, second: ArrayLike, *, classes: Sequence[str] = SENTIMENT) -> float:
    """Return the exact two-sided p-value of McNemar's test on who is right.

    Example:
        >>> truth = ["negative"] * 10
        >>> mcnemar_test(truth, truth, ["neutral"] * 6 + truth[6:])
        0.03125
    """
    numbers = class_numbers(classes, truth=truth, first=first, second=second)
    right = [numbers["truth"] == numbers[name] for name in ("first", "second")]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    n = only_first + only_second
    tail = sum(math.comb(n, count) for count in range(min(only_first, only_second) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def _difference(counts: NDArray[np.int64], metric: str) -> NDArray[np.float64]:
    """Return the absolute difference of both classifiers, from counts ``(r, truth, first, second)``."""
    row = _METRICS.index(metric)
    return np.asarray(np.abs(scores_of(counts.sum(3))[row] - scores_of(counts.sum(2))[row]))
