"""The result of a comparison of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._core import import_extra, type_error, value_error
from ._moments import Moments
from ._page import METRIC_NAMES, comparison_page

# Averaged through Fisher's z.
CORRELATIONS = ("pearson", "spearman")


@dataclass(frozen=True)
class ModelComparison:
    """How alike the maps of each pair of models are, over a data set.

    Attributes:
        names: the ``k`` models.
        n_images: number of images behind each value.
        mean: mean per metric, ``(k, k)``; correlations through Fisher's z.
        std: population standard deviation over the images per metric, ``(k, k)``; of correlations in z space, turned
            back.
        groups: names of models by group.
    """

    names: tuple[str, ...]
    n_images: int
    mean: Mapping[str, NDArray[np.float64]]
    std: Mapping[str, NDArray[np.float64]]
    groups: Mapping[str, tuple[str, ...]]

    def group_means(self, metric: str = "pearson") -> dict[tuple[str, str], float]:
        """Return the mean over the pairs of different models within and between groups.

        A group of one model has no pair of its own and is left out.
        """
        matrix = self._matrix(metric)
        means = {}
        for first, second in combinations_with_replacement(self.groups, 2):
            rows, columns = ([self.names.index(name) for name in self.groups[group]] for group in (first, second))
            values = [matrix[i, j] for i in rows for j in columns if (i < j if first == second else i != j)]
            if values:
                moments = Moments(correlation=metric in CORRELATIONS)
                moments.add(np.array(values))
                means[first, second] = float(moments.mean)
        return means

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists and numbers, for JSON."""
        return {
            "names": list(self.names),
            "n_images": self.n_images,
            "mean": {metric: matrix.tolist() for metric, matrix in self.mean.items()},
            "std": {metric: matrix.tolist() for metric, matrix in self.std.items()},
            "groups": {group: list(members) for group, members in self.groups.items()},
            "group_means": {
                metric: [[*pair, value] for pair, value in self.group_means(metric).items()] for metric in self.mean
            },
        }

    def to_html(self, *, title: str = "Do these models look at the same pixels?") -> str:
        """Return a page that needs no other file: a table of means and deviations per metric, and the group means."""
        if not isinstance(title, str):
            raise type_error("title", "a string", title)
        return comparison_page(self, title)

    def plot(self, metric: str = "pearson", *, axes: Any = None) -> tuple[Any, Any]:
        """Draw the means as a heat map and return figure and axes (extra ``plot``); divergences with three digits."""
        matrix = self._matrix(metric)
        k = len(self.names)
        if axes is None:
            pyplot = import_extra("matplotlib.pyplot", package="dml-attribution", extra="plot")
            _, axes = pyplot.subplots(figsize=(2.5 + 0.7 * k, 2.2 + 0.6 * k), layout="constrained")
        elif not hasattr(axes, "imshow"):
            raise type_error("axes", "axes of matplotlib", axes)
        # The diagonal is known and would stretch the scale.
        shown = np.ma.masked_where(np.eye(k, dtype=bool), matrix)
        image = axes.imshow(shown, cmap="cividis")
        digits = 3 if metric == "jensen_shannon" else 2  # divergences of maps are small
        for row, column in np.ndindex(k, k):
            if row != column:
                bright = image.norm(matrix[row, column]) > 0.5
                text, colour = f"{matrix[row, column]:.{digits}f}", "black" if bright else "white"
                axes.text(column, row, text, ha="center", va="center", color=colour)
        axes.set_xticks(range(k), self.names, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(k), self.names)
        axes.set(xlabel="Model", ylabel="Model")
        label = f"{METRIC_NAMES.get(metric, metric)}\nmean of {self.n_images} images"
        axes.figure.colorbar(image, ax=axes, label=label)
        return axes.figure, axes

    def _matrix(self, metric: str) -> NDArray[np.float64]:
        if not isinstance(metric, str) or metric not in self.mean:
            raise value_error("metric", f"one of {list(self.mean)}", repr(metric))
        return self.mean[metric]
