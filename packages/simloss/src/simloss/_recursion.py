"""The product of an ordinal similarity with many vectors, by two linear recursions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Combine = Callable[[Tensor, "Tensor | int", Tensor], Tensor]


def ordinal_product(values: Tensor, combine: Combine, empty: float) -> Tensor:
    """Combine each entry with all others, weighted by their distance along the last dimension.

    Args:
        values: shape ``(..., c)``.
        combine: ``combine(far, steps, near)`` adds what was gathered ``steps`` classes away to what is near.
        empty: the neutral element of ``combine``.

    Returns:
        Tensor of shape ``(..., c)``.
    """
    upward = _recursion(values, combine, empty)
    downward = _recursion(values.flip(-1), combine, empty).flip(-1)
    # One step down, so that a class does not count itself twice.
    above = torch.cat([downward[..., 1:], torch.full_like(downward[..., :1], empty)], -1)
    return combine(above, 1, upward)


def _recursion(values: Tensor, combine: Combine, empty: float) -> Tensor:
    # Blocks of sqrt(c) classes: all blocks at once first, then the carry from block to block.
    num_classes = values.shape[-1]
    width = int(num_classes**0.5) + 1
    blocks = F.pad(values, (0, -num_classes % width), value=empty).unflatten(-1, (-1, width))
    within: list[Tensor] = []
    for column in blocks.unbind(-1):
        within.append(combine(within[-1], 1, column) if within else column)
    carry = [torch.full_like(blocks[..., 0, 0], empty)]
    for end in within[-1].unbind(-1)[:-1]:
        carry.append(combine(carry[-1], width, end))
    steps = torch.arange(1, width + 1, device=values.device)
    joined = combine(torch.stack(carry, -1).unsqueeze(-1), steps, torch.stack(within, -1))
    return joined.flatten(-2)[..., :num_classes]
