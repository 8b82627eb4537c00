"""The loss of one class index per row, with a gradient written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._checks import check_classes
from ._dense import Similarity

# Similarities at a time: so few that the allocator keeps their memory; fresh memory costs more than the sums.
_BLOCK_ELEMENTS = 2**19


def row_losses(logits: Tensor, target: Tensor, ignored: Tensor, similarity: Similarity) -> Tensor:
    r"""Return :math:`-\log \sum_c S_{y,c} p_c` for each row, and zero without a gradient for ignored rows.

    Args:
        logits: shape ``(n, c)``.
        target: class indices of shape ``(n,)``.
        ignored: which rows do not count, shape ``(n,)``.
        similarity: what gives ``S``.

    Returns:
        Tensor of shape ``(n,)``, at least float32.
    """
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return _exact(logits, target, similarity)[0].masked_fill(ignored, 0)
    losses: Tensor = _RowLosses.apply(logits, target, ignored, similarity)
    return losses


class _RowLosses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, ignored: Tensor, similarity: Similarity) -> Tensor:
        if logits.device.type == "cpu":
            check_classes(target, similarity.num_classes)
        losses, slope = _losses_and_slope(logits, target, similarity)
        ctx.similarity = similarity
        ctx.slope = slope if ctx.needs_input_grad[0] else None
        ctx.save_for_backward(logits, target, ignored)
        return losses.masked_fill_(ignored, 0)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        logits, target, ignored = ctx.saved_tensors
        upstream = upstream.masked_fill(ignored, 0).unsqueeze(-1)
        if torch.is_grad_enabled():
            gradient = (_exact(logits, target, ctx.similarity)[1] * upstream).to(logits.dtype)
        elif torch._C._are_functorch_transforms_active():
            gradient = ctx.slope * upstream
        else:
            # The first backward pass gives the slope away, because a copy would cost a third of the time.
            slope, ctx.slope = ctx.slope, None
            if slope is None:
                slope = _losses_and_slope(logits, target, ctx.similarity)[1]
            gradient = slope.mul_(upstream)
        return gradient, None, None, None


def _losses_and_slope(logits: Tensor, target: Tensor, similarity: Similarity) -> tuple[Tensor, Tensor]:
    # On other devices, looking for rows to mend would wait for the device.
    compute = _fast if logits.device.type == "cpu" else _exact
    losses, slope = compute(logits, target, similarity)
    return losses, slope.to(logits.dtype)


def _precision(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)


def _fast(logits: Tensor, target: Tensor, similarity: Similarity) -> tuple[Tensor, Tensor]:
    """One softmax, then a few rows at a time."""
    slope = torch.softmax(logits, -1, _precision(logits))
    size = max(1, _BLOCK_ELEMENTS // similarity._near_size(slope.dtype))
    blocks = zip(logits.split(size), target.split(size), slope.split(size))
    return torch.cat([_losses(*block, similarity) for block in blocks]), slope


def _losses(logits: Tensor, target: Tensor, probabilities: Tensor, similarity: Similarity) -> Tensor:
    """Return the losses and turn ``probabilities`` into their slope; log space for rows lost to underflow."""
    slope, limits = probabilities, torch.finfo(probabilities.dtype)
    index, terms, tail = similarity._near_rows(target, slope.dtype)
    scores = terms.mul_(slope if index is None else slope.gather(-1, index)).sum(-1)
    losses = -scores.log()
    lost = (scores < max(limits.tiny**0.5, tail / limits.eps)).nonzero().flatten()
    # Log space takes more arrays, so fewer rows.
    for rows in lost.split(max(1, _BLOCK_ELEMENTS // (4 * similarity.num_classes))):
        exact_losses, exact_slope = _exact(
            logits.index_select(0, rows), target.index_select(0, rows), similarity, slope.index_select(0, rows)
        )
        losses.index_copy_(0, rows, exact_losses)
        slope.index_copy_(0, rows, exact_slope)
    # Their slope is complete, so that what follows must add nothing to it.
    scores.index_fill_(0, lost, torch.inf)
    if index is None:
        slope.addcdiv_(terms, scores.unsqueeze(-1), value=-1)
    else:
        slope.scatter_add_(-1, index, terms.div_(-scores.unsqueeze(-1)))
    return losses


def _exact(
    logits: Tensor, target: Tensor, similarity: Similarity, probabilities: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Log space throughout; differentiable and free of branches on values."""
    dtype = _precision(logits)
    lowest = torch.finfo(dtype).min
    # Below the largest one, so that small differences between large logits keep their digits; and never minus infinity,
    # so that a row whose similar classes are all impossible has the infinite loss and finite gradient of cross entropy.
    logits = (logits.to(dtype) - logits.amax(-1, keepdim=True)).clamp_min(lowest)
    if probabilities is None:
        probabilities = logits.softmax(-1)
    index, log_values, factor = similarity._log_rows(target, dtype)
    weighted = (logits if index is None else logits.gather(-1, index)) + log_values
    shares = weighted.softmax(-1)
    # From the softmax, because exp() of a number far below zero is slow on CPUs.
    top = weighted.amax(-1)
    log_sum = top.masked_fill(top <= lowest, -torch.inf) - shares.amax(-1).log()
    if factor is not None:
        shares = shares * factor
        total = shares.sum(-1, keepdim=True)
        shares, log_sum = shares / total, log_sum + total.squeeze(-1).log()
    slope = probabilities - shares if index is None else probabilities.scatter_add(-1, index, -shares)
    return -probabilities.amax(-1).log() - log_sum, slope
