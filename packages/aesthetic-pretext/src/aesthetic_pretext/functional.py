"""The losses of the pretext tasks, as functions of one forward pass over all variants.

A batch is described by three integer tensors (see ``targets_of``): ``levels`` (signed, 0 for an undistorted image),
``groups`` (``image * 21 + distortion``; -1 for an undistorted image) and ``reference`` (row of the undistorted image).
Each loss is the SUM over the pairs or rows of one image and the MEAN over images, the scale that `BalancedSum` is for.
Losses are computed in single precision at least. A score that is NaN makes the loss NaN, as in torch's losses.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ._checks import dense, number
from ._core import shape_error, value_error
from ._cross_image_losses import consistency_loss, cross_image_ranking_loss
from ._loss_rows import (
    Reduction,
    before,
    check_ladders,
    check_reduction,
    column,
    is_first,
    matrix,
    reduced,
    reference_rows,
    single,
)
from ._registry import MAX_LEVEL
from ._targets import FAMILY_SIZES, NUM_DISTORTIONS, RANK_FRACTIONS, Targets, targets_of

__all__ = [
    "Targets",
    "consistency_loss",
    "cross_image_ranking_loss",
    "distortion_classification_loss",
    "emd_loss",
    "intensity_regression_loss",
    "ranking_loss",
    "targets_of",
]


def ranking_loss(
    scores: Tensor,
    levels: Tensor,
    groups: Tensor,
    *,
    reference: Tensor,
    margin: float = 0.2,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return how far more distorted images fail to score lower, by a margin, than less distorted ones.

    ``sum over pairs of max(0, margin - (score[less distorted] - score[more distorted]))``; pairs are all levels of
    one image, one distortion and one sign, and each level with its undistorted image: 500 for the 174 variants. A
    group of one row that is its own reference has no pair and loss 0.

    Args:
        scores: ``(n,)`` or ``(n, 1)``, higher for better images.
        levels: ``(n,)`` integers from -5 to 5; 0 for an undistorted image. A group has each level at most once.
        groups: ``(n,)`` integers ``image * 21 + distortion``; any value in rows of level 0.
        reference: ``(n,)`` row of each item's undistorted image; one may head many ladders.
        margin: desired difference.
        reduction: ``"mean"`` over images of the sum over pairs, ``"sum"``, or ``"none"``: ``(n,)`` sums over the pairs
            in which a row is the more distorted one.

    Returns:
        A scalar, or ``(n,)``.

    Raises:
        ValueError: shapes, levels or references do not fit.

    Example:
        >>> scores = torch.tensor([0.9, 0.8, 0.7])
        >>> levels, groups = torch.tensor([0, 1, 2]), torch.tensor([-1, 6, 6])
        >>> ranking_loss(scores, levels, groups, reference=torch.zeros(3, dtype=torch.long))
        tensor(0.2000)

    Reference:
        Eq. 16.1; Liu et al. 2017 (RankIQA).
        Erratum: Eq. 16.1 prints ``max(0, (f(less) - f(more)) - m)``, which rewards scoring distorted images higher.
    """
    scores, levels, groups = column(scores, levels, groups)
    reference = reference_rows(reference, levels)
    check_ladders(levels, groups)
    margin = number("margin", margin, 0)
    distorted = levels != 0
    ladder = torch.where(distorted, 2 * groups + (levels > 0), -1)
    # Ordered by ladder and level, a row's less distorted partners are among the four before it.
    _, order = (ladder * (MAX_LEVEL + 1) + levels.abs()).sort()
    ladders, candidates = before(ladder[order], -1), before(scores[order], 0)
    partners = (ladders[:, :-1] == ladders[:, -1:]) & (ladders[:, -1:] >= 0)
    hinges = torch.where(partners, (margin + candidates[:, -1:] - candidates[:, :-1]).relu(), 0)
    among = torch.zeros_like(scores).scatter(0, order, hinges.sum(1))
    heads = distorted & (reference != torch.arange(len(levels), device=levels.device))
    to_reference = torch.where(heads, (margin + scores - scores[reference]).relu(), 0)
    return reduced(among + to_reference, levels, groups, reduction)


def distortion_classification_loss(
    logits: Tensor, levels: Tensor, groups: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    """Return the cross entropy of the applied distortion among those of its aspect.

    Each aspect (6 technical, 9 style, 6 composition) has a softmax of its own. Undistorted images do not count.

    Args:
        logits: ``(n, 21)``, the three heads side by side in the order of ``DISTORTIONS``.
        levels: ``(n,)`` integers; 0 for an undistorted image.
        groups: ``(n,)`` integers ``image * 21 + distortion``.
        reduction: ``"mean"`` over images of the sum over rows, ``"sum"``, or ``"none"``: ``(n,)``.

    Returns:
        A scalar, or ``(n,)``.

    Raises:
        ValueError: shapes or levels do not fit.

    Example:
        >>> distortion_classification_loss(torch.zeros(2, 21), torch.tensor([0, 3]), torch.tensor([-1, 6])).exp()
        tensor(9.)

    Reference:
        Eq. 16.2.
    """
    logits, levels, groups = matrix("logits", logits, levels, groups)
    family = torch.arange(len(FAMILY_SIZES), device=logits.device)
    family = family.repeat_interleave(torch.tensor(FAMILY_SIZES, device=logits.device), output_size=NUM_DISTORTIONS)
    distortion = groups.remainder(NUM_DISTORTIONS)
    others = family != family[distortion][:, None]
    entropy = F.cross_entropy(logits.masked_fill(others, -torch.inf), distortion, reduction="none")
    return reduced(torch.where(levels != 0, entropy, 0), levels, groups, reduction)


def intensity_regression_loss(
    predictions: Tensor, levels: Tensor, groups: Tensor, *, reference: Tensor, reduction: Reduction = "mean"
) -> Tensor:
    """Return the squared error of the predicted intensity, on the output of the applied distortion only.

    The target is the rank of a level among those of its sign, over their number: the strongest are 1 and -1. An
    undistorted image has target 0 on the output of each ladder that it heads.

    Args:
        predictions: ``(n, 21)``, one output per distortion in the order of ``DISTORTIONS``.
        levels: ``(n,)`` integers from -5 to 5; 0 for an undistorted image.
        groups: ``(n,)`` integers ``image * 21 + distortion``.
        reference: ``(n,)`` row of each item's undistorted image.
        reduction: ``"mean"`` over images of the sum over rows, ``"sum"``, or ``"none"``: ``(n,)``.

    Returns:
        A scalar, or ``(n,)``.

    Raises:
        ValueError: shapes, levels or references do not fit.

    Example:
        >>> predictions = torch.zeros(2, 21)
        >>> predictions[:, 6] = torch.tensor([0.5, 1.0])
        >>> levels, groups = torch.tensor([0, 5]), torch.tensor([-1, 6])
        >>> intensity_regression_loss(predictions, levels, groups, reference=torch.tensor([0, 0]))
        tensor(0.2500)

    Reference:
        Eq. 16.3.
    """
    predictions, levels, groups = matrix("predictions", predictions, levels, groups)
    reference = reference_rows(reference, levels)
    distortion = groups.remainder(NUM_DISTORTIONS)
    target = RANK_FRACTIONS.to(predictions)[distortion, (levels + MAX_LEVEL).clamp(0, 2 * MAX_LEVEL)]
    rows = torch.arange(len(levels), device=levels.device)
    distorted = levels != 0
    error = torch.where(distorted, (predictions[rows, distortion] - target).square(), 0)
    # The first row of a group speaks for its ladder: one squared error on the row that heads it.
    first = distorted & (reference != rows) & is_first(torch.where(distorted, groups, -1))
    headed = torch.where(first, predictions[reference, distortion].square(), 0)
    return reduced(error.index_add(0, reference, headed), levels, groups, reduction)


def emd_loss(logits: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Return the earth mover's distance between predicted and given distributions of ratings.

    ``sqrt(mean over bins of (CDF(softmax(logits)) - CDF(target))^2)`` of each image.

    Args:
        logits: ``(n, bins)``.
        target: ``(n, bins)``, each row sums to 1.
        reduction: ``"mean"`` over images, ``"sum"``, or ``"none"``: ``(n,)``.

    Returns:
        A scalar, or ``(n,)``.

    Raises:
        ValueError: shapes or the reduction do not fit.

    Example:
        >>> emd_loss(torch.tensor([[100.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0, 0.0]]))
        tensor(0.5000)

    Reference:
        Section 16.2.5; Talebi and Milanfar 2018 (NIMA), with r = 2.
    """
    if dense("logits", logits).ndim != 2 or dense("target", target).shape != logits.shape:
        raise shape_error("target", "(n, bins) like logits", {"logits": logits.shape, "target": target.shape})
    if target.device != logits.device:
        raise value_error("target", f"a tensor on {logits.device}, as logits", f"one on {target.device}")
    check_reduction(reduction)
    difference = (single(logits).softmax(1) - target.to(single(logits).dtype)).cumsum(1)
    # The gradient of a norm at zero is zero, that of a square root infinite.
    distance: Tensor = torch.linalg.vector_norm(difference, dim=1) / difference.shape[1] ** 0.5
    if reduction == "none":
        return distance
    return distance.mean() if reduction == "mean" else distance.sum()
