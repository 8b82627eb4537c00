"""What can be done to a similarity matrix: a lower bound and a step towards cross entropy."""

from __future__ import annotations

import torch
from torch import Tensor

from ._arguments import share, square_matrix
from ._core import value_error


def lower_bounded_similarity(similarity: Tensor, lower_bound: float) -> Tensor:
    """Cut similarities below a bound and stretch the rest to ``[0, 1]``.

    ``S[i, j] = max(0, similarity[i, j] - lower_bound) / (1 - lower_bound)``; a negative similarity becomes 0. The
    higher the bound, the closer the loss is to cross entropy.

    Args:
        similarity: similarities ``(c, c)``, none of them above 1.
        lower_bound: similarity that becomes 0, in ``[0, 1)``.

    Returns:
        Similarities ``(c, c)`` in the dtype and on the device of ``similarity``.

    Raises:
        ValueError: ``similarity`` is not square, not finite or above 1, or the bound is out of its range.

    Example:
        >>> lower_bounded_similarity(torch.tensor([[1.0, 0.6], [-0.3, 1.0]]), 0.5)
        tensor([[1.0000, 0.2000],
                [0.0000, 1.0000]])

    Reference:
        Chapter 14, Eq. 14.11.
    """
    matrix = square_matrix("similarity", similarity)
    bound = share("lower_bound", lower_bound)
    # A cosine in half precision may exceed 1 by rounding; 10 instead of 1 is another scale.
    if matrix.max() > 1 + 4 * torch.finfo(matrix.dtype).eps:
        raise value_error("similarity", "values of at most 1", f"a maximum of {matrix.max().item():.6g}")
    return ((matrix - bound) / (1 - bound)).clamp(0, 1)


def blend_identity(similarity: Tensor, alpha: float) -> Tensor:
    """Move similarities towards cross entropy, so that the model keeps using all of its classes.

    ``alpha * I + (1 - alpha) * similarity``. A large reduction factor makes a model concentrate on few representative
    classes (see :func:`simloss.mean_distribution`); a parameter between SimLoss and cross entropy is the remedy
    that the thesis names.

    Args:
        similarity: similarities ``(c, c)``.
        alpha: share of the identity, in ``[0, 1]``: 0 returns ``similarity``, 1 gives cross entropy.

    Returns:
        Similarities ``(c, c)`` in the dtype and on the device of ``similarity``.

    Raises:
        ValueError: ``similarity`` is no finite square matrix, or ``alpha`` is out of its range.

    Example:
        >>> blend_identity(torch.tensor([[1.0, 0.6], [0.6, 1.0]]), 0.5)
        tensor([[1.0000, 0.3000],
                [0.3000, 1.0000]])

    Reference:
        Chapter 17, Section 17.1 (side effects of a loss function); the formula is ours.
    """
    matrix = square_matrix("similarity", similarity)
    alpha = share("alpha", alpha, closed=True)
    identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    return alpha * identity + (1 - alpha) * matrix
