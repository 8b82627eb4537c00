"""The metrics as ``torchmetrics.Metric``; needs the extra ``simloss[metrics]``."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor

from ._checks import check_entries, check_square
from ._core import import_extra
from ._structured import AnySimilarity
from ._superclass import Hits, hits, similarities, superclass_numbers

import_extra("torchmetrics", package="simloss", extra="metrics")
from torchmetrics import Metric  # noqa: E402 (after the error that names the extra)

__all__ = ["ExpectedSimilarity", "FailedSuperclassAccuracy", "SuperclassAccuracy"]


class SuperclassAccuracy(Metric):
    """Share of examples that are put into the right superclass, :func:`simloss.superclass_accuracy` over batches.

    Args:
        superclass: superclass of each class, ``(c,)``: a tensor, or a sequence of numbers or names.
        ignore_index: target of examples that do not count.
        **kwargs: options of ``torchmetrics.Metric``.

    Example:
        >>> metric = SuperclassAccuracy(["animal", "animal", "vehicle"])
        >>> metric.update(torch.tensor([0, 1]), torch.tensor([1, 1]))
        >>> metric.update(torch.tensor([2, 0]), torch.tensor([2, 2]))
        >>> metric.compute()
        tensor(0.7500)

    Reference:
        Chapter 2, Eq. 2.22.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    superclass: Tensor
    superclass_hits: Tensor
    class_hits: Tensor
    total: Tensor

    def __init__(self, superclass: Tensor | Sequence[Hashable], *, ignore_index: int = -100, **kwargs: Any) -> None:
        """Store the superclasses and start at zero."""
        super().__init__(**kwargs)
        self.register_buffer("superclass", superclass_numbers(superclass))
        self.ignore_index = ignore_index
        for name in ("superclass_hits", "class_hits", "total"):
            self.add_state(name, default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Count a batch: classes, logits or probabilities, as in :func:`simloss.superclass_accuracy`."""
        batch = hits(prediction, target, self.superclass, ignore_index=self.ignore_index)
        self.superclass_hits += batch.superclass
        self.class_hits += batch.exact
        self.total += batch.total

    def compute(self) -> Tensor:
        """Return the share over all batches and processes."""
        return self._hits().superclass_accuracy()

    def _hits(self) -> Hits:
        return Hits(self.superclass_hits, self.class_hits, self.total)


class FailedSuperclassAccuracy(SuperclassAccuracy):
    """Share of wrongly classified examples in the right superclass, :func:`simloss.failed_superclass_accuracy`.

    The arguments are those of :class:`SuperclassAccuracy`.

    Example:
        >>> metric = FailedSuperclassAccuracy(["animal", "animal", "vehicle"])
        >>> metric.update(torch.tensor([0, 1, 2]), torch.tensor([1, 1, 1]))
        >>> metric.compute()
        tensor(0.5000)

    Reference:
        Chapter 2, Eq. 2.23.
    """

    def compute(self) -> Tensor:
        """Return the share over all batches and processes."""
        return self._hits().failed_superclass_accuracy()


class ExpectedSimilarity(Metric):
    """Mean similarity of what is predicted to the true class, :func:`simloss.expected_similarity` over batches.

    Args:
        similarity: similarities ``(c, c)``, :class:`simloss.OrdinalSimilarity` or :class:`simloss.SparseSimilarity`.
        ignore_index: target of examples that do not count.
        **kwargs: options of ``torchmetrics.Metric``.

    Example:
        >>> metric = ExpectedSimilarity(torch.tensor([[1.0, 0.5], [0.5, 1.0]]))
        >>> metric.update(torch.tensor([0, 1]), torch.tensor([0, 0]))
        >>> metric.update(torch.tensor([[0.8, 0.2]]), torch.tensor([0]))
        >>> metric.compute()
        tensor(0.8000)

    Reference:
        Chapter 14, the argument of the logarithm in Eq. 14.2.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    similarity: AnySimilarity
    similarity_sum: Tensor
    total: Tensor

    def __init__(self, similarity: AnySimilarity, *, ignore_index: int = -100, **kwargs: Any) -> None:
        """Store the similarity and start at zero."""
        super().__init__(**kwargs)
        if isinstance(similarity, Tensor):
            check_square(similarity)
            check_entries("similarity", similarity)
            self.register_buffer("similarity", similarity)
        else:
            self.similarity = similarity
        self.ignore_index = ignore_index
        self.add_state("similarity_sum", default=torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("total", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Count a batch: classes or probabilities, as in :func:`simloss.expected_similarity`."""
        values = similarities(prediction, target, self.similarity, ignore_index=self.ignore_index)
        self.similarity_sum += values.sum()
        self.total += len(values)

    def compute(self) -> Tensor:
        """Return the mean over all batches and processes."""
        return self.similarity_sum / self.total
