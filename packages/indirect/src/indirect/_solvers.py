"""Two minimisers of the reconstruction loss, each for a batch of notions at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ._objective import reconstruction_loss

_MEMORY = 6
_TOLERANCE = 3e-5


@dataclass
class Solution:
    """The best components ``(b, r', r)``, and for each notion its loss in each iteration until it stopped."""

    components: Tensor
    curves: list[list[float]]


def adam(texts: Tensor, start: Tensor, weights: Tensor, *, lr: float, patience: int, max_iter: int) -> Solution:
    """Full-batch Adam until the loss has not improved for ``patience`` iterations, as published.

    A notion that has stopped keeps its best components, while the others go on.
    """
    components = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([components], lr=lr)
    best = start.clone()
    best_loss = start.new_full((len(start),), torch.inf)
    waited = torch.zeros(len(start), dtype=torch.int64, device=start.device)
    losses = []
    for _ in range(max_iter):
        loss = reconstruction_loss(texts, components, weights)
        running = waited < patience
        improved = (loss.detach() < best_loss) & running
        best_loss = torch.where(improved, loss.detach(), best_loss)
        best = torch.where(improved[:, None, None], components.detach(), best)
        losses.append(torch.where(running, loss.detach(), torch.nan))
        waited = torch.where(improved, 0, waited + 1)
        if not (waited < patience).any():
            break
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return Solution(best, _curves(losses))


def lbfgs(texts: Tensor, start: Tensor, weights: Tensor, scales: Tensor, *, max_iter: int) -> Solution:
    """Limited-memory BFGS with backtracking over ``components * scales``, whose loss never rises.

    The scales ``(b, 1, r)`` make all columns about equally important. A notion stops when six iterations have not
    lowered its loss by three parts in 100,000, and then stays as it is.
    """

    def evaluate(scaled: Tensor) -> tuple[Tensor, Tensor]:
        scaled = scaled.detach().requires_grad_()
        loss = reconstruction_loss(texts, scaled / scales, weights)
        (gradient,) = torch.autograd.grad(loss.sum(), scaled)
        return loss.detach(), gradient

    components = start * scales
    loss, gradient = evaluate(components)
    # The loss does not change with the length of U, so a first step of a tenth of that length is a safe one.
    scale = 0.1 * _norm(components) / _norm(gradient).clamp_min(torch.finfo(start.dtype).tiny)
    history: list[tuple[Tensor, Tensor, Tensor]] = []
    running = torch.ones_like(loss, dtype=torch.bool)
    losses = [loss]
    while len(losses) < max_iter and running.any():
        direction = -_inverse_hessian_product(gradient, history, scale)
        slope = _dot(direction, gradient)
        downhill = slope < 0
        direction = torch.where(downhill, direction, -scale * gradient)
        slope = torch.where(downhill, slope, -scale * _dot(gradient, gradient))
        step = running[:, None, None].to(start.dtype)
        for _ in range(20):
            candidate = components + step * direction
            new_loss, new_gradient = evaluate(candidate)
            accepted = (new_loss[:, None, None] <= loss[:, None, None] + 1e-4 * step * slope) & (step > 0)
            if (accepted[:, 0, 0] | ~running).all():
                break
            step = torch.where(accepted, step, step / 4)
        # Without an acceptable step a notion stays where it is.
        candidate = torch.where(accepted, candidate, components)
        new_gradient = torch.where(accepted, new_gradient, gradient)
        loss = torch.where(accepted[:, 0, 0], new_loss, loss)
        moved, bent = candidate - components, new_gradient - gradient
        curvature, length = _dot(moved, bent), _dot(bent, bent)
        # Only a positive curvature keeps the approximation positive definite; others enter with weight zero.
        useful = curvature > torch.finfo(start.dtype).eps * length
        history = [*history, (moved, bent, torch.where(useful, 1 / curvature, 0))][-_MEMORY:]
        scale = torch.where(useful, curvature / length, scale)
        components, gradient = candidate, new_gradient
        losses.append(torch.where(running, loss, torch.nan))
        if len(losses) > _MEMORY:
            running = running & (losses[-1 - _MEMORY] - loss > _TOLERANCE * loss)
    return Solution(components / scales, _curves(losses))


def _inverse_hessian_product(gradient: Tensor, history: list[tuple[Tensor, Tensor, Tensor]], scale: Tensor) -> Tensor:
    """Return the two-loop recursion of L-BFGS (Nocedal and Wright, algorithm 7.4)."""
    product, factors = gradient, []
    for moved, bent, inverse in reversed(history):
        factor = inverse * _dot(moved, product)
        product = product - factor * bent
        factors.append(factor)
    product = scale * product
    for (moved, bent, inverse), factor in zip(history, reversed(factors)):
        product = product + (factor - inverse * _dot(bent, product)) * moved
    return product


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).sum((1, 2), keepdim=True)


def _norm(tensor: Tensor) -> Tensor:
    return _dot(tensor, tensor).sqrt()


def _curves(losses: list[Tensor]) -> list[list[float]]:
    rows = torch.stack(losses, dim=1).cpu()
    return [row[row.isfinite()].tolist() for row in rows]
