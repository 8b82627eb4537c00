"""Similarity matrices from an order, from vectors or from a confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ._adjustments import lower_bounded_similarity
from ._arguments import floating_matrix, positive_integer, share, square_matrix
from ._core import value_error

if TYPE_CHECKING:
    from torch.types import Device


def ordinal_similarity(
    num_classes: int, reduction_factor: float, *, dtype: torch.dtype = torch.float32, device: Device = None
) -> Tensor:
    """Return the similarities of classes that have an order, such as ages or grades.

    ``S[i, j] = reduction_factor ** abs(i - j)``, with ``0 ** 0 = 1``: a factor of 0 gives the identity and thus
    cross entropy. :class:`simloss.OrdinalSimilarity` stands for the same matrix without storing it.

    Args:
        num_classes: number of classes ``c``, in their order.
        reduction_factor: similarity of two neighbouring classes, in ``[0, 1)``.
        dtype: dtype of the result.
        device: device of the result.

    Returns:
        Similarities ``(c, c)``.

    Raises:
        ValueError: an argument is out of its range.
        TypeError: an argument is no number.

    Example:
        >>> ordinal_similarity(3, 0.5)
        tensor([[1.0000, 0.5000, 0.2500],
                [0.5000, 1.0000, 0.5000],
                [0.2500, 0.5000, 1.0000]])

    Reference:
        Chapter 14, Eq. 14.10; Kobs et al., "SimLoss: Class Similarities in Cross Entropy", ISMIS 2020.
    """
    num_classes, factor = positive_integer("num_classes", num_classes), share("reduction_factor", reduction_factor)
    # Python's powers have double precision on every device; row i is a window of ..., r, 1, r, ...
    powers = torch.tensor([factor**distance for distance in range(num_classes)], dtype=dtype, device=device)
    return torch.cat([powers.flip(0), powers[1:]]).unfold(0, num_classes, 1).flip(0)


def embedding_similarity(
    vectors: Any, lower_bound: float = 0.0, *, dtype: torch.dtype = torch.float32, device: Device = None
) -> Tensor:
    """Return the cosine similarities of one vector per class, negative ones as 0.

    ``S[i, j] = max(0, cos(vectors[i], vectors[j]) - lower_bound) / (1 - lower_bound)``.

    Args:
        vectors: one vector per class, ``(c, d)``: a tensor or anything ``torch.tensor`` takes.
        lower_bound: cosine that becomes 0, in ``[0, 1)``; see :func:`lower_bounded_similarity`.
        dtype: dtype of the result.
        device: device of the result; that of ``vectors`` when ``None``.

    Returns:
        Similarities ``(c, c)`` with ones on the diagonal.

    Raises:
        ValueError: ``vectors`` is no finite matrix, or a row is zero and so has no direction.

    Example:
        >>> embedding_similarity([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
        tensor([[1.0000, 0.6000, 0.0000],
                [0.6000, 1.0000, 0.0000],
                [0.0000, 0.0000, 1.0000]])

    Reference:
        Chapter 14, Section 14.2.1 and Eq. 14.11.
    """
    cosine = cosine_matrix("vectors", floating_matrix("vectors", vectors, device=device))
    return lower_bounded_similarity(cosine, lower_bound).to(dtype)


def cosine_matrix(argument: str, vectors: Tensor) -> Tensor:
    """Return the cosine of every pair of rows of ``vectors`` in single precision or better, 1 on the diagonal."""
    vectors = vectors.to(torch.promote_types(vectors.dtype, torch.float32))
    largest = vectors.abs().amax(1, keepdim=True)
    zero = (largest == 0).flatten().nonzero().flatten().tolist()
    if zero:
        raise value_error(argument, "a direction in every row", f"only zeros in row {zero[0]} ({len(zero)} such rows)")
    # Divided by its largest entry no row overflows or underflows when it is squared.
    unit = torch.nn.functional.normalize(vectors / largest, dim=1)
    return (unit @ unit.T).clamp(-1, 1).fill_diagonal_(1)


def confusion_similarity(matrix: Any, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Tensor:
    """Return how alike a classifier treats two classes: the cosine of their rows in a confusion matrix.

    ``S[i, j] = sum_k M[i, k] M[j, k] / (norm(M[i]) norm(M[j]))``. It does not depend on how frequent a class is, is
    1 for two classes that get the same distribution of predictions and 0 for two that share none. Count
    the confusions on validation data: on training data a good model makes none.

    Args:
        matrix: counts or shares ``(c, c)``, true classes as rows as in scikit-learn and torchmetrics.
        dtype: dtype of the result.
        device: device of the result; that of ``matrix`` when ``None``.

    Returns:
        Symmetric similarities ``(c, c)`` with ones on the diagonal.

    Raises:
        ValueError: the matrix is not square, has a negative or non-finite entry, or a class has no examples.

    Example:
        >>> confusion_similarity([[8, 2, 0], [4, 4, 0], [0, 0, 5]])
        tensor([[1.0000, 0.8575, 0.0000],
                [0.8575, 1.0000, 0.0000],
                [0.0000, 0.0000, 1.0000]])

    Reference:
        Chapter 14, Section 14.1.2 leaves the measure open; this one is ours.
    """
    counts = square_matrix("matrix", matrix, device=device)
    if counts.min() < 0:
        raise value_error("matrix", "counts of at least 0", f"a minimum of {counts.min().item():g}")
    empty = (counts.sum(1) == 0).nonzero().flatten().tolist()
    if empty:
        raise value_error("matrix", "an example of every class", f"none in row {empty[0]} ({len(empty)} such rows)")
    return cosine_matrix("matrix", counts).to(dtype)
