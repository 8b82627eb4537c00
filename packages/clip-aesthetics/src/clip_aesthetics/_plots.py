"""The weights of probes as a figure (extra ``plot``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._core import import_extra, value_error

if TYPE_CHECKING:
    from ._probe import LinearProbe


def plot_weights(probes: Mapping[str, LinearProbe] | LinearProbe) -> tuple[Any, Any]:
    """Draw the weight of each feature, scaled by the feature's standard deviation, one row per probe.

    Tall single bars are a probe that lives on a few features, a broad band one that uses many.

    Args:
        probes: a fitted probe, or several by name.

    Returns:
        The matplotlib figure and the list of its axes.

    Raises:
        ValueError: no probe.
        ImportError: matplotlib is not installed: ``pip install "clip-aesthetics[plot]"``.

    Reference:
        Chapter 12, Figure 12.3.
    """
    named = probes if isinstance(probes, Mapping) else {"": probes}
    if not named:
        raise value_error("probes", "at least one fitted probe", "none")
    pyplot = import_extra("matplotlib.pyplot", package="clip-aesthetics", extra="plot")
    figure, axes = pyplot.subplots(
        len(named), squeeze=False, figsize=(9, 0.6 + 2 * len(named)), layout="constrained", sharey=True
    )
    for (name, probe), panel in zip(named.items(), axes[:, 0]):
        weights = probe.standardized_coef_.tolist()
        panel.vlines(range(len(weights)), 0, weights, color="#2f6fb0", linewidth=1)
        panel.axhline(0, color="#1f2328", linewidth=0.5)
        panel.set(title=name, ylabel="weight x std of feature", xlim=(-1, len(weights)))
    panel.set_xlabel("feature")
    return figure, list(axes[:, 0])
