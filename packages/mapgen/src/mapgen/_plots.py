"""Figures of responses (extra ``plot``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._core import import_extra, type_error, value_error
from ._render import render
from ._style import Style, style_or_default

if TYPE_CHECKING:
    from ._probe import Response


def plot_response(response: Response, *, axes: Any, style: Style | None) -> tuple[Any, Any]:
    """Draw a curve for one factor, a table of colours for two."""
    pyplot = import_extra("matplotlib.pyplot", package="mapgen", extra="plot")
    style_or_default(style)
    factors = response.sweep.factors
    if axes is not None and not hasattr(axes, "inset_axes"):
        raise type_error("axes", "axes of matplotlib", axes)
    if len(factors) > 2:
        raise value_error("response", "one or two factors (cut it with .at)", ", ".join(factors))
    if axes is None:
        figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
        figure.get_layout_engine().set(rect=(0, 0, 1, 0.95))  # above it are the titles of the sample images
    if len(factors) == 2:
        _draw_table(response, axes)
    elif all(isinstance(value, (int, float)) for value in factors[response.factor]):
        _draw_curve(response, axes, style)
    else:
        axes.bar([str(value) for value in factors[response.factor]], response.output, color="#2f6fb0")
        axes.tick_params("x", rotation=40)
        axes.set(xlabel=response.factor, ylabel="model output")
    return axes.figure, axes


def _draw_curve(response: Response, axes: Any, style: Style | None) -> None:
    order = np.argsort(response.values, kind="stable")
    x, y = response.values[order], response.output[order]
    axes.plot(x, y, ".", color="#2f6fb0", label="model")
    if len(x) > 4 and np.ptp(y) > 0:
        fit = response.best_fit
        axes.plot(x, fit.predict(x), color="#d1495b", linewidth=1, label=f"{fit.form} fit, R² {fit.r2:.3f}")
    axes.set(xlabel=response.factor, ylabel="model output")
    axes.legend()
    samples = order[np.linspace(0, len(order) - 1, min(5, len(order))).astype(int)]
    for place, row in enumerate(samples):
        inset = axes.inset_axes((0.02 + 0.2 * place, 1.03, 0.16, 0.28))
        inset.imshow(render(response.sweep.scenes[row], style=style))
        inset.set_title(f"{response.values[row]:g}", fontsize=8, pad=2)
        inset.axis("off")


def _draw_table(response: Response, axes: Any) -> None:
    (down, rows), (across, columns) = response.sweep.factors.items()
    row_names, column_names = list(dict.fromkeys(rows)), list(dict.fromkeys(columns))
    table = np.full((len(row_names), len(column_names)), np.nan)
    for row, column, value in zip(rows, columns, response.output):
        table[row_names.index(row), column_names.index(column)] = value
    image = axes.imshow(table, cmap="Blues", aspect="auto")
    middle = (np.nanmin(table) + np.nanmax(table)) / 2
    if table.size <= 120:
        for (row, column), value in np.ndenumerate(table):
            if np.isfinite(value):
                colour = "w" if value > middle else "k"
                axes.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(column_names)), [str(name) for name in column_names], rotation=40, ha="right")
    axes.set_yticks(range(len(row_names)), [str(name) for name in row_names])
    axes.set(xlabel=across, ylabel=down)
    axes.figure.colorbar(image, ax=axes, label="model output")
