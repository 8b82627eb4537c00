"""The designs of the thesis, and those that it left open."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Literal

from ._checks import check_choice, check_number, check_values
from ._features import Road
from ._scene import Scene
from ._sweep import Sweep

Direction = Literal["right", "left", "top", "bottom"]

ENTITIES = ("industrial", "residential", "commercial", "park", "forest", "water", "neutral", "motorway", "trunk")
ROADS = ("no road", "trunk", "motorway")
DIRECTIONS = {"right": (0.0, 1), "left": (0.0, -1), "bottom": (90.0, 1), "top": (90.0, -1)}
ORIENTATIONS = {"vertical": 0.0, "horizontal": 90.0}
WIDTH_PX = 21.0  # a motorway or trunk road at zoom 18


def entity_grid() -> Sweep:
    """Return the 23 images of Table 6.2: nine entities alone, and seven of them below a trunk road or a motorway.

    Factors: ``road`` and ``entity``. A road on a road is omitted.

    Example:
        >>> len(entity_grid())
        23

    Reference: Section 6.1.1, Table 6.2.
    """
    cells = [(road, entity) for road in ROADS for entity in ENTITIES if road == "no road" or entity not in ROADS]
    scenes = [
        Scene(land=entity, features=() if road == "no road" else (Road(road, width_px=WIDTH_PX),))
        for road, entity in cells
    ]
    return Sweep(tuple(scenes), {"road": tuple(road for road, _ in cells), "entity": tuple(name for _, name in cells)})


def width_sweep(
    orientation: Literal["vertical", "horizontal"] = "vertical",
    *,
    road: str = "trunk",
    land: str = "neutral",
    widths_px: Iterable[float] = range(3, 93),
) -> Sweep:
    """Widen a road through the centre. Factor: ``width_px``.

    The thesis does not print its range; the default begins where the road shows both casings and a fill.

    Reference: Section 6.1.1, Figure 6.2.
    """
    angle = ORIENTATIONS[check_choice("orientation", orientation, ORIENTATIONS)]
    widths = check_values("widths_px", widths_px)
    scenes = [Scene(land=land, features=(Road(road, width_px=width, angle=angle),)) for width in widths]
    return Sweep(tuple(scenes), {"width_px": widths})


def distance_sweep(
    direction: Direction = "right",
    *,
    road: str = "trunk",
    land: str = "neutral",
    width_px: float = WIDTH_PX,
    distances_px: Iterable[float] = range(91),
) -> Sweep:
    """Move a road away from the centre, pixel by pixel. Factor: ``distance_px``.

    Reference: Section 6.1.1, Figure 6.3.
    """
    return _without("width_px", interaction(direction, (width_px,), distances_px, road=road, land=land))


def interaction(
    direction: Direction = "right",
    widths_px: Iterable[float] = range(9, 42, 4),
    distances_px: Iterable[float] = range(0, 91, 10),
    *,
    road: str = "trunk",
    land: str = "neutral",
) -> Sweep:
    """Widen and move a road in all combinations: the thesis leaves open whether the two act on one another.

    Factors: ``width_px`` and ``distance_px``.
    """
    angle, sign = DIRECTIONS[check_choice("direction", direction, DIRECTIONS)]
    distances = [check_number("distances_px", distance) for distance in check_values("distances_px", distances_px)]
    cells = list(itertools.product(check_values("widths_px", widths_px), distances))
    scenes = [
        Scene(land=land, features=(Road(road, width_px=width, angle=angle, offset=sign * distance),))
        for width, distance in cells
    ]
    return Sweep(
        tuple(scenes), {"width_px": tuple(width for width, _ in cells), "distance_px": tuple(d for _, d in cells)}
    )


def angle_sweep(
    *, road: str = "trunk", land: str = "neutral", width_px: float = WIDTH_PX, angles: Iterable[float] = range(180)
) -> Sweep:
    """Turn a road about the centre. Factor: ``angle`` in degrees, clockwise from vertical."""
    turned = check_values("angles", angles)
    scenes = [Scene(land=land, features=(Road(road, width_px=width_px, angle=angle),)) for angle in turned]
    return Sweep(tuple(scenes), {"angle": turned})


def _without(factor: str, design: Sweep) -> Sweep:
    return Sweep(design.scenes, {name: values for name, values in design.factors.items() if name != factor})
