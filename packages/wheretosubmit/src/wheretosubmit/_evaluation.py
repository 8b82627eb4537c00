"""How far up a ranking puts the venue that a paper appeared at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._core import import_extra, shape_error, type_error, value_error

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """The metrics of Table 8.1, per paper and as means.

    Args:
        hit: 1 for each paper whose venue comes first ``(n,)``.
        hit_at_5: 1 for each paper whose venue is among the first five ``(n,)``.
        reciprocal_rank: 1 over the place of each paper's venue ``(n,)``.
        baselines: the same of other rankings of the same papers.
    """

    hit: FloatArray
    hit_at_5: FloatArray
    reciprocal_rank: FloatArray
    baselines: dict[str, Evaluation] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """The share of papers whose venue comes first."""
        return float(self.hit.mean())

    @property
    def accuracy_at_5(self) -> float:
        """The share of papers whose venue is among the first five."""
        return float(self.hit_at_5.mean())

    @property
    def mrr(self) -> float:
        """The mean reciprocal rank."""
        return float(self.reciprocal_rank.mean())

    @property
    def p_values(self) -> dict[str, float]:
        """The Wilcoxon signed-rank test of the reciprocal ranks against each baseline (extra ``baselines``)."""
        stats = import_extra("scipy.stats", package="wheretosubmit", extra="baselines")
        p_values = {}
        for name, other in self.baselines.items():
            difference = self.reciprocal_rank - other.reciprocal_rank
            p_values[name] = float(stats.wilcoxon(difference).pvalue) if difference.any() else 1.0
        return p_values

    def to_dict(self) -> dict[str, float]:
        """Return the three means."""
        return {"accuracy": self.accuracy, "accuracy_at_5": self.accuracy_at_5, "mrr": self.mrr}

    def __str__(self) -> str:
        """Return a table: this ranking first, then the baselines and whether they differ."""
        p_values = self.p_values if self.baselines else {}
        width = max(map(len, ["model", *self.baselines]))
        lines = [f"{'':{width}}  Accuracy  Acc@5    MRR" + ("         p" if p_values else "")]
        for name, one in {"model": self, **self.baselines}.items():
            p_value = f"  {p_values[name]:8.2g}" if name in p_values else ""
            lines.append(f"{name:{width}}  {one.accuracy:8.3f}  {one.accuracy_at_5:5.3f}  {one.mrr:5.3f}{p_value}")
        return "\n".join(lines)


def evaluate_scores(
    scores: ArrayLike, target: ArrayLike, *, baselines: Mapping[str, Evaluation] | None = None
) -> Evaluation:
    """Rank venues by score and look up the true one; among equal scores the expected value over all orders counts.

    With ``g`` better venues and ``t`` equal ones (itself included) the place of the true venue is uniform over
    ``g+1, ..., g+t``. Equal scores for all venues are therefore the expected values of a random order.

    Args:
        scores: a score per paper and venue ``(n, venues)``, higher is better.
        target: the column of each paper's venue ``(n,)``.
        baselines: evaluations of other rankings of the same papers.

    Returns:
        The metrics per paper.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> result = evaluate_scores([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]], [1, 2])
        >>> result.accuracy, round(result.mrr, 3)
        (0.5, 0.667)
        >>> round(evaluate_scores(np.zeros((1, 78)), [0]).mrr, 3)  # a random order of 78 venues, as in Table 8.1
        0.063

    Reference:
        Chapter 8, Table 8.1 ("we report the expected value for each metric").
    """
    try:
        table, columns = np.asarray(scores, dtype=np.float64), np.asarray(target)
    except (OverflowError, TypeError, ValueError) as error:
        raise type_error("scores", "numbers, one per paper and venue", scores) from error
    if table.ndim != 2 or columns.shape != table.shape[:1] or not len(table):
        raise shape_error("target", "one venue per row of scores", {"scores": table.shape, "target": columns.shape})
    if columns.dtype.kind not in "iu" or columns.min() < 0 or columns.max() >= table.shape[1]:
        raise value_error("target", f"integers from 0 to {table.shape[1] - 1}", target)
    true = table[np.arange(len(table)), columns][:, None]
    better, equal = (table > true).sum(1), (table == true).sum(1)
    # The sum of 1/1 ... 1/place, so that a difference of two of them is the sum over the places between.
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, table.shape[1] + 1))])
    return Evaluation(
        hit=(better == 0) / equal,
        hit_at_5=np.clip(5 - better, 0, equal) / equal,
        reciprocal_rank=(harmonic[better + equal] - harmonic[better]) / equal,
        baselines=dict(baselines or {}),
    )
