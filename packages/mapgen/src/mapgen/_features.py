"""What lies on a tile: areas, waters, buildings and roads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ._core import type_error, value_error

Point = tuple[float, float]
MAX_PX = 4096  # fixed-point distances of the rasteriser stay within 32 bits up to here


@dataclass(frozen=True)
class _Surface:
    name: str
    outline_m: tuple[Point, ...]
    holes_m: tuple[tuple[Point, ...], ...] = ()

    def __post_init__(self) -> None:
        """Check the rings."""
        check_name(self.name)
        object.__setattr__(self, "outline_m", _ring("outline_m", self.outline_m))
        holes = tuple(_ring(f"holes_m[{i}]", hole) for i, hole in enumerate(self.holes_m))
        object.__setattr__(self, "holes_m", holes)


@dataclass(frozen=True)
class Area(_Surface):
    """A land cover inside an outline.

    Args:
        name: class of the style, of kind land, pier or paved.
        outline_m: corners ``((x, y), ...)`` in metres from the tile's centre, x to the right, y down; not closed.
        holes_m: outlines of what is left out.

    Raises:
        ValueError: fewer than three corners, a number that is not finite, or an outline that crosses itself.
    """

    type: ClassVar[str] = "area"


@dataclass(frozen=True)
class Water(_Surface):
    """A water inside an outline; see ``Area``. A river drawn as a line is ``Road("river")``."""

    name: str = "water"
    outline_m: tuple[Point, ...] = ()
    type: ClassVar[str] = "water"


@dataclass(frozen=True)
class Building(_Surface):
    """A building, with the thin outline that the style gives it; see ``Area``."""

    name: str = "building"
    outline_m: tuple[Point, ...] = ()
    type: ClassVar[str] = "building"


@dataclass(frozen=True)
class Road:
    """A line: a road, a railway, a waterway.

    Without ``path_m`` it is straight and crosses the whole tile. Its width holds both casings.

    Args:
        name: class of the style, of kind road or waterway.
        width_px: width in pixels; the style's own width when neither width is given.
        width_m: width in metres.
        angle: degrees, clockwise; 0 is vertical, 90 horizontal.
        offset: shift in pixels along the road's normal: to the right at angle 0, down at 90, to the left at 180.
        casing: whether the style's casing is drawn.
        path_m: points ``((x, y), ...)`` in metres from the tile's centre, y down; ``angle`` then only directs the
            shift.
    """

    name: str
    width_px: float | None = None
    width_m: float | None = None
    angle: float = 0.0
    offset: float = 0.0
    casing: bool = True
    path_m: tuple[Point, ...] | None = None
    type: ClassVar[str] = "road"

    def __post_init__(self) -> None:
        """Check the values."""
        check_name(self.name)
        if self.width_px is not None and self.width_m is not None:
            raise value_error("width_m", "one width, in pixels or in metres", "both")
        for name in ("width_px", "width_m"):
            if (width := getattr(self, name)) is not None:
                check_number(name, width, minimum=0, maximum=MAX_PX)
        check_number("angle", self.angle)
        check_number("offset", self.offset)
        if not isinstance(self.casing, bool):
            raise type_error("casing", "True or False", self.casing)
        if self.path_m is not None:
            object.__setattr__(self, "path_m", _points("path_m", self.path_m, at_least=2))


Feature: TypeAlias = Area | Water | Building | Road
TYPES: dict[str, type[Feature]] = {kind.type: kind for kind in (Area, Water, Building, Road)}


def check_name(name: object) -> None:
    """Raise an error unless ``name`` is a text."""
    if not isinstance(name, str):
        raise type_error("name", "the name of a class", name)


def check_number(argument: str, value: Any, *, minimum: float = -math.inf, maximum: float = math.inf) -> None:
    """Raise an error unless ``value`` is finite, above ``minimum`` and at most ``maximum``."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise type_error(argument, "a number", value)
    if not math.isfinite(value) or not minimum < value <= maximum:
        wanted = "a finite number" if minimum == -math.inf else f"a number above {minimum:g}, at most {maximum:g}"
        raise value_error(argument, wanted, value)


def _points(argument: str, points: Iterable[Sequence[float]], *, at_least: int) -> tuple[Point, ...]:
    try:
        array = np.array([tuple(point) for point in points], dtype=float)
    except (TypeError, ValueError) as error:
        raise value_error(argument, "points (x, y) in metres", points) from error
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < at_least or not np.isfinite(array).all():
        raise value_error(argument, f"at least {at_least} finite points (x, y)", array.tolist())
    if (array == array[0]).all():
        raise value_error(argument, "points that differ", array.tolist())
    return tuple((float(x), float(y)) for x, y in array)


def _ring(argument: str, points: Iterable[Sequence[float]]) -> tuple[Point, ...]:
    ring = _points(argument, points, at_least=3)
    if ring[0] == ring[-1]:
        raise value_error(argument, "an open ring, the first point not repeated", ring)
    if _crosses_itself(np.array(ring)):
        raise value_error(argument, "an outline that does not cross itself", ring)
    return ring


def _crosses_itself(ring: np.ndarray[Any, Any]) -> bool:
    """Tell whether two edges cross in a point inside both of them."""
    start, end = ring, np.roll(ring, -1, axis=0)

    def side(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Sign of the side of each edge (row) on which each point (column) lies."""
        along = (end - start)[:, None]
        apart = points[None] - start[:, None]
        # Rounding may move a corner that lies on another edge to either side of it.
        cross = along[..., 0] * apart[..., 1] - along[..., 1] * apart[..., 0]
        return np.sign(np.where(np.abs(cross) < 1e-9 * np.abs(along).sum(-1) * np.abs(ring).max(), 0, cross))

    apart = side(start) * side(end) < 0
    return bool((apart & apart.T).any())
