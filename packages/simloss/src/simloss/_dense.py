"""A similarity matrix behind the same methods as the structured similarities."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ._checks import check_square
from ._structured import AnySimilarity, OrdinalSimilarity, SparseSimilarity


class DenseSimilarity:
    """The matrix ``(c, c)`` that the user gave."""

    def __init__(self, matrix: Tensor) -> None:
        check_square(matrix)
        self.matrix = matrix

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.matrix.shape[0]

    @property
    def _entries(self) -> Tensor:
        return self.matrix

    def _near_size(self, dtype: torch.dtype) -> int:  # noqa: ARG002
        return self.num_classes

    def _near_rows(self, target: Tensor, dtype: torch.dtype) -> tuple[None, Tensor, float]:
        return None, self._all_rows(target, dtype), 0.0

    def _all_rows(self, target: Tensor, dtype: torch.dtype) -> Tensor:
        return self.matrix.index_select(0, target).to(dtype)

    def _log_rows(self, target: Tensor, dtype: torch.dtype) -> tuple[None, Tensor, Tensor]:
        rows = self._all_rows(target, dtype)
        return None, _log_support(rows), rows

    def _product(self, probabilities: Tensor) -> Tensor:
        return probabilities @ self.matrix.to(probabilities.dtype).T

    def _log_product(self, log_probabilities: Tensor) -> Tensor:
        matrix = self.matrix.to(log_probabilities.dtype)
        if torch.compiler.is_compiling():
            return torch.logsumexp(log_probabilities.unsqueeze(-2) + _log(matrix), -1)
        rows: Tensor = _LogProduct.apply(log_probabilities.reshape(-1, self.num_classes), matrix)
        return rows.view(log_probabilities.shape)


Similarity = DenseSimilarity | OrdinalSimilarity | SparseSimilarity


def as_similarity(similarity: AnySimilarity) -> Similarity:
    """Return a structured similarity as it is and a matrix behind the same methods."""
    # A tuple and no union, which the compiler of torch 2.4 cannot trace.
    return similarity if isinstance(similarity, (OrdinalSimilarity, SparseSimilarity)) else DenseSimilarity(similarity)


def _log(similarity: Tensor) -> Tensor:
    # Never log 0, which is slow on CPUs.
    return F.threshold(similarity, 0.0, 1.0).log() + _log_support(similarity)


def _log_support(similarity: Tensor) -> Tensor:
    """Return minus infinity where the similarity is zero, and zero elsewhere."""
    # Comparing and masking take five times as long on CPUs.
    return F.threshold(similarity, 0.0, -math.inf).clamp_max_(0.0)


class _LogProduct(torch.autograd.Function):
    """``log(S p)`` for all classes: a matrix product, and log space for the pairs that underflow in it."""

    @staticmethod
    def forward(log_probabilities: Tensor, matrix: Tensor) -> Tensor:
        product = log_probabilities.softmax(-1) @ matrix.T
        result = product.log()
        for row, column in _lost_pairs(product):
            result[row, column] = torch.logsumexp(log_probabilities[row] + _log(matrix[column]), -1)
        return result

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:  # noqa: ARG004
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        log_probabilities, matrix = ctx.saved_tensors
        if torch.is_grad_enabled():
            shares = (log_probabilities.unsqueeze(-2) + _log(matrix)).softmax(-1)
            return (upstream.unsqueeze(-1) * shares).sum(-2), None
        probabilities = log_probabilities.softmax(-1)
        product = probabilities @ matrix.T
        ratio = upstream / product
        pairs = _lost_pairs(product)
        for row, column in pairs:
            ratio[row, column] = 0
        gradient = probabilities * (ratio @ matrix)
        for row, column in pairs:
            shares = (log_probabilities[row] + _log(matrix[column])).softmax(-1)
            gradient.index_add_(0, row, shares * upstream[row, column].unsqueeze(-1))
        return gradient, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None], log_probabilities: Tensor, matrix: Tensor) -> tuple[Tensor, int]:  # noqa: ARG004
        # More examples are more rows.
        rows = log_probabilities.movedim(in_dims[0], 0)
        return _LogProduct.apply(rows.flatten(0, 1), matrix).unflatten(0, rows.shape[:2]), 0


def _lost_pairs(product: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return blocks of (row, column) at which ``product`` is lost to underflow."""
    lost = (product < torch.finfo(product.dtype).tiny ** 0.5).nonzero()
    size = max(1, 2**22 // product.shape[1])
    return [(pairs[:, 0], pairs[:, 1]) for pairs in lost.split(size)] if len(lost) else []
