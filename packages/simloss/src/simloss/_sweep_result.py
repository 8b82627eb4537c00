"""What a sweep found: means, marks, table and plot."""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ._core import import_extra, value_error
from ._signed_rank import signed_rank_p_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPLITS = ("val", "test")


@dataclass(frozen=True)
class SweepResult:
    """The runs of :func:`simloss.sweep` and what follows from them.

    Attributes:
        runs: for each row of the grid one ``{"val": {metric: value}, "test": {metric: value}}`` per seed.
        seeds: the seeds, in the order of the runs.
        baseline: the row that the others are compared with.
        higher_is_better: direction of each metric, in the order of the columns.
        level: level of the signed-rank test.
    """

    runs: Mapping[Hashable, Sequence[Mapping[str, Mapping[str, float]]]]
    seeds: Sequence[int]
    baseline: Hashable
    higher_is_better: Mapping[str, bool]
    level: float = 0.05

    def values(self, row: Hashable, split: str, metric: str) -> list[float]:
        """Return the value of each seed."""
        for argument, value, known in (
            ("row", row, list(self.runs)),
            ("split", split, list(SPLITS)),
            ("metric", metric, list(self.higher_is_better)),
        ):
            if value not in known:
                raise value_error(argument, f"one of {known}", repr(value))
        return [run[split][metric] for run in self.runs[row]]

    def mean(self, row: Hashable, split: str, metric: str) -> float:
        """Return the mean over the seeds."""
        return statistics.fmean(self.values(row, split, metric))

    def std(self, row: Hashable, split: str, metric: str) -> float:
        """Return the sample standard deviation over the seeds; NaN for one seed."""
        values = self.values(row, split, metric)
        return statistics.stdev(values) if len(values) > 1 else math.nan

    def p_value(self, row: Hashable, metric: str) -> float:
        """Return the signed-rank p-value of the test values against the baseline's; NaN if a value is NaN."""
        ours, theirs = self.values(row, "test", metric), self.values(self.baseline, "test", metric)
        if any(map(math.isnan, [*ours, *theirs])):
            return math.nan
        # Differences that are equal on paper, such as .3 - .2 and .2 - .1, must tie.
        scale = max(map(abs, [*ours, *theirs])) or 1.0
        return signed_rank_p_value([round((a - b) / scale, 12) for a, b in zip(ours, theirs)])

    def mark(self, row: Hashable, metric: str) -> Literal["", "+", "-"]:
        """Return ``+`` or ``-`` where the test values are significantly better or worse than the baseline's."""
        if not self.p_value(row, metric) <= self.level:
            return ""
        higher = self.mean(row, "test", metric) > self.mean(self.baseline, "test", metric)
        return "+" if higher == self.higher_is_better[metric] else "-"

    def best(self, metric: str) -> Hashable:
        """Return the row with the best validation mean, the first one if several are equal."""
        means = {row: self.mean(row, "val", metric) for row in self.runs}
        known = [row for row, mean in means.items() if not math.isnan(mean)]
        if not known:
            raise value_error("metric", "a metric with validation values", f"only NaN in {metric!r}")
        return (max if self.higher_is_better[metric] else min)(known, key=means.__getitem__)

    @property
    def note(self) -> str:
        """What the marks mean, or why there can be none."""
        pairs = len(self.seeds)
        smallest = 2.0 ** (1 - pairs)
        if smallest > self.level:
            return (
                f"No marks: {pairs} seeds cannot reach the {self.level:.0%} level (smallest possible p: {smallest:g})."
            )
        return (
            f"Means over {pairs} seeds, *best on validation*; + better, - worse than {self.baseline} "
            f"(signed-rank test, {self.level:.0%} level)."
        )

    def table(self, layout: Literal["text", "markdown"] = "text", *, decimals: int = 3) -> str:
        """Return the means as in Table 14.1: validation and test, best validation values and marked test values."""
        if layout not in {"text", "markdown"}:
            raise value_error("layout", "'text' or 'markdown'", repr(layout))
        columns = [(split, metric) for split in SPLITS for metric in self.higher_is_better]
        best = {metric: self.best(metric) for metric in self.higher_is_better}
        bold = "**" if layout == "markdown" else "*"
        lines = [
            ["", *(f"{split} {metric} {'↑' if self.higher_is_better[metric] else '↓'}" for split, metric in columns)]
        ]
        for row in self.runs:
            cells = [str(row)]
            for split, metric in columns:
                mean = f"{self.mean(row, split, metric):.{decimals}f}"
                if split == "test":
                    cells.append(mean + self.mark(row, metric))
                else:
                    cells.append(bold + mean + bold if row == best[metric] else mean)
            lines.append(cells)
        widths = [max(map(len, column)) for column in zip(*lines)]
        if layout == "markdown":
            lines.insert(1, ["-" * (width - 1) + ":" for width in widths])
        padded = [[cell.rjust(width) for cell, width in zip(line, widths)] for line in lines]
        drawn = ["  ".join(line) if layout == "text" else f"| {' | '.join(line)} |" for line in padded]
        return "\n".join([*drawn, "", self.note])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists, dicts, strings and numbers, ready for JSON."""
        rows = []
        for row in self.runs:
            cells: dict[str, Any] = {"name": str(row)}
            for split in SPLITS:
                cells[split] = {
                    metric: {
                        "mean": self.mean(row, split, metric),
                        "std": self.std(row, split, metric),
                        "values": self.values(row, split, metric),
                    }
                    for metric in self.higher_is_better
                }
            for metric, cell in cells["test"].items():
                cell |= {"p_value": self.p_value(row, metric), "mark": self.mark(row, metric)}
            rows.append(cells)
        return {
            "baseline": str(self.baseline),
            "seeds": list(self.seeds),
            "level": self.level,
            "higher_is_better": dict(self.higher_is_better),
            "best": {metric: str(self.best(metric)) for metric in self.higher_is_better},
            "rows": rows,
            "note": self.note,
        }

    def plot(self) -> tuple[Figure, list[Axes]]:
        """Draw each metric over the rows with one standard deviation, the baseline as a line; extra ``[plot]``."""
        figures = import_extra("matplotlib.figure", package="simloss", extra="plot")
        rows = [row for row in self.runs if row != self.baseline]
        figure = figures.Figure(figsize=(4 * len(self.higher_is_better), 3.2), layout="constrained")
        axes = list(figure.subplots(1, len(self.higher_is_better), squeeze=False)[0])
        for axis, (metric, higher) in zip(axes, self.higher_is_better.items()):
            for color, split in zip(("C0", "C1"), SPLITS):
                means = [self.mean(row, split, metric) for row in rows]
                stds = [self.std(row, split, metric) for row in rows]
                axis.errorbar(list(map(str, rows)), means, stds, color=color, marker="o", capsize=2, label=split)
                level = self.mean(self.baseline, split, metric)
                axis.axhline(level, color=color, linestyle="--", label=f"{split}, {self.baseline}")
            axis.set(xlabel="similarity", ylabel=f"{metric} ({'higher' if higher else 'lower'} is better)")
        axes[0].legend(fontsize="small")
        return figure, axes
