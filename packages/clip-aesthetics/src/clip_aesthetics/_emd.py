"""Distributions of ratings: the earth mover's distance, the head that predicts them, their mean."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from ._arrays import as_number, dense
from ._core import shape_error, value_error

Form: TypeAlias = Literal["sample", "global"]


def emd_loss(
    input: Tensor, target: Tensor, *, r: float = 2.0, form: Form = "sample", reduction: str = "mean"
) -> Tensor:
    r"""Earth mover's distance between distributions over ordered ratings.

    .. math:: L = \left( \frac{1}{k} \sum_{j=1}^{k} |F_{\hat p}(j) - F_p(j)|^r \right)^{1/r}

    Args:
        input: predicted probabilities ``(n, k)``, such as those of :class:`clip_aesthetics.NIMAHead`.
        target: probabilities ``(n, k)``.
        r: exponent; 2 trains best, 1 is the distance itself.
        form: ``"sample"`` takes the root of each image, as the formula says; ``"global"`` takes one root of the mean
            over images and ratings, as published code does.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``; only ``"mean"`` for the global form.

    Returns:
        Scalar, or ``(n,)`` for ``reduction="none"``; at least single precision. Where both distributions are equal,
        the gradient is 0.

    Raises:
        ValueError: shapes or options that do not fit.

    Example:
        >>> import torch
        >>> from clip_aesthetics import emd_loss
        >>> predicted = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        >>> target = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
        >>> emd_loss(predicted, target, reduction="none"), emd_loss(predicted, target, form="global")
        (tensor([0.8165, 0.0000]), tensor(0.5774))

    Reference:
        Chapter 12, Section 12.2; Talebi and Milanfar, "NIMA: Neural Image Assessment", 2018.
    """
    dense("input", input)
    dense("target", target)
    if input.ndim != 2 or input.shape != target.shape or not input.numel():
        raise shape_error("target", "(n, k) like input", {"input": input.shape, "target": target.shape})
    if form not in get_args(Form):
        raise value_error("form", "'sample' or 'global'", form)
    if reduction not in ("mean", "sum", "none") or (form == "global" and reduction != "mean"):
        raise value_error("reduction", "'mean', 'sum' or 'none' (only 'mean' for form='global')", reduction)
    r = as_number("r", r)
    if not 1 <= r < math.inf:
        raise value_error("r", "a finite number of at least 1", r)
    dtype = torch.promote_types(torch.promote_types(input.dtype, target.dtype), torch.float32)
    gap = (input.to(dtype) - target.to(dtype)).cumsum(1).abs()
    powers = gap**r
    powered = powers.mean() if form == "global" else powers.mean(1)
    # The root has no gradient at 0.
    positive = powered > 0
    losses = torch.where(positive, torch.where(positive, powered, 1.0) ** (1 / r), 0.0)
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.mean()


class EMDLoss(nn.Module):
    """Earth mover's distance between distributions of ratings; options as in :func:`emd_loss`.

    Args:
        r: exponent.
        form: ``"sample"`` or ``"global"``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import torch
        >>> from clip_aesthetics import EMDLoss
        >>> EMDLoss(r=1.0)(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
        tensor(0.5000)

    Reference:
        Chapter 12, Section 12.2; Talebi and Milanfar 2018.
    """

    def __init__(self, *, r: float = 2.0, form: Form = "sample", reduction: str = "mean") -> None:
        """Store the options."""
        super().__init__()
        self.r, self.form, self.reduction = r, form, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of predicted probabilities ``(n, k)``."""
        return emd_loss(input, target, r=self.r, form=self.form, reduction=self.reduction)


class NIMAHead(nn.Sequential):
    """Dropout, a linear layer and a softmax: features ``(n, d)`` to distributions of ratings ``(n, num_scores)``.

    Args:
        in_features: ``d``.
        num_scores: number of ratings.
        dropout: probability that a feature is dropped in training.

    Example:
        >>> import torch
        >>> from clip_aesthetics import NIMAHead
        >>> NIMAHead(8)(torch.zeros(2, 8)).shape
        torch.Size([2, 10])

    Reference:
        Talebi and Milanfar 2018; chapter 12 uses it without dropout.
    """

    def __init__(self, in_features: int, num_scores: int = 10, *, dropout: float = 0.75) -> None:
        """Make the layers."""
        super().__init__(nn.Dropout(dropout), nn.Linear(in_features, num_scores), nn.Softmax(dim=-1))


def mean_score(distribution: Tensor, *, first: int = 1) -> Tensor:
    """Return the mean rating of distributions, or of counts of votes.

    Args:
        distribution: ``(..., k)``; the entries are for the ratings ``first``, ``first + 1``, ...
        first: lowest rating.

    Returns:
        ``(...)`` means.

    Raises:
        ValueError: a negative entry, or no votes at all.

    Example:
        >>> import torch
        >>> from clip_aesthetics import mean_score
        >>> mean_score(torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 3.0]]))
        tensor([1.5000, 2.7500])

    Reference:
        Chapter 3, Section 3.2.
    """
    distribution = dense("distribution", distribution)
    if not distribution.ndim or not distribution.shape[-1]:
        raise shape_error("distribution", "(..., k) with k >= 1", {"distribution": distribution.shape})
    votes = distribution.to(torch.promote_types(distribution.dtype, torch.float32))
    totals = votes.sum(-1)
    if not ((votes >= 0).all() and (totals > 0).all() and torch.isfinite(totals).all()):
        raise value_error("distribution", "entries of at least 0, some of them positive in each row", "others")
    ratings = torch.arange(first, first + votes.shape[-1], dtype=votes.dtype, device=votes.device)
    return (votes * ratings).sum(-1) / totals
