"""Accuracy, macro recall and macro F1 of predicted classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import checked_numbers, checked_tuple
from ._core import shape_error, value_error
from ._lexicon import SENTIMENT


@dataclass(frozen=True)
class Scores:
    """The three measures of Table 15.2.

    Attributes:
        accuracy: share of texts with the right class.
        macro_recall: mean over the classes of the share of their texts that was found.
        macro_f1: mean over the classes of the harmonic mean of precision and recall, 0 for a class never found.
    """

    accuracy: float
    macro_recall: float
    macro_f1: float


def confusion(truth: ArrayLike, predicted: ArrayLike, *, classes: Sequence[str] = SENTIMENT) -> NDArray[np.int64]:
    """Count the texts of each true class (rows) that were given each class (columns).

    Example:
        >>> confusion(["negative", "positive", "positive"], ["negative", "neutral", "positive"])
        array([[1, 0, 0],
               [0, 0, 0],
               [0, 1, 1]])

    Reference:
        Table 15.5; its column sums are Table 15.4.
    """
    numbers = class_numbers(classes, truth=truth, predicted=predicted)
    flat = numbers["truth"] * len(classes) + numbers["predicted"]
    return np.bincount(flat, minlength=len(classes) ** 2).reshape(len(classes), len(classes))


def evaluate(truth: ArrayLike, predicted: ArrayLike, *, classes: Sequence[str] = SENTIMENT) -> Scores:
    """Score predicted class names; classes that never occur in ``truth`` do not count.

    Example:
        >>> evaluate(["negative", "positive", "positive"], ["negative", "neutral", "positive"])
        Scores(accuracy=0.6666666666666666, macro_recall=0.75, macro_f1=0.8333333333333333)

    Reference:
        Chapter 2.5.1; Table 15.2.
    """
    values = scores_of(confusion(truth, predicted, classes=classes))
    return Scores(*map(float, values))


def expected_scores(
    truth: ArrayLike, probabilities: Sequence[float] | None = None, *, classes: Sequence[str] = SENTIMENT
) -> Scores:
    """Return the expected scores of classes drawn at random.

    Args:
        truth: class names.
        probabilities: ``(K,)`` of being drawn; the true shares by default. ``[1/3, 1/3, 1/3]`` is the uniform baseline.
        classes: names of the classes.

    Reference:
        Table 15.2, the random baselines; its F1 is that of the expected confusion table.
    """
    shares = np.bincount(class_numbers(classes, truth=truth)["truth"], minlength=len(classes))
    drawn = shares / shares.sum() if probabilities is None else checked_numbers("probabilities", probabilities)
    if drawn.shape != (len(classes),) or not np.isclose(drawn.sum(), 1) or (drawn < 0).any():
        raise value_error("probabilities", f"a distribution over {len(classes)} classes", probabilities)
    return Scores(*map(float, scores_of(np.outer(shares, drawn))))


def scores_of(tables: NDArray[np.number]) -> NDArray[np.float64]:
    """Return accuracy, macro recall and macro F1 of confusion tables ``(..., K, K)``."""
    right = np.diagonal(tables, axis1=-2, axis2=-1).astype(float)
    true, given = tables.sum(-1), tables.sum(-2)
    occurring = true > 0
    number = np.maximum(occurring.sum(-1), 1)
    recall = (right / np.maximum(true, 1e-12)).sum(-1) / number
    f1 = (2 * right / np.maximum(true + given, 1e-12) * occurring).sum(-1) / number
    return np.stack([right.sum(-1) / true.sum(-1), recall, f1])


def class_numbers(classes: Sequence[str], **columns: ArrayLike) -> dict[str, NDArray[np.int64]]:
    """Return the columns of class names as numbers of the classes.

    Raises:
        ValueError: no or different numbers of rows, or a name that is no class.
    """
    arrays = {name: np.asarray(column, dtype=object) for name, column in columns.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) != 1 or any(array.ndim != 1 or not len(array) for array in arrays.values()):
        raise shape_error(next(iter(columns)), "one class name per text", shapes)
    known = {name: number for number, name in enumerate(checked_tuple("classes", classes))}
    for name, array in arrays.items():
        if unknown := {*array} - {*known}:
            raise value_error(name, f"names out of {tuple(classes)}", f"{sorted(map(str, unknown))[:5]}")
    return {name: np.array([known[value] for value in array]) for name, array in arrays.items()}
