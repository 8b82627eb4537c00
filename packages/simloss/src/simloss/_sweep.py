"""The grid over similarities of Tables 14.1 and 14.2, for a training function of the user."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Integral

from torch import nn

from ._arguments import check_distinct
from ._core import track, type_error, value_error
from ._modules import SimLoss
from ._structured import AnySimilarity
from ._sweep_result import SPLITS, SweepResult

Scores = Mapping[str, Mapping[str, float]]
LOWER_IS_BETTER = ("loss", "error", "mae", "mse")


def sweep(
    train: Callable[[nn.Module, int], Scores],
    similarities: Mapping[Hashable, AnySimilarity | nn.Module],
    seeds: Sequence[int],
    *,
    baseline: Hashable = None,
    higher_is_better: Mapping[str, bool] | None = None,
    progress: bool | None = None,
) -> SweepResult:
    """Train with every similarity and every seed and compare with cross entropy.

    Validation values choose the row, test values carry the marks: ``+`` better and ``-`` worse than the baseline on
    average and significant at 5 % in Wilcoxon's two-sided signed-rank test over the seeds. That takes six seeds or
    more; the table says so when there are fewer. The marks are not corrected for the number of cells.

    Args:
        train: ``train(loss, seed) -> {"val": {metric: value}, "test": {metric: value}}`` trains a new model with the
            loss module and the seed and returns the same metrics each time.
        similarities: rows of the table: a name, such as the reduction factor, and a similarity, of which ``SimLoss``
            is made, or a loss module, which is used as it is.
        seeds: one run per row and seed; runs of equal seeds are compared in pairs.
        baseline: name of the row to compare with; ``None`` stands for ``"cross entropy"``, a row that is added as
            ``torch.nn.CrossEntropyLoss()`` where ``similarities`` has none of that name.
        higher_is_better: direction of each metric. By default a metric whose name ends in ``loss``, ``error``, ``mae``
            or ``mse`` is better when lower, any other when higher; arrows in the table show it.
        progress: show a progress bar; by default only in a terminal.

    Returns:
        Means, standard deviations, marks, table and plot.

    Raises:
        ValueError: seeds are repeated, the baseline is no row, or ``train`` returns other splits or metrics.

    Example:
        >>> def train(loss, seed):
        ...     accuracy = 0.5 + 0.01 * seed + 0.1 * isinstance(loss, SimLoss)
        ...     return {"val": {"accuracy": accuracy}, "test": {"accuracy": accuracy}}
        >>> from simloss import OrdinalSimilarity
        >>> result = sweep(train, {0.5: OrdinalSimilarity(3, 0.5)}, seeds=range(6))
        >>> print(result.table())
                       val accuracy ↑  test accuracy ↑
        cross entropy           0.525            0.525
                  0.5         *0.625*           0.625+
        <BLANKLINE>
        Means over 6 seeds, *best on validation*; + better, - worse than cross entropy (signed-rank test, 5% level).
        >>> result.best("accuracy")
        0.5

    Reference:
        Chapter 14, Section 14.2.2, Tables 14.1 and 14.2.
    """
    if not callable(train):
        raise type_error("train", "a function of a loss and a seed", train)
    if not isinstance(similarities, Mapping):
        raise type_error("similarities", "a mapping from names to similarities", similarities)
    if not isinstance(seeds, Sequence) or not all(isinstance(seed, Integral) for seed in seeds):
        raise type_error("seeds", "a sequence of whole numbers", seeds)
    losses = {row: _loss(value) for row, value in similarities.items()}
    if baseline is None:
        baseline = "cross entropy"
        losses = {baseline: nn.CrossEntropyLoss(), **losses}
    if baseline not in losses:
        raise value_error("baseline", f"one of the rows {list(losses)}", baseline)
    check_distinct("seeds", seeds)

    runs: dict[Hashable, list[Scores]] = {row: [] for row in losses}
    directions: dict[str, bool] = {}
    for row, seed in track([(row, seed) for row in losses for seed in seeds], "sweep", progress=progress):
        scores = train(losses[row], seed)
        directions = directions or _directions(scores, higher_is_better)
        runs[row].append(_checked(scores, directions, f"{row!r} and seed {seed}"))
    return SweepResult(runs, list(seeds), baseline, directions)


def _loss(value: AnySimilarity | nn.Module) -> nn.Module:
    return SimLoss(value) if isinstance(value, AnySimilarity) else value


def _directions(scores: Scores, higher_is_better: Mapping[str, bool] | None) -> dict[str, bool]:
    """Return whether higher is better for each metric of the first run."""
    if not isinstance(scores, Mapping) or set(scores) != set(SPLITS) or not scores["val"]:
        raise value_error("train", 'to return {"val": {metric: value}, "test": {metric: value}}', scores)
    if higher_is_better is None:
        return {metric: not metric.lower().endswith(LOWER_IS_BETTER) for metric in scores["val"]}
    if not isinstance(higher_is_better, Mapping) or set(higher_is_better) != set(scores["val"]):
        raise value_error("higher_is_better", f"a mapping of the metrics {list(scores['val'])}", higher_is_better)
    return dict(higher_is_better)


def _checked(scores: Scores, directions: Mapping[str, bool], run: str) -> Scores:
    """Return the scores as plain floats, the same metrics in each split."""
    for split in SPLITS:
        if set(scores.get(split, ())) != set(directions):
            raise value_error(f"train, {run}", f"{split} with the metrics {list(directions)}", scores)
    return {split: {metric: float(scores[split][metric]) for metric in directions} for split in SPLITS}
