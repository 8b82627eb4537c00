"""SimLoss of a linear layer whose logits are never stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ._checks import check_linear_arguments
from ._dense import as_similarity
from ._loss import position_losses, reduce
from ._structured import AnySimilarity

# Logits at a time: 16 megabytes in float32, few enough for memory and enough rows for a fast matrix product.
_BLOCK_ELEMENTS = 2**22

Losses = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def linear_sim_loss(
    hidden: Tensor,
    weight: Tensor,
    target: Tensor,
    similarity: AnySimilarity,
    *,
    bias: Tensor | None = None,
    class_weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    r"""SimLoss of ``hidden @ weight.T + bias`` without ever storing these logits.

    Blocks of rows are computed one after the other; for a scalar loss, their gradients at once. Its value and
    gradients are those of :func:`sim_loss` on the logits; only first derivatives are available for a scalar loss.

    Args:
        hidden: output of the layer before, shape ``(*, d)``.
        weight: class vectors, shape ``(c, d)``.
        target: class indices, shape ``(*)``.
        similarity: as in :func:`sim_loss`; a structured one needs no ``c x c`` memory.
        bias: shape ``(c)``.
        class_weight: rescaling weight of each class, shape ``(c)``.
        ignore_index: class index whose positions count neither in the sum nor in the mean.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: share of the target, in [0, 1], that is spread evenly over all classes.

    Returns:
        Scalar, or shape ``(*)`` for ``reduction="none"``.

    Raises:
        ValueError: arguments whose shapes or values do not fit; the message names them.

    Example:
        >>> from simloss import OrdinalSimilarity
        >>> hidden, weight = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0], [3.0, 0.0]])
        >>> linear_sim_loss(hidden, weight, torch.tensor([1]), OrdinalSimilarity(3, 0.5))
        tensor(0.5850)

    Reference:
        Chapter 14, Eq. 14.2.
    """
    classes = as_similarity(similarity)
    check_linear_arguments(
        hidden, weight, target, classes, bias, class_weight, ignore_index, reduction, label_smoothing
    )

    def losses_of(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(logits.device.type, enabled=False):
            return position_losses(logits, target, classes, class_weight, ignore_index, label_smoothing)

    rows, labels = hidden.reshape(-1, hidden.shape[-1]), target.reshape(-1)
    trains = torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in (hidden, weight, bias))
    if trains and reduction != "none" and not torch.compiler.is_compiling():
        total, share = _GradientInForward.apply(rows, weight, bias, labels, losses_of)
        # where() for a mean over nothing: NaN without a gradient, as in cross entropy.
        loss = torch.where(share != 0, total, 0) / share if reduction == "mean" else total
    else:
        blocks = [
            # Logits are computed again in the backward pass.
            checkpoint(_block, *block, weight, bias, losses_of, use_reentrant=False, preserve_rng_state=False)
            for block in zip(_blocks(rows, weight), _blocks(labels, weight))
        ]
        losses, shares = (torch.cat(part).view(target.shape) for part in zip(*blocks))
        loss = reduce(losses, shares, reduction)
    result: Tensor = loss if torch.is_autocast_enabled(hidden.device.type) else loss.to(hidden.dtype)
    return result


def _blocks(rows: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
    return torch.split(rows, max(1, _BLOCK_ELEMENTS // weight.shape[0]))


def _block(
    hidden: Tensor, target: Tensor, weight: Tensor, bias: Tensor | None, losses_of: Losses
) -> tuple[Tensor, Tensor]:
    return losses_of(F.linear(hidden, weight, bias), target)


class _GradientInForward(torch.autograd.Function):
    """Sum of the losses and of the shares; the gradient of a sum is known before its upstream gradient is."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, losses_of: Losses
    ) -> tuple[Tensor, Tensor]:
        total, share, ctx.gradients = _sums_and_gradients(hidden, weight, bias, target, losses_of)
        ctx.save_for_backward(hidden, weight, bias, target)
        ctx.losses_of = losses_of
        ctx.mark_non_differentiable(share)
        return total, share

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, target = ctx.saved_tensors
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            # The first backward pass gave them away, because a copy would be as large as the layer.
            gradients = _sums_and_gradients(hidden, weight, bias, target, ctx.losses_of)[2]
        scaled = [
            None if gradient is None else gradient.mul_(upstream).to(x.dtype)
            for x, gradient in zip((hidden, weight, bias), gradients)
        ]
        return *scaled, None, None


def _sums_and_gradients(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, losses_of: Losses
) -> tuple[Tensor, Tensor, list[Tensor | None]]:
    dtype = torch.promote_types(weight.dtype, torch.float32)
    total, share = hidden.new_zeros(2, dtype=dtype).unbind()
    hidden_gradient, weight_gradient = torch.empty_like(hidden), torch.zeros_like(weight, dtype=dtype)
    bias_gradient = None if bias is None else torch.zeros_like(bias, dtype=dtype)
    for rows, labels, gradient in zip(*(_blocks(x, weight) for x in (hidden, target, hidden_gradient))):
        block_total, block_share, slope = _sums_and_slope(rows, weight, bias, labels, losses_of)
        total += block_total
        share += block_share
        with torch.autocast(hidden.device.type, enabled=False):
            gradient.copy_(slope.to(weight.dtype) @ weight)
            weight_gradient.addmm_(slope.T.to(dtype), rows.to(dtype))
            if bias_gradient is not None:
                bias_gradient += slope.sum(0)
        del slope  # before the next block allocates its logits
    return total, share, [hidden_gradient, weight_gradient, bias_gradient]


def _sums_and_slope(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, losses_of: Losses
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the sums of the losses and of the shares of one block, and the gradient of the former."""
    logits = F.linear(hidden, weight, bias).requires_grad_()
    with torch.enable_grad():
        losses, shares = losses_of(logits, target)
        total = losses.sum()
    (slope,) = torch.autograd.grad(total, logits)
    return total.detach(), shares.sum(), slope
