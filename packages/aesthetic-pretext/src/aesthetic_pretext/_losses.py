"""The losses as modules, which only keep their options."""

from __future__ import annotations

from torch import Tensor, nn

from . import functional
from ._checks import number
from ._loss_rows import Reduction, check_reduction


class _Loss(nn.Module):
    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        check_reduction(reduction)
        self.reduction: Reduction = reduction


class RankingLoss(_Loss):
    """Module form of `functional.ranking_loss`.

    Args:
        margin: desired difference between the scores of two levels.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import torch
        >>> levels, groups = torch.tensor([0, 1, 2]), torch.tensor([-1, 6, 6])
        >>> RankingLoss(margin=0.5)(torch.ones(3), levels, groups, reference=torch.tensor([0, 0, 0]))
        tensor(1.5000)
    """

    def __init__(self, margin: float = 0.2, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = number("margin", margin, 0)

    def forward(self, scores: Tensor, levels: Tensor, groups: Tensor, *, reference: Tensor) -> Tensor:
        """Return the loss of ``(n,)`` scores."""
        return functional.ranking_loss(
            scores, levels, groups, reference=reference, margin=self.margin, reduction=self.reduction
        )


class DistortionClassificationLoss(_Loss):
    """Module form of `functional.distortion_classification_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import torch
        >>> DistortionClassificationLoss("sum")(torch.zeros(1, 21), torch.tensor([5]), torch.tensor([0])).exp()
        tensor(6.)
    """

    def forward(self, logits: Tensor, levels: Tensor, groups: Tensor) -> Tensor:
        """Return the loss of ``(n, 21)`` logits."""
        return functional.distortion_classification_loss(logits, levels, groups, reduction=self.reduction)


class IntensityRegressionLoss(_Loss):
    """Module form of `functional.intensity_regression_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import torch
        >>> levels, groups = torch.tensor([0, 5]), torch.tensor([-1, 6])
        >>> IntensityRegressionLoss()(torch.zeros(2, 21), levels, groups, reference=torch.tensor([0, 0]))
        tensor(1.)
    """

    def forward(self, predictions: Tensor, levels: Tensor, groups: Tensor, *, reference: Tensor) -> Tensor:
        """Return the loss of ``(n, 21)`` predicted intensities."""
        return functional.intensity_regression_loss(
            predictions, levels, groups, reference=reference, reduction=self.reduction
        )
