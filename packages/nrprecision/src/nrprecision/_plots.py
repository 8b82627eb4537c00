"""Figures of scores and comparisons (extra ``plot``)."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from ._core import import_extra

if TYPE_CHECKING:
    from ._comparison import ModelComparison
    from ._scores import PropertyScores


def plot_scores(scores: PropertyScores, *, alpha: float, axes: Any) -> tuple[Any, Any]:
    """Draw one bar per property, the highest on top; bars below the published rule are grey."""
    figure, axes = _canvas(axes, width=7.0, height=1.2 + 0.35 * len(scores.names))
    order = np.argsort(scores.nr_precision, kind="stable")
    colours = np.where(scores.significant(alpha)[order], "#2f6fb0", "#b3bcc6")
    bars = axes.barh([scores.names[i] for i in order], scores.nr_precision[order], color=colours.tolist())
    axes.bar_label(bars, fmt="%.2f", padding=3)
    threshold = NormalDist().inv_cdf(1 - alpha / 2)
    axes.axvline(threshold, color="#1f2328", linewidth=1, linestyle="--", label=f"{threshold:.3f} (alpha = {alpha:g})")
    axes.margins(x=0.12)
    axes.set(xlabel="Normalised R-Precision (0 = chance)", ylabel="Property")
    axes.legend(loc="lower right")
    return figure, axes


def plot_comparison(comparison: ModelComparison, *, axes: Any) -> tuple[Any, Any]:
    """Draw one cell per model and property, the darker the higher."""
    colors = import_extra("matplotlib.colors", package="nrprecision", extra="plot")
    means, k = comparison.means, len(comparison.names)
    figure, axes = _canvas(axes, width=3.5 + 0.9 * k, height=1.8 + 0.35 * len(means))
    # Properties differ by two orders of magnitude (Table 7.3: 58 beside 0.8); a linear scale would show only one.
    highest = max(3.0, means.max())
    norm = colors.AsinhNorm(linear_width=1, vmin=0, vmax=highest)
    image = axes.imshow(means, cmap="Blues", norm=norm, aspect="auto")
    for row, column in np.ndindex(*means.shape):
        value = means[row, column]
        axes.text(column, row, f"{value:z.2f}", ha="center", va="center", color="w" if norm(value) > 0.6 else "k")
    axes.set_xticks(range(k), comparison.names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(means)), list(comparison.scores))
    axes.set(xlabel="Property", ylabel="Model")
    bar = figure.colorbar(image, ax=axes, label="Normalised R-Precision", format="%g")
    bar.set_ticks([tick for tick in (0, 1, 3, 10, 30, 100, 300, 1000) if tick <= highest], minor=False)
    bar.minorticks_off()
    return figure, axes


def _canvas(axes: Any, *, width: float, height: float) -> tuple[Any, Any]:
    if axes is not None:
        return axes.figure, axes
    pyplot = import_extra("matplotlib.pyplot", package="nrprecision", extra="plot")
    figure, axes = pyplot.subplots(figsize=(width, height), layout="constrained")
    return figure, axes
