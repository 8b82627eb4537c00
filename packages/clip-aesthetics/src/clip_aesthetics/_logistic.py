"""Logistic regression with a ridge penalty, by Newton's method."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ._solution import Solution, check_folds

_STEPS, _TOLERANCE = 100, 1e-8


def fit(features: Tensor, labels: Tensor, fold: Tensor, alphas: Tensor) -> Solution:
    """Return the solution of the strength with the least log loss on left-out folds.

    Args:
        features: ``(n, d)``; they are standardised here, so that the penalty treats all alike.
        labels: ``(n,)`` of 0 and 1, both present.
        fold: ``(n,)`` fold of each row.
        alphas: strengths to choose from.
    """
    check_folds(fold.unique())
    mean, deviation = features.mean(0), features.std(0, correction=0)
    scale = torch.where(deviation > 0, deviation, 1.0)
    rows = (features - mean) / scale
    losses = torch.zeros(len(alphas), dtype=torch.float64)
    # From strong to weak: each solution is a good start for the next.
    order = alphas.argsort(descending=True).tolist()
    for left_out in fold.unique():
        train, start = fold != left_out, None
        for index in order:
            start = solve(rows[train], labels[train], alphas[index].item(), start=start)
            logits = rows[~train] @ start[:-1] + start[-1]
            losses[index] += F.binary_cross_entropy_with_logits(logits, labels[~train], reduction="sum")
    alpha = alphas[losses.argmin()].item()
    solution = solve(rows, labels, alpha)
    coef = solution[:-1] / scale
    return Solution(coef, (solution[-1] - coef @ mean).item(), deviation, alpha, losses / len(labels))


def solve(features: Tensor, labels: Tensor, alpha: float, *, start: Tensor | None = None) -> Tensor:
    """Return the weights and, last, the intercept ``(d + 1,)`` that minimise log loss plus penalty.

    Args:
        features: ``(n, d)`` standardised features, double precision.
        labels: ``(n,)`` of 0 and 1, both present.
        alpha: strength, ``alpha / 2`` times the squared length of the weights beside the mean log loss.
        start: where to begin.
    """
    rows = F.pad(features, (0, 1), value=1.0)
    penalty = torch.full((rows.shape[1],), alpha, dtype=torch.float64)
    penalty[-1] = 0
    solution = torch.zeros(rows.shape[1], dtype=torch.float64) if start is None else start

    def objective(weights: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(rows @ weights, labels) + (penalty * weights * weights).sum() / 2

    value = objective(solution)
    for _ in range(_STEPS):
        probability = torch.sigmoid(rows @ solution)
        gradient = rows.T @ (probability - labels) / len(labels) + penalty * solution
        curvature = (rows * (probability * (1 - probability))[:, None]).T @ rows / len(labels)
        # The intercept alone has no penalty; where every probability is sure, its curvature would vanish.
        step = torch.linalg.solve(curvature + torch.diag(penalty.clamp_min(1e-12)), gradient)
        size = 1.0
        while (candidate := objective(solution - size * step)) > value and size > 1e-6:
            size /= 2
        solution, value = solution - size * step, torch.minimum(candidate, value)
        if step.abs().max() < _TOLERANCE:
            break
    return solution
