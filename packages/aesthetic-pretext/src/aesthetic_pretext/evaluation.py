"""How good is a model: against ratings, and on the pretext tasks themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import number, real_array, whole_number
from ._core import import_extra, shape_error, type_error, value_error
from ._pretext_scores import distortion_accuracy, response_curves

__all__ = ["RatingScores", "compare_errors", "distortion_accuracy", "label_curve", "rating_scores", "response_curves"]


@dataclass(frozen=True)
class RatingScores:
    """Agreement of predicted with given mean ratings.

    Attributes:
        pearson: correlation.
        spearman: correlation of ranks, ties sharing their mean rank.
        accuracy: share of images on the same side of the threshold.
        mae: mean absolute error.
        errors: ``(n,)`` absolute errors, for ``compare_errors``.
    """

    pearson: float
    spearman: float
    accuracy: float
    mae: float
    errors: NDArray[np.float64]


def rating_scores(prediction: Any, target: Any, *, threshold: float = 5.0) -> RatingScores:
    """Compare predicted with given mean ratings.

    Args:
        prediction: ``(n,)`` ratings.
        target: ``(n,)`` ratings.
        threshold: above it an image counts as beautiful.

    Returns:
        The scores; a correlation with a constant is NaN.

    Raises:
        ValueError: shapes do not fit, there are fewer than two images, or a value is not finite.

    Example:
        >>> scores = rating_scores([4.0, 5.5, 7.0], [4.5, 5.0, 8.0])
        >>> round(scores.pearson, 3), scores.spearman, round(scores.accuracy, 3), round(scores.mae, 3)
        (0.924, 1.0, 0.667, 0.667)

    Reference:
        Section 16.2.6.
    """
    predicted, given = real_array("prediction", prediction), real_array("target", target)
    number("threshold", threshold)
    if predicted.ndim != 1 or predicted.shape != given.shape or len(given) < 2:
        raise shape_error(
            "target", "(n,) like prediction, n >= 2", {"prediction": predicted.shape, "target": given.shape}
        )
    errors = np.abs(predicted - given)
    return RatingScores(
        pearson=_correlation(predicted, given),
        spearman=_correlation(_ranks(predicted), _ranks(given)),
        accuracy=float(((predicted > threshold) == (given > threshold)).mean()),
        mae=float(errors.mean()),
        errors=errors,
    )


def compare_errors(
    errors: Mapping[str, Sequence[float]], *, baseline: str, alpha: float = 0.01
) -> dict[str, dict[str, Any]]:
    """Test whether models have smaller errors than a baseline on the same images.

    A one-sided Wilcoxon signed-rank test per model, p-values multiplied by the number of models (Bonferroni).

    Args:
        errors: model -> ``(n,)`` absolute errors, of the same images.
        baseline: one of the models.
        alpha: level of significance.

    Returns:
        model -> ``{"mae", "p_value", "significant"}``, the baseline left out.

    Raises:
        ValueError: the baseline is unknown, alone, or numbers of images differ.
        ImportError: scipy is missing (extra ``stats``).

    Example:
        >>> errors = {"ImageNet": [0.5, 0.6, 0.7, 0.4, 0.8], "ranking": [0.25, 0.5, 0.5, 0.0, 0.25]}
        >>> compare_errors(errors, baseline="ImageNet", alpha=0.05)
        {'ranking': {'mae': 0.3, 'p_value': 0.03125, 'significant': True}}

    Reference:
        Section 16.3, the daggers of Table 16.3.
    """
    stats = import_extra("scipy.stats", package="aesthetic-pretext", extra="stats")
    if not isinstance(errors, Mapping):
        raise type_error("errors", "a mapping of models to errors", errors)
    number("alpha", alpha, 0, 1)
    arrays = {name: real_array(f"errors[{name!r}]", values) for name, values in errors.items()}
    if baseline not in list(arrays) or len(arrays) < 2:
        raise value_error("baseline", f"one of {list(arrays)}, besides another model", repr(baseline))
    if len({array.shape for array in arrays.values()}) > 1 or arrays[baseline].ndim != 1 or not arrays[baseline].size:
        raise shape_error("errors", "one error per image and model", {name: a.shape for name, a in arrays.items()})
    results = {}
    for name, array in arrays.items():
        if name == baseline:
            continue
        difference = array - arrays[baseline]
        p_value = float(stats.wilcoxon(difference, alternative="less").pvalue) if difference.any() else 1.0
        p_value = min(1.0, p_value * (len(arrays) - 1))
        results[name] = {"mae": float(array.mean()), "p_value": p_value, "significant": p_value < alpha}
    return results


def label_curve(
    run: Callable[[float, int], Mapping[str, float]],
    *,
    shares: Sequence[float] = (0.2, 0.4, 0.6, 0.8, 1.0),
    seeds: int = 3,
) -> list[dict[str, float]]:
    """Measure what a share of the labels is worth: epochs until convergence, correlation, error.

    Args:
        run: ``run(share, seed) -> {metric: value}`` finetunes on that share of the training set.
        shares: of the training set.
        seeds: runs per share.

    Returns:
        One row per share: ``share``, then mean and standard deviation (``<metric>_sd``) of each metric over seeds.

    Raises:
        ValueError: a share is not in (0, 1], or there is no seed.

    Example:
        >>> label_curve(lambda share, seed: {"epochs": 10 / share + seed}, shares=[0.5, 1.0], seeds=2)
        [{'share': 0.5, 'epochs': 20.5, 'epochs_sd': 0.5}, {'share': 1.0, 'epochs': 10.5, 'epochs_sd': 0.5}]

    Reference:
        Section 16.4, Fig. 16.3 and 16.5.
    """
    whole_number("seeds", seeds, 1)
    if not callable(run):
        raise type_error("run", "a function of a share and a seed", run)
    if not isinstance(shares, Sequence) or not len(shares) or not all(number("shares", s, 0, 1) > 0 for s in shares):
        raise value_error("shares", "shares in (0, 1]", shares)
    rows = []
    for share in shares:
        results = [run(share, seed) for seed in range(seeds)]
        row = {"share": share}
        for metric in results[0]:
            values = [result[metric] for result in results]
            row |= {metric: float(np.mean(values)), f"{metric}_sd": float(np.std(values))}
        rows.append(row)
    return rows


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else float("nan")


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return np.asarray(((last - counts + 1 + last) / 2)[inverse])
