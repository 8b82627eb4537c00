"""The table of methods: accuracy, correlations and error, with bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

from ._arrays import Array, as_number, as_vector
from ._core import shape_error, type_error, value_error
from ._scores import AestheticScores
from ._statistics import interval, pearson, spearman

METRICS = ("accuracy", "spearman", "pearson", "mae")
_MAJORITY = "majority baseline"


class Estimate(NamedTuple):
    """A value and the bounds of its bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the value with its interval."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Evaluation:
    """What :func:`evaluate` found.

    Attributes:
        rows: for each method, and first the majority baseline, a mapping from ``"accuracy"``, ``"spearman"``,
            ``"pearson"`` and ``"mae"`` to an estimate, or to ``None`` where the metric is not defined.
        n: number of images.
        confidence: of the intervals.
    """

    rows: Mapping[str, Mapping[str, Estimate | None]]
    n: int
    confidence: float

    def __str__(self) -> str:
        """Return the table as text."""
        names = max(len(name) for name in self.rows)
        lines = [" " * names + "".join(f"  {metric:>22}" for metric in METRICS)]
        for name, row in self.rows.items():
            cells = (f"  {'-' if row[metric] is None else str(row[metric]):>22}" for metric in METRICS)
            lines.append(f"{name:{names}}" + "".join(cells))
        return "\n".join(lines)


def evaluate(
    predictions: Mapping[str, AestheticScores | Array],
    ratings: Array,
    *,
    threshold: float = 5.0,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Compare methods with mean ratings: the metrics of Table 12.1 and the mean absolute error.

    The intervals are bootstrap percentiles over the images. A method that predicts one value for all images has no
    correlations, and only predicted ratings have an error.

    Args:
        predictions: scores by the name of the method; plain arrays ``(n,)`` are predicted ratings.
        ratings: ``(n,)`` mean ratings.
        threshold: an image is aesthetic when its rating is at least this.
        n_resamples: number of bootstrap resamples.
        confidence: of the intervals.
        seed: of the resamples, which all methods share.

    Returns:
        One row per method, after the majority baseline: always the class that is more frequent here.

    Raises:
        ValueError: arguments that do not fit; the message names them.

    Example:
        >>> import torch
        >>> from clip_aesthetics import evaluate
        >>> ratings = torch.linspace(3, 7, 50)
        >>> evaluation = evaluate({"probe": ratings + 0.5 * torch.sin(ratings * 99)}, ratings)
        >>> for method, row in evaluation.rows.items():
        ...     print(method, row["accuracy"])
        majority baseline 0.500 [0.340, 0.640]
        probe 0.940 [0.860, 1.000]

    Reference:
        Chapter 12, Table 12.1.
    """
    truth = as_vector("ratings", ratings).cpu()
    if len(truth) < 2 or (truth == truth[0]).all():
        raise value_error("ratings", "at least two different values", f"{len(truth)} times {truth[0].item():g}")
    if not isinstance(predictions, Mapping):
        raise type_error("predictions", "a mapping from methods to their scores", predictions)
    check_options(n_resamples, confidence, seed)
    threshold = as_number("threshold", threshold)
    positive = truth >= threshold

    def estimate(statistic: Callable[[Tensor], Tensor]) -> Estimate | None:
        value = statistic(torch.ones(1, len(truth), dtype=torch.float64)).item()
        if math.isnan(value):
            return None
        low, high = interval(statistic, len(truth), count=n_resamples, confidence=confidence, seed=seed).tolist()
        return Estimate(value, low, high)

    majority = positive == (positive.double().mean() >= 0.5)
    rows = {_MAJORITY: {"accuracy": estimate(_mean_of(majority)), **dict.fromkeys(METRICS[1:])}}
    for name, prediction in predictions.items():
        if isinstance(prediction, AestheticScores):
            values, aesthetic = as_vector(name, prediction.values).cpu(), torch.as_tensor(prediction.aesthetic).cpu()
            on_scale = prediction.unit == "rating"
        else:
            values, on_scale = as_vector(name, prediction).cpu(), True
            aesthetic = values >= threshold
        if values.shape != truth.shape:
            raise shape_error(name, "one prediction per rating", {name: values.shape, "ratings": truth.shape})
        statistics = statistics_of(values, aesthetic, truth, positive)
        rows[name] = {metric: estimate(statistics[metric]) for metric in METRICS}
        if not on_scale:
            rows[name]["mae"] = None
    return Evaluation(rows, len(truth), confidence)


def check_options(n_resamples: object, confidence: float, seed: object) -> None:
    """Raise the error for options that no bootstrap can have."""
    if not isinstance(n_resamples, Integral) or n_resamples < 2:
        raise value_error("n_resamples", "a whole number of at least 2", n_resamples)
    if not 0 < as_number("confidence", confidence) < 1:
        raise value_error("confidence", "a number between 0 and 1", confidence)
    if not isinstance(seed, Integral) or not -(2**63) <= int(seed) < 2**64:
        raise value_error("seed", "a whole number of 64 bits", seed)


def statistics_of(
    values: Tensor, aesthetic: Tensor, truth: Tensor, positive: Tensor
) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return, by metric, the function from weightings ``(b, n)`` of the images to its values ``(b,)``."""
    return {
        "accuracy": _mean_of(aesthetic == positive),
        "spearman": lambda weights: spearman(values, truth, weights),
        "pearson": lambda weights: pearson(values, truth, weights),
        "mae": _mean_of((values - truth).abs()),
    }


def _mean_of(quantity: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda weights: weights @ quantity.double() / weights.sum(1)
