"""What ``compare_models`` returns: a table of models and properties, and the ways to look at it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._core import import_extra
from ._html import note_list, page, table
from ._plots import plot_comparison


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Normalised R-Precision of ``m`` models and ``k`` properties, and the difference between two groups of models.

    Attributes:
        names: the properties, ``k`` of them.
        scores: model -> ``(folds, k)`` normalised R-Precision.
        groups: group -> its models; empty when no groups were given.
        p_value: ``(k,)`` of the two-sided Mann-Whitney U test between the groups over all folds; None without groups.
        level: level of the test and of ``significant``.
        notes: what a reader of the table must know.
    """

    names: tuple[str, ...]
    scores: dict[str, NDArray[np.float64]]
    groups: dict[str, tuple[str, ...]]
    p_value: NDArray[np.float64] | None
    level: float
    notes: tuple[str, ...]

    @property
    def means(self) -> NDArray[np.float64]:
        """``(m, k)`` mean over the folds of each model."""
        return np.stack([folds.mean(axis=0) for folds in self.scores.values()])

    @property
    def group_means(self) -> dict[str, NDArray[np.float64]]:
        """Group -> ``(k,)`` mean over its models' means."""
        row = dict(zip(self.scores, self.means))
        return {group: np.mean([row[model] for model in models], axis=0) for group, models in self.groups.items()}

    @property
    def significant(self) -> NDArray[np.bool_]:
        """``(m, k)`` cells that pass the published rule: 2.576 at the 1 % level."""
        return np.asarray(self.means > NormalDist().inv_cdf(1 - self.level / 2))

    @property
    def higher_group(self) -> list[str | None]:
        """Per property, the group that scores higher at the level; None where the test does not tell them apart."""
        if self.p_value is None:
            return [None] * len(self.names)
        (first, first_means), (second, second_means) = self.group_means.items()
        higher = np.where(first_means > second_means, first, second).tolist()
        return [group if p < self.level else None for group, p in zip(higher, self.p_value)]

    def to_frame(self) -> Any:
        """Return the means as a pandas data frame, one row per model (extra ``frame``)."""
        pandas = import_extra("pandas", package="nrprecision", extra="frame")
        return pandas.DataFrame(self.means, index=pandas.Index(self.scores, name="model"), columns=list(self.names))

    def to_markdown(self) -> str:
        """Return the table in Markdown: significant cells underlined, the higher of two differing groups bold."""
        body, foot = self._rows(bold="**{}**")
        rule = ["---", *["---:"] * len(self.names)]
        lines = [["model", *map(_escape, self.names)], rule, *([_escape(name), *cells] for name, *cells in body + foot)]
        return "\n\n".join(["\n".join(f"| {' | '.join(line)} |" for line in lines), *map(_escape, self.notes)])

    def to_html(self, title: str = "Which properties do the models encode?") -> str:
        """Return the same table as a self-contained page; all names are escaped."""
        body, foot = self._rows(bold="<b>{}</b>")
        legend = (
            "<p>Normalised R-Precision, mean over folds; 0 is chance. Underlined: beyond the two-sided normal quantile "
            f"at the {self.level:g} level. Bold: the group that scores significantly higher than the other.</p>"
        )
        return page(title, f"{legend}\n{table(['Model', *self.names], body, foot)}\n{note_list(self.notes)}")

    def plot(self, *, axes: Any = None) -> tuple[Any, Any]:
        """Draw a heat map of the means, each property shaded on its own scale (extra ``plot``).

        Args:
            axes: matplotlib axes to draw on; a new figure by default.

        Returns:
            The matplotlib figure and axes.
        """
        return plot_comparison(self, axes=axes)

    def _rows(self, *, bold: str) -> tuple[list[list[str]], list[list[str]]]:
        """Return the lines of the models and those of the groups; the first cell of each is its name."""
        body = [
            [model, *_format(values, marks, "<u>{}</u>")]
            for model, values, marks in zip(self.scores, self.means, self.significant)
        ]
        foot = [
            [f"{group} mean", *_format(means, [winner == group for winner in self.higher_group], bold)]
            for group, means in self.group_means.items()
        ]
        if self.p_value is not None:
            foot.append(["Mann-Whitney U p", *(f"{p:.3g}" for p in self.p_value)])
        return body, foot


def _format(values: Iterable[float], marks: Iterable[bool], marked: str) -> list[str]:
    return [(marked if mark else "{}").format(f"{value:z.2f}") for value, mark in zip(values, marks)]


def _escape(text: str) -> str:
    """Return text for a cell of a Markdown table."""
    return escape(text, quote=False).replace("|", "\\|").replace("\n", " ")
