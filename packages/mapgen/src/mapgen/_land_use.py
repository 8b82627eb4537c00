"""Hand-made features of land-use regression."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ._checks import check_values
from ._designs import ENTITIES
from ._features import Road
from ._render import render
from ._scene import Scene
from ._shapes import Band
from ._style import KINDS, Style, style_or_default

_Array = NDArray[np.float64]


def features(scene: Scene, *, classes: Iterable[str] = ENTITIES, style: Style | None = None) -> dict[str, float]:
    """Return areas, road lengths and distances of a tile, as the baselines of land-use regression use them.

    Args:
        scene: the tile.
        classes: what to measure; the nine entities of Table 6.2 by default. Every tile gets the same features.
        style: names, widths and kinds of the classes; openstreetmap-carto by default.

    Returns:
        For each class ``<class>_area_m2``, its visible area (roads with their casings), and ``<class>_distance_m`` from
        the centre to the nearest visible point of it, or for a road to its middle line; a class that is not there
        counts as half a diagonal away. For each road also ``<class>_length_m``, the length of its middle lines on the
        tile.

    Example:
        >>> measured = features(Scene(features=[Road("trunk", width_m=10, offset=28)]), classes=["trunk"])
        >>> {name: round(value, 1) for name, value in measured.items()}
        {'trunk_area_m2': 800.0, 'trunk_distance_m': 10.0, 'trunk_length_m': 80.0}

    Reference: Chapter 6, the features of Table 6.1's baselines.
    """
    style = style_or_default(style)
    labels = render(scene, style=style, out="labels")
    counts = np.bincount(labels.ravel(), minlength=len(style.labels))
    away = _centre_distances(scene)
    measured: dict[str, float] = {}
    for number, name in enumerate(check_values("classes", classes, "a sequence of classes")):
        look = style.require(f"classes[{number}]", name, *KINDS)
        own = [style.index[label] for label in (name, f"{name} casing") if label in style.index]
        measured[f"{name}_area_m2"] = float(counts[own].sum()) / scene.px_per_m**2
        paths = [_middle_line(road, scene) for road in scene.roads if road.name == name]
        visible = np.isin(labels, own)
        nearest = min(
            [_distance_to_origin(path) for path in paths] or [float(away[visible].min()) if visible.any() else math.inf]
        )
        measured[f"{name}_distance_m"] = min(nearest, scene.size_m / math.sqrt(2))
        if look.kind in ("road", "waterway"):
            measured[f"{name}_length_m"] = sum(_length_inside(path, scene.size_m / 2) for path in paths)
    return measured


def _centre_distances(scene: Scene) -> _Array:
    """Return the distance of each pixel's centre from the tile's in metres."""
    steps = (np.arange(scene.size_px) + 0.5 - scene.size_px / 2) / scene.px_per_m
    away: _Array = np.hypot(steps, steps[:, None])
    return away


def _middle_line(road: Road, scene: Scene) -> _Array:
    """Return the points of a road's middle line in metres from the centre."""
    normal = np.array(Band(road.angle, road.offset, 1.0).normal())
    shift = normal * road.offset / scene.px_per_m
    if road.path_m is not None:
        return np.array(road.path_m) + shift
    along = np.array([-normal[1], normal[0]])
    return np.stack([shift - 2 * scene.size_m * along, shift + 2 * scene.size_m * along])


def _distance_to_origin(path: _Array) -> float:
    start, along = path[:-1], np.diff(path, axis=0)
    t = np.clip(-(start * along).sum(1) / np.maximum(np.square(along).sum(1), 1e-12), 0, 1)
    return float(np.hypot(*(start + t[:, None] * along).T).min())


def _length_inside(path: _Array, half: float) -> float:
    """Return the length of a polyline inside the square from ``-half`` to ``half``."""
    start, along = path[:-1], np.diff(path, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([(-half - start) / along, (half - start) / along])
    parallel = along == 0
    inside = np.abs(start) <= half
    enter = np.where(parallel, np.where(inside, -np.inf, np.inf), ends.min(0)).max(1).clip(0, 1)
    leave = np.where(parallel, np.where(inside, np.inf, -np.inf), ends.max(0)).min(1).clip(0, 1)
    return float((np.clip(leave - enter, 0, 1) * np.hypot(*along.T)).sum())
