"""The losses as modules that hold the similarity."""

from __future__ import annotations

from torch import Tensor, nn

from ._checks import check_entries, check_square
from ._linear import linear_sim_loss
from ._loss import sim_loss
from ._structured import AnySimilarity


class _SimilarityLoss(nn.Module):
    similarity: AnySimilarity
    weight: Tensor | None

    def __init__(
        self,
        similarity: AnySimilarity,
        *,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        if isinstance(similarity, nn.Module):
            self.similarity = similarity
        else:
            check_square(similarity)
            check_entries("similarity", similarity)
            self.register_buffer("similarity", similarity)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction = reduction
        self.label_smoothing = label_smoothing

    def extra_repr(self) -> str:
        """Return the options, for ``repr``."""
        return f"ignore_index={self.ignore_index}, reduction={self.reduction!r}, label_smoothing={self.label_smoothing}"


class SimLoss(_SimilarityLoss):
    r"""Cross entropy in which probability on similar classes counts as well.

    .. math:: L = -\log \sum_c S_{y,c} \, p_c

    A drop-in for :class:`torch.nn.CrossEntropyLoss`, which it equals when the similarity is the identity. The
    similarity and the weight are buffers: they move with ``.to()`` and are part of ``state_dict()``.

    Args:
        similarity: matrix ``(c, c)`` with entries in [0, 1] and a positive entry in every row, or a structured
            similarity. Rows that sum to one give the same gradients as rows with ones on the diagonal (Eq. 14.9).
        weight: rescaling weight of each class, shape ``(c)``.
        ignore_index: class index whose positions count neither in the sum nor in the mean.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: share of the target, in [0, 1], that is spread evenly over all classes.

    Raises:
        TypeError: a similarity that is no tensor.
        ValueError: a similarity that is not square, an entry outside [0, 1], or a row without a positive entry.

    Example:
        >>> import torch
        >>> from simloss import OrdinalSimilarity, SimLoss
        >>> loss = SimLoss(OrdinalSimilarity(4, 0.5))
        >>> logits = torch.tensor([[0.0, 0.0, 5.0, 0.0]])
        >>> loss(logits, torch.tensor([1])), loss(logits, torch.tensor([3]))
        (tensor(0.6899), tensor(0.6948))

    Reference:
        Chapter 14, Eq. 14.2; Kobs et al., "SimLoss: Class Similarities in Cross Entropy", ISMIS 2020.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of ``input`` for ``target``, as :func:`simloss.functional.sim_loss` does."""
        return sim_loss(
            input,
            target,
            self.similarity,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class LinearSimLoss(_SimilarityLoss):
    """SimLoss of a linear layer whose logits are never stored; arguments as in :class:`SimLoss`.

    Example:
        >>> import torch
        >>> from simloss import LinearSimLoss, OrdinalSimilarity
        >>> loss = LinearSimLoss(OrdinalSimilarity(3, 0.5))
        >>> weight = torch.tensor([[0.0, 1.0], [1.0, 0.0], [3.0, 0.0]])
        >>> loss(torch.tensor([[1.0, 0.0]]), weight, torch.tensor([1]))
        tensor(0.5850)

    Reference:
        Chapter 14, Eq. 14.2.
    """

    def forward(self, hidden: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return the loss of hidden ``(*, d)`` under class vectors ``weight`` ``(c, d)`` for ``target`` ``(*)``."""
        return linear_sim_loss(
            hidden,
            weight,
            target,
            self.similarity,
            bias=bias,
            class_weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
