"""Accuracy, correlations and errors, for all images or for weighted ones (a bootstrap resample is a weighting)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor


def pearson(x: Tensor, y: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the correlation of ``x`` and ``y``, NaN where one of them is constant.

    Args:
        x: ``(n,)``, or ``(b, n)`` with one row per row of ``weights``.
        y: like ``x``.
        weights: how often each pair counts, ``(b, n)``; ``None`` is once each.

    Returns:
        Scalar, or ``(b,)`` with weights.
    """
    x, y = x.double(), y.double()
    share = torch.full_like(x, 1 / x.shape[-1]) if weights is None else weights / weights.sum(-1, keepdim=True)
    x = x - (share * x).sum(-1, keepdim=True)
    y = y - (share * y).sum(-1, keepdim=True)
    scale_x, scale_y = (share * x * x).sum(-1), (share * y * y).sum(-1)
    constant = (_spread(x, share) == 0) | (_spread(y, share) == 0)
    correlation = (share * x * y).sum(-1) / (scale_x.sqrt() * scale_y.sqrt())
    return torch.where(constant, torch.nan, correlation.clamp(-1, 1))


def spearman(x: Tensor, y: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the correlation of the ranks; equal values share the mean of their ranks. Arguments as in ``pearson``."""
    return pearson(_ranks(x, weights), _ranks(y, weights), weights)


def resamples(n: int, count: int, seed: int) -> Iterator[Tensor]:
    """Yield weightings ``(b, n)`` of ``n`` pairs drawn with replacement, ``count`` rows in all."""
    generator = torch.Generator().manual_seed(int(seed))
    block = max(1, 2**20 // n)
    for start in range(0, count, block):
        drawn = torch.randint(n, (min(block, count - start), n), generator=generator)
        yield torch.zeros(drawn.shape, dtype=torch.float64).scatter_add_(1, drawn, torch.ones(drawn.shape).double())


def interval(statistic: Callable[[Tensor], Tensor], n: int, *, count: int, confidence: float, seed: int) -> Tensor:
    """Return the bounds ``(2,)`` of the percentile interval of a statistic of weightings ``(b, n)``."""
    values = torch.cat([statistic(weights) for weights in resamples(n, count, seed)])
    tail = (1 - confidence) / 2
    return values.nanquantile(torch.tensor([tail, 1 - tail], dtype=torch.float64))


def _ranks(x: Tensor, weights: Tensor | None) -> Tensor:
    """Return mid-ranks, up to a constant that no correlation sees."""
    _, group = x.unique(return_inverse=True)
    ones = torch.ones_like(x, dtype=torch.float64) if weights is None else weights
    sizes = torch.zeros(*ones.shape[:-1], int(group.max()) + 1, dtype=torch.float64, device=x.device)
    sizes.index_add_(-1, group, ones)
    return (sizes.cumsum(-1) - sizes / 2)[..., group]


def _spread(x: Tensor, share: Tensor) -> Tensor:
    """Return the range of the values that count at all: exactly 0 for constant ones, unlike their variance."""
    counted = share > 0
    highest = torch.where(counted, x, -torch.inf).amax(-1)
    return highest - torch.where(counted, x, torch.inf).amin(-1)
