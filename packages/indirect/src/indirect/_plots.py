"""Figures of chapter 13 (extra ``plot``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._arrays import label_codes, to_tensor
from ._core import import_extra, type_error, value_error

if TYPE_CHECKING:
    from ._sweeps import Sweep


def plot_maps(
    embeddings: Mapping[str, Any],
    labels: Mapping[str, Any],
    *,
    layout: Callable[[NDArray[Any]], Any] | None = None,
) -> tuple[Any, Any]:
    """Draw one two-dimensional map per notion, coloured by its own labels, as Fig. 13.2 does.

    Args:
        embeddings: for each notion ``(n, d)``.
        labels: for each notion one label per row, of at most 20 values.
        layout: from rows to positions ``(n, 2)``, such as ``TSNE().fit_transform``; by default the first two principal
            components.

    Returns:
        Figure and array of axes.

    Raises:
        ImportError: the extra ``plot`` is not installed.
        ValueError: other names or numbers of labels than of embeddings, or more than 20 values.
    """
    pyplot = import_extra("matplotlib.pyplot", package="indirect", extra="plot")
    for argument, given in (("embeddings", embeddings), ("labels", labels)):
        if not isinstance(given, Mapping):
            raise type_error(argument, "a mapping with the names of notions", given)
    if not embeddings:
        raise value_error("embeddings", "at least one notion", embeddings)
    if set(embeddings) != set(labels):
        raise value_error("labels", f"the notions {list(embeddings)}", list(labels))
    figure, axes = pyplot.subplots(
        1, len(embeddings), figsize=(4.6 * len(embeddings), 5), layout="constrained", squeeze=False
    )
    for name, canvas in zip(embeddings, axes.flat):
        rows = to_tensor(f"embeddings[{name!r}]", embeddings[name]).detach().cpu()
        values, codes, _ = label_codes(f"labels[{name!r}]", labels[name], len(rows))
        if len(values) > 20:
            raise value_error("labels", "at most 20 values, one colour each", f"{len(values)} for {name!r}")
        positions = np.asarray((layout or _principal_plane)(rows.numpy()))
        colours = pyplot.get_cmap("tab20" if len(values) > 10 else "tab10").colors
        for code, value in enumerate(values):
            canvas.scatter(*positions[codes == code].T, s=9, color=colours[code], label=str(value))
        canvas.set(title=name, xlabel="first axis of the map", ylabel="second axis of the map", xticks=[], yticks=[])
        canvas.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3)
    return figure, axes[0]


def plot_sweep(sweep: Sweep, *, axes: Any = None) -> tuple[Any, Any]:
    """Draw mean and standard deviation over seeds, one line per method."""
    if axes is None:
        pyplot = import_extra("matplotlib.pyplot", package="indirect", extra="plot")
        _, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    positions = np.arange(len(sweep.values))
    for name, scores in sweep.scores.items():
        spread = scores.std(1, ddof=1) if scores.shape[1] > 1 else None
        axes.errorbar(positions, scores.mean(1), spread, marker="o", markersize=4, capsize=3, label=name)
    axes.set_xticks(positions, [str(value) for value in sweep.values])
    axes.set(xlabel=sweep.axis, ylabel=sweep.measure)
    axes.legend(fontsize=8)
    return axes.figure, axes


def _principal_plane(rows: NDArray[Any]) -> NDArray[Any]:
    points = torch.from_numpy(rows - rows.mean(0))
    plane = torch.linalg.svd(points, full_matrices=False).Vh[:2]
    positions: NDArray[Any] = (points @ plane.T).numpy()
    return positions
