"""Similarities that need no ``c x c`` memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ._arguments import check_values, positive_integer, share
from ._checks import check_entries, check_square
from ._core import shape_error, value_error
from ._recursion import ordinal_product


class OrdinalSimilarity(nn.Module):
    r"""Similarity of ordered classes, never stored as a matrix.

    .. math:: S_{i,j} = r^{|i-j|}

    Args:
        num_classes: number of classes ``c``.
        reduction_factor: ``r`` in [0, 1); zero gives the identity, that is cross entropy.

    Raises:
        TypeError: an argument is no number.
        ValueError: no classes, or ``r`` outside [0, 1).

    Example:
        >>> OrdinalSimilarity(4, 0.5).to_dense()
        tensor([[1.0000, 0.5000, 0.2500, 0.1250],
                [0.5000, 1.0000, 0.5000, 0.2500],
                [0.2500, 0.5000, 1.0000, 0.5000],
                [0.1250, 0.2500, 0.5000, 1.0000]])

    Reference:
        Chapter 14, Eq. 14.10.
    """

    def __init__(self, num_classes: int, reduction_factor: float) -> None:
        super().__init__()
        self.num_classes = positive_integer("num_classes", num_classes)
        self.reduction_factor = share("reduction_factor", reduction_factor)

    def get_extra_state(self) -> Tensor:
        """Return what ``state_dict`` stores: the two numbers that define the similarity, in full precision."""
        return torch.tensor([self.num_classes, self.reduction_factor], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Take the reduction factor from a ``state_dict``."""
        num_classes, reduction_factor = state.tolist()
        if num_classes != self.num_classes:
            raise value_error("state_dict", f"an ordinal similarity of {self.num_classes} classes", int(num_classes))
        self.reduction_factor = reduction_factor

    def extra_repr(self) -> str:
        """Return the arguments, for ``repr``."""
        return f"num_classes={self.num_classes}, reduction_factor={self.reduction_factor}"

    def rows(self, target: Tensor) -> Tensor:
        """Return the rows of the matrix for class indices ``target``, shape ``(*target.shape, c)``."""
        distance = torch.arange(self.num_classes, device=target.device) - target.unsqueeze(-1)
        # The base as a tensor, because 0**0 must be 1.
        return torch.tensor(self.reduction_factor, device=target.device) ** distance.abs()

    def to_dense(self) -> Tensor:
        """Return the matrix, shape ``(c, c)``."""
        return self.rows(torch.arange(self.num_classes))

    @property
    def _entries(self) -> None:
        return None

    @property
    def _log_factor(self) -> float:
        # A finite stand-in for log 0, because minus infinity has no gradient.
        return math.log(self.reduction_factor) if self.reduction_factor else -1e30

    def _near_size(self, dtype: torch.dtype) -> int:
        # Beyond the reach, similarities are below the squared rounding error.
        reach = math.ceil(2 * math.log(torch.finfo(dtype).eps) / self._log_factor)
        return 2 * reach + 1 if 16 * (2 * reach + 1) <= self.num_classes else self.num_classes

    def _near_rows(self, target: Tensor, dtype: torch.dtype) -> tuple[Tensor | None, Tensor, float]:
        size = self._near_size(dtype)
        if size == self.num_classes:
            return None, self._all_rows(target, dtype), 0.0
        reach = size // 2
        distance = torch.arange(-reach, reach + 1, device=target.device)
        classes = target.unsqueeze(-1) + distance
        index = classes.clamp(0, self.num_classes - 1)
        values = torch.exp(self._log_factor * distance.abs().to(dtype)) * (classes == index)
        return index, values, self.reduction_factor ** (reach + 1)

    def _all_rows(self, target: Tensor, dtype: torch.dtype) -> Tensor:
        return self._windows(target, torch.exp(self._log_vector(target, dtype)))

    def _log_rows(self, target: Tensor, dtype: torch.dtype) -> tuple[None, Tensor, None]:
        return None, self._windows(target, self._log_vector(target, dtype)), None

    def _log_vector(self, target: Tensor, dtype: torch.dtype) -> Tensor:
        distance = torch.arange(1 - self.num_classes, self.num_classes, device=target.device)
        return self._log_factor * distance.abs().to(dtype)

    def _windows(self, target: Tensor, vector: Tensor) -> Tensor:
        # Row y of the matrix is a window of one vector, so all rows are views of it.
        return vector.unfold(0, self.num_classes, 1).index_select(0, self.num_classes - 1 - target)

    def _product(self, probabilities: Tensor) -> Tensor:
        r = self.reduction_factor
        return ordinal_product(probabilities, lambda far, steps, near: far * r**steps + near, 0.0)

    def _log_product(self, log_probabilities: Tensor) -> Tensor:
        log_r = self._log_factor

        def add(far: Tensor, steps: Tensor | int, near: Tensor) -> Tensor:
            # Not logaddexp, whose second derivative is NaN beside minus infinity.
            return torch.logsumexp(torch.stack(torch.broadcast_tensors(far + steps * log_r, near)), 0)

        return ordinal_product(log_probabilities, add, -math.inf)


class SparseSimilarity(nn.Module):
    """Similarity that is zero except for ``k`` neighbours of each class.

    Args:
        indices: the neighbours of each class, the class itself included, shape ``(c, k)``. Rows with fewer
            neighbours are filled up with any class at value zero.
        values: their similarities in [0, 1], shape ``(c, k)``.

    Raises:
        ValueError: an index outside ``0..c-1``, an entry outside [0, 1] or a row without a positive entry.

    Example:
        >>> indices = torch.tensor([[0, 1], [1, 0], [2, 2]])
        >>> similarity = SparseSimilarity(indices, torch.tensor([[1, 0.5], [1, 0.5], [1, 0]]))
        >>> similarity.to_dense()
        tensor([[1.0000, 0.5000, 0.0000],
                [0.5000, 1.0000, 0.0000],
                [0.0000, 0.0000, 1.0000]])

    Reference:
        Chapter 14, Eq. 14.2 with a matrix that is mostly zero, such as after Eq. 14.11.
    """

    indices: Tensor
    values: Tensor

    def __init__(self, indices: Tensor, values: Tensor) -> None:
        super().__init__()
        for name, tensor in (("indices", indices), ("values", values)):
            check_values(name, tensor, "a tensor (c, k)")
        if indices.ndim != 2 or indices.shape != values.shape or not indices.numel():
            raise shape_error("values", "indices and values (c, k)", {"indices": indices.shape, "values": values.shape})
        low, high = indices.min().item(), indices.max().item()
        if low < 0 or high >= len(indices):
            raise value_error("indices", f"classes 0..{len(indices) - 1}", f"{low}..{high}")
        check_entries("values", values)
        self.register_buffer("indices", indices.long())
        self.register_buffer("values", values)

    @classmethod
    def from_dense(cls, similarity: Tensor, *, top_k: int | None = None) -> SparseSimilarity:
        """Keep the ``top_k`` largest entries of each row of ``similarity`` ``(c, c)``; by default all but zeros.

        Example:
            >>> SparseSimilarity.from_dense(OrdinalSimilarity(5, 0.5).to_dense(), top_k=3).values[2]
            tensor([1.0000, 0.5000, 0.5000])
        """
        check_square(similarity)
        check_entries("similarity", similarity)
        if similarity.dtype == torch.bool:
            raise value_error("similarity", "numbers", str(similarity.dtype))
        if top_k is None:
            top_k = max(1, int(similarity.count_nonzero(-1).max()))
        if positive_integer("top_k", top_k) > len(similarity):
            raise value_error("top_k", f"1..{len(similarity)}, the number of classes", top_k)
        values, indices = similarity.topk(top_k, dim=-1)
        return cls(indices, values)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.indices.shape[0]

    def extra_repr(self) -> str:
        """Return the sizes, for ``repr``."""
        return f"num_classes={self.num_classes}, neighbours={self.indices.shape[1]}"

    def rows(self, target: Tensor) -> Tensor:
        """Return the rows of the matrix for class indices ``target``, shape ``(*target.shape, c)``."""
        zeros = self.values.new_zeros(*target.shape, self.num_classes)
        return zeros.scatter_add(-1, self.indices[target], self.values[target])

    def to_dense(self) -> Tensor:
        """Return the matrix, shape ``(c, c)``."""
        return self.rows(torch.arange(self.num_classes, device=self.indices.device))

    @property
    def _entries(self) -> Tensor:
        return self.values

    def _near_size(self, dtype: torch.dtype) -> int:  # noqa: ARG002
        return self.indices.shape[1]

    def _near_rows(self, target: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, float]:
        return self.indices.index_select(0, target), self.values.index_select(0, target).to(dtype), 0.0

    def _all_rows(self, target: Tensor, dtype: torch.dtype) -> Tensor:
        return self.rows(target).to(dtype)

    def _log_rows(self, target: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, None]:
        return self.indices.index_select(0, target), self.values.index_select(0, target).to(dtype).log(), None

    def _product(self, probabilities: Tensor) -> Tensor:
        return (probabilities[..., self.indices] * self.values.to(probabilities.dtype)).sum(-1)

    def _log_product(self, log_probabilities: Tensor) -> Tensor:
        near = log_probabilities[..., self.indices] + self.values.to(log_probabilities.dtype).log()
        return torch.logsumexp(near, -1)


AnySimilarity = Tensor | OrdinalSimilarity | SparseSimilarity
