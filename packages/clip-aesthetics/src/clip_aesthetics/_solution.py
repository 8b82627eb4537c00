"""What both kinds of regression return."""

from __future__ import annotations

from collections.abc import Sized
from typing import NamedTuple

from torch import Tensor

from ._core import shape_error


class Solution(NamedTuple):
    """A fitted linear model: ``(d,)`` weights and standard deviations of the features, and how it was chosen."""

    coef: Tensor
    intercept: float
    deviation: Tensor
    alpha: float
    cv_loss: Tensor


def check_folds(folds: Sized) -> None:
    """Raise unless there are two folds, without which no strength can be chosen."""
    if len(folds) < 2:
        raise shape_error("features", "rows in two folds or more", {"folds": (len(folds),)})
