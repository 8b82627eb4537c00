"""Ridge regression from sufficient statistics, its strength chosen by cross-validation in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ._moments import Moments, total
from ._solution import Solution, check_folds


def fit(folds: Sequence[Moments], alphas: Tensor) -> Solution:
    """Return the solution of the strength with the least mean squared error on left-out folds.

    Each fold is left out once. Its error follows from its moments alone, so that no row is needed again.
    """
    check_folds(folds)
    errors = torch.zeros(len(alphas), dtype=torch.float64)
    for left_out, fold in enumerate(folds):
        train = total(moments for index, moments in enumerate(folds) if index != left_out)
        errors += _squared_errors(fold, *_solutions(train, alphas))
    best, moments = errors.argmin(), total(folds)
    weights, intercepts = _solutions(moments, alphas[best, None])
    cv_loss = errors / moments.n
    return Solution(weights[0], intercepts.item(), moments.deviation, alphas[best].item(), cv_loss)


def _solutions(moments: Moments, alphas: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights ``(a, d)`` and intercepts ``(a,)``; one eigendecomposition serves all strengths."""
    scatter, cross = moments.comoment[:-1, :-1], moments.comoment[:-1, -1]
    eigenvalues, vectors = torch.linalg.eigh(scatter)
    eigenvalues = eigenvalues.clamp_min(0)
    # The strength is a multiple of the mean eigenvalue, so that neither the scale nor the number of rows matters.
    damped = eigenvalues + alphas[:, None] * eigenvalues.mean()
    damped = damped.clamp_min(torch.finfo(damped.dtype).tiny)  # constant features have neither scatter nor cross terms
    weights = ((vectors.T @ cross) / damped) @ vectors.T
    return weights, moments.mean[-1] - weights @ moments.mean[:-1]


def _squared_errors(fold: Moments, weights: Tensor, intercepts: Tensor) -> Tensor:
    """Return the sum of squared errors on a fold for each row of weights."""
    # With v = (-w, 1), the error of a row is v z - b: its deviations give v C v, its mean the rest.
    v = torch.cat([-weights, torch.ones(len(weights), 1, dtype=torch.float64)], dim=1)
    return ((v @ fold.comoment) * v).sum(1) + fold.n * (v @ fold.mean - intercepts) ** 2
