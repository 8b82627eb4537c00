"""What lies on a tile: areas, waters, buildings and roads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ._checks import check_flag, check_number, check_text, check_values
from ._core import value_error
from ._style import MAX_PX

Point = tuple[float, float]
MAX_M = 1e7  # beyond it no tile of a city lies, and rounding would show


@dataclass(frozen=True)
class _Surface:
    name: str
    outline_m: Sequence[Point]
    holes_m: Sequence[Sequence[Point]] = ()

    def __post_init__(self) -> None:
        """Check the rings."""
        check_text("name", self.name, "the name of a class")
        object.__setattr__(self, "outline_m", _ring("outline_m", self.outline_m))
        rings = check_values("holes_m", self.holes_m, "a sequence of outlines")
        holes = tuple(_ring(f"holes_m[{i}]", hole) for i, hole in enumerate(rings))
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
    outline_m: Sequence[Point] = ()
    type: ClassVar[str] = "water"


@dataclass(frozen=True)
class Building(_Surface):
    """A building, with the thin outline that the style gives it; see ``Area``."""

    name: str = "building"
    outline_m: Sequence[Point] = ()
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
    path_m: Sequence[Point] | None = None
    type: ClassVar[str] = "road"

    def __post_init__(self) -> None:
        """Check the values."""
        check_text("name", self.name, "the name of a class")
        if self.width_px is not None and self.width_m is not None:
            raise value_error("width_m", "one width, in pixels or in metres", "both")
        for name in ("width_px", "width_m"):
            if (width := getattr(self, name)) is not None:
                object.__setattr__(self, name, check_number(name, width, above=0, maximum=MAX_PX))
        for name in ("angle", "offset"):
            object.__setattr__(self, name, check_number(name, getattr(self, name)))
        check_flag("casing", self.casing)
        if self.path_m is not None:
            object.__setattr__(self, "path_m", _points("path_m", self.path_m, at_least=2))


Feature: TypeAlias = Area | Water | Building | Road
TYPES: dict[str, type[Feature]] = {kind.type: kind for kind in (Area, Water, Building, Road)}


def _points(argument: str, points: Iterable[Sequence[float]], *, at_least: int) -> tuple[Point, ...]:
    try:
        array = np.array([tuple(point) for point in points], dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise value_error(argument, "points (x, y) in metres", points) from error
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < at_least or not (np.abs(array) <= MAX_M).all():
        wanted = f"at least {at_least} points (x, y) of finite numbers, at most {MAX_M:g} m away"
        raise value_error(argument, wanted, array.tolist())
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
