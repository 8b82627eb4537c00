"""The losses between different images that Section 16.5 suggests."""

from __future__ import annotations

import torch
from torch import Tensor

from ._checks import number
from ._loss_rows import column
from ._registry import MAX_LEVEL
from ._targets import NUM_DISTORTIONS


def consistency_loss(scores: Tensor, levels: Tensor, groups: Tensor) -> Tensor:
    """Return the mean squared difference between scores of different images with equal distortion and level.

    Args:
        scores: ``(n,)`` or ``(n, 1)``.
        levels: ``(n,)`` integers; 0 for an undistorted image, which takes no part.
        groups: ``(n,)`` integers ``image * 21 + distortion``.

    Returns:
        A scalar; 0 when there is no such pair.

    Raises:
        ValueError: shapes or levels do not fit.

    Example:
        >>> consistency_loss(torch.tensor([0.2, 0.5]), torch.tensor([3, 3]), torch.tensor([6, 27]))
        tensor(0.0900)

    Reference:
        Section 16.5, the first of the suggested losses.
    """
    scores, levels, groups = column(scores, levels, groups)
    cell = groups.remainder(NUM_DISTORTIONS) * (2 * MAX_LEVEL + 1) + levels
    return _mean((scores[:, None] - scores).square(), _pairs(cell, levels, groups))


def cross_image_ranking_loss(scores: Tensor, levels: Tensor, groups: Tensor, *, margin: float = 0.2) -> Tensor:
    """Return the ranking loss between different images: a less distorted one should outscore a more distorted one.

    The mean over all pairs of two images with one distortion and one sign, as if all photographs were equally good.

    Args:
        scores: ``(n,)`` or ``(n, 1)``.
        levels: ``(n,)`` integers; 0 for an undistorted image, which takes no part.
        groups: ``(n,)`` integers ``image * 21 + distortion``.
        margin: desired difference.

    Returns:
        A scalar; 0 when there is no such pair.

    Raises:
        ValueError: shapes or levels do not fit.

    Example:
        >>> cross_image_ranking_loss(torch.tensor([0.2, 0.5]), torch.tensor([1, 3]), torch.tensor([6, 27]))
        tensor(0.5000)

    Reference:
        Section 16.5, the second of the suggested losses.
    """
    scores, levels, groups = column(scores, levels, groups)
    margin = number("margin", margin, 0)
    ladder = 2 * groups.remainder(NUM_DISTORTIONS) + (levels > 0)
    less_distorted = levels.abs()[:, None] < levels.abs()
    return _mean((margin + scores - scores[:, None]).relu(), _pairs(ladder, levels, groups) & less_distorted)


def _pairs(ids: Tensor, levels: Tensor, groups: Tensor) -> Tensor:
    """Return ``(n, n)``: which distorted rows of different images have the same id?"""
    return (ids[:, None] == ids) & (groups[:, None] != groups) & (levels != 0)[:, None]


def _mean(values: Tensor, pairs: Tensor) -> Tensor:
    return torch.where(pairs, values, 0).sum() / pairs.sum().clamp_min(1)
