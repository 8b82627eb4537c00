"""The loss of one class index per row, with a gradient written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._checks import check_classes
from ._dense import Similarity


def row_losses(logits: Tensor, target: Tensor, similarity: Similarity) -> Tensor:
    r"""Return :math:`-\log \sum_c S_{y,c} p_c` for each row.

    Args:
        logits: shape ``(n, c)``.
        target: class indices of shape ``(n,)``.
        similarity: what gives ``S``.

    Returns:
        Tensor of shape ``(n,)``, at least float32.
    """
    if torch.compiler.is_compiling():
        return _exact(logits, target, similarity)[0]
    needs_slope = logits.requires_grad and torch.is_grad_enabled()
    losses: Tensor = _RowLosses.apply(logits, target, similarity, needs_slope)[0]
    return losses


class _RowLosses(torch.autograd.Function):
    @staticmethod
    def forward(
        logits: Tensor, target: Tensor, similarity: Similarity, needs_slope: bool
    ) -> tuple[Tensor, Tensor | None]:
        if logits.device.type == "cpu":
            check_classes(target, similarity.num_classes)
            losses, slope = _fast(logits, target, similarity)
        else:
            # Looking for rows to mend would wait for the device.
            losses, slope = _exact(logits, target, similarity)
        return losses, slope.to(logits.dtype) if needs_slope else None

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor | None]) -> None:
        logits, target, ctx.similarity, _ = inputs
        slope = output[1]
        if slope is not None:
            ctx.mark_non_differentiable(slope)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(logits, target, slope)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor | None, _: Any) -> tuple[Tensor | None, None, None, None]:
        if upstream is None:
            return None, None, None, None
        logits, target, slope = ctx.saved_tensors
        if slope is None or torch.is_grad_enabled():
            slope = _exact(logits, target, ctx.similarity)[1]
        return (slope * upstream.unsqueeze(-1)).to(logits.dtype), None, None, None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], logits: Tensor, target: Tensor, similarity: Similarity, needs_slope: bool
    ) -> Any:
        # More examples are more rows.
        logits, target = (
            tensor.unsqueeze(0).expand(info.batch_size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
            for tensor, dim in zip((logits, target), in_dims[:2])
        )
        losses, slope = _RowLosses.apply(logits.flatten(0, 1), target.flatten(), similarity, needs_slope)
        shape = (info.batch_size, -1)
        if slope is None:
            return (losses.unflatten(0, shape), None), (0, None)
        return (losses.unflatten(0, shape), slope.unflatten(0, shape)), (0, 0)


def _precision(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)


def _fast(logits: Tensor, target: Tensor, similarity: Similarity) -> tuple[Tensor, Tensor]:
    """One softmax; rows whose sum is lost to underflow are done again in log space."""
    dtype = _precision(logits)
    slope = torch.softmax(logits, -1, dtype)
    index, terms, tail = similarity._near_rows(target, dtype)
    scores = terms.mul_(slope if index is None else slope.gather(-1, index)).sum(-1)
    limits = torch.finfo(dtype)
    lost = (scores < max(limits.tiny**0.5, tail / limits.eps)).nonzero().flatten()
    if len(lost):
        probabilities = slope.index_select(0, lost)
    if index is None:
        slope.addcdiv_(terms, scores.unsqueeze(-1), value=-1)
    else:
        slope.scatter_add_(-1, index, terms.div_(-scores.unsqueeze(-1)))
    losses = scores.log_().neg_()
    if len(lost):
        losses[lost], exact_slope = _exact(
            logits.index_select(0, lost), target.index_select(0, lost), similarity, probabilities
        )
        slope.index_copy_(0, lost, exact_slope)
    return losses, slope


def _exact(
    logits: Tensor, target: Tensor, similarity: Similarity, probabilities: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Log space throughout; differentiable and free of branches on values."""
    dtype = _precision(logits)
    logits = logits.to(dtype)
    if probabilities is None:
        probabilities = logits.softmax(-1)
    index, log_values = similarity._log_rows(target, dtype)
    weighted = (logits if index is None else logits.gather(-1, index)) + log_values
    shares = weighted.softmax(-1)
    losses = _logsumexp(logits, probabilities) - _logsumexp(weighted, shares)
    slope = probabilities - shares if index is None else probabilities.scatter_add(-1, index, -shares)
    return losses, slope


def _logsumexp(values: Tensor, shares: Tensor) -> Tensor:
    # From the softmax, because exp() of a number far below zero is slow on CPUs.
    return values.amax(-1) - shares.amax(-1).log()
