"""The metrics of aesthetics assessment as ``torchmetrics.Metric`` (extra ``metrics``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from ._arrays import as_number, dense
from ._core import import_extra, shape_error
from ._evaluate import check_options, statistics_of
from ._statistics import interval

if TYPE_CHECKING:
    from torchmetrics import Metric
    from torchmetrics.utilities import dim_zero_cat
else:
    Metric = import_extra("torchmetrics", package="clip-aesthetics", extra="metrics").Metric
    dim_zero_cat = import_extra("torchmetrics.utilities", package="clip-aesthetics", extra="metrics").dim_zero_cat


class _RatingMetric(Metric):
    """A metric of predicted and true ratings, and its bootstrap interval.

    ``compute`` returns a mapping with the value and its bounds, ``"..._low"`` and ``"..._high"``. A correlation is NaN
    where the predictions or the ratings are all the same.

    Args:
        threshold: an image is aesthetic when its rating is at least this.
        n_resamples: number of bootstrap resamples.
        confidence: of the interval.
        seed: of the resamples.
        **kwargs: options of ``torchmetrics.Metric``.
    """

    is_differentiable = False
    full_state_update = False
    name: ClassVar[str]
    predicted: list[Tensor]
    ratings: list[Tensor]
    aesthetic: list[Tensor]

    def __init__(
        self,
        *,
        threshold: float = 5.0,
        n_resamples: int = 1000,
        confidence: float = 0.95,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_options(n_resamples, confidence, seed)
        self.threshold = as_number("threshold", threshold)
        self.n_resamples, self.confidence, self.seed = n_resamples, confidence, seed
        for state in ("predicted", "ratings", "aesthetic"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def update(self, predicted: Tensor, ratings: Tensor, aesthetic: Tensor | None = None) -> None:
        """Add a batch.

        Args:
            predicted: ``(batch,)`` scores.
            ratings: ``(batch,)`` mean ratings.
            aesthetic: ``(batch,)`` binary predictions, where they are not those of ``predicted >= threshold``.
        """
        predicted, ratings = dense("predicted", predicted), dense("ratings", ratings)
        aesthetic = predicted >= self.threshold if aesthetic is None else dense("aesthetic", aesthetic)
        if predicted.ndim != 1 or not predicted.shape == ratings.shape == aesthetic.shape:
            shapes = {"predicted": predicted.shape, "ratings": ratings.shape, "aesthetic": aesthetic.shape}
            raise shape_error("predicted", "(batch,), as ratings and aesthetic", shapes)
        self.predicted.append(predicted.detach().float())
        self.ratings.append(ratings.detach().float())
        self.aesthetic.append(aesthetic.detach().bool())

    def compute(self) -> dict[str, Tensor]:
        """Return the value and the bounds of its interval."""
        predicted, truth, aesthetic = (
            dim_zero_cat(state).cpu() for state in (self.predicted, self.ratings, self.aesthetic)
        )
        statistic = statistics_of(predicted, aesthetic, truth, truth >= self.threshold)[self.name]
        value = statistic(torch.ones(1, len(truth), dtype=torch.float64))
        bounds = interval(statistic, len(truth), count=self.n_resamples, confidence=self.confidence, seed=self.seed)
        names = self.name, f"{self.name}_low", f"{self.name}_high"
        return {name: number.float().to(self.device) for name, number in zip(names, torch.cat([value, bounds]))}


class RatingAccuracy(_RatingMetric):
    """Share of images on the right side of the threshold, with its bootstrap interval.

    Example:
        >>> metric = RatingAccuracy()
        >>> metric.update(torch.tensor([6.0, 4.0, 7.0]), torch.tensor([5.5, 5.5, 8.0]))
        >>> metric.compute()["accuracy"]
        tensor(0.6667)

    Reference:
        Chapter 12, Table 12.1.
    """

    higher_is_better = True
    name = "accuracy"


class RatingSpearman(_RatingMetric):
    """Rank correlation of scores and ratings, with its bootstrap interval.

    Example:
        >>> metric = RatingSpearman()
        >>> metric.update(torch.tensor([0.1, 0.2, 0.4]), torch.tensor([5.0, 4.0, 6.0]))
        >>> metric.compute()["spearman"]
        tensor(0.5000)

    Reference:
        Chapter 12, Table 12.1.
    """

    higher_is_better = True
    name = "spearman"


class RatingPearson(_RatingMetric):
    """Linear correlation of scores and ratings, with its bootstrap interval.

    Example:
        >>> metric = RatingPearson()
        >>> metric.update(torch.tensor([0.1, 0.2, 0.4]), torch.tensor([5.0, 4.0, 6.0]))
        >>> metric.compute()["pearson"]
        tensor(0.6547)

    Reference:
        Chapter 12, Table 12.1.
    """

    higher_is_better = True
    name = "pearson"


class RatingMAE(_RatingMetric):
    """Mean absolute error of predicted ratings, with its bootstrap interval.

    Example:
        >>> metric = RatingMAE()
        >>> metric.update(torch.tensor([6.0, 4.0]), torch.tensor([5.5, 5.0]))
        >>> metric.compute()["mae"]
        tensor(0.7500)

    Reference:
        Chapter 3, Section 3.2.
    """

    higher_is_better = False
    name = "mae"
