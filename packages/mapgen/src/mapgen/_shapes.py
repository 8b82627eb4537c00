"""Exact rasterisation of straight bands, polylines and polygons, in pixels from the tile's upper left corner."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FULL = 128  # coverage of a pixel that lies inside
_UNIT = 1 << 17  # fixed-point pixel: the same bits on every machine
_FAR = 1 << 29  # of any offset: distances stay within 32 bits
_SUBROWS = 4
_NUDGE = 1e-6  # pixels by which a line moves up and to the left, so that it is nowhere exactly between two pixels
_Window = tuple[slice, slice]


class Shape(Protocol):
    """Something that covers pixels of a square tile."""

    def mask(self, size: int) -> tuple[_Window, NDArray[np.bool_]]:
        """Return a window of the tile, and which of its pixels have their centre inside."""

    def coverage(self, size: int) -> tuple[_Window, NDArray[np.uint8]]:
        """Return a window of the tile, and how much of each of its pixels is covered, from 0 to ``FULL``."""

    def svg(self, colour: str, size: int) -> str:
        """Return an SVG element."""


@dataclass(frozen=True)
class Band:
    """A straight line across the whole tile: ``|x cos(angle) + y sin(angle) - offset| <= width / 2`` from the centre.

    Of the two borders the one against the normal belongs to it, so that w pixels wide is w pixels.
    """

    angle: float
    offset: float
    width: float

    def normal(self) -> tuple[float, float]:
        """Return the unit normal; exact at multiples of 90 degrees."""
        turns, rest = divmod(self.angle, 90)
        x, y = math.cos(math.radians(rest)), math.sin(math.radians(rest))
        return [(x, y), (-y, x), (-x, -y), (y, -x)][int(turns) % 4]

    def touches(self, size: int) -> bool:
        """Tell whether any part of it lies on the tile."""
        return abs(self.offset) - self.width / 2 < size / 2 * sum(map(abs, self.normal()))

    def mask(self, size: int) -> tuple[_Window, NDArray[np.bool_]]:
        """See ``Shape``."""
        starts, stops = self._runs(size)
        # As an unsigned number, a column before the run is further behind its start than any length.
        return np.s_[:, :], np.arange(size, dtype=starts.dtype) - starts[:, None] < (stops - starts)[:, None]

    def _runs(self, size: int) -> NDArray[np.unsignedinteger]:
        """Return where the inside starts and stops in each row, as exact unsigned columns ``(2, rows)``."""
        x, y, moved = _fixed(self.normal(), self.offset)
        # A pixel has passed a border if 2 |x| (column + 1) is above the ends of its row; x < 0 is the mirror image.
        first = moved - round(self.width / 2 * _UNIT) + y * (size - 1) + abs(x) * (size + 1) - 1
        ends = np.array([[first], [first + round(self.width * _UNIT)]]) - np.arange(size, dtype=np.int64) * (2 * y)
        ends = ends // (2 * abs(x)) if x else np.where(ends < 0, 0, size)
        np.minimum(np.maximum(ends, 0, out=ends), size, out=ends)
        return (ends if x >= 0 else size - ends[::-1]).astype(np.min_scalar_type(size))

    def coverage(self, size: int) -> tuple[_Window, NDArray[np.uint8]]:
        """See ``Shape``."""
        covered = np.abs(_distances(self.normal(), self.offset, size))
        np.subtract(np.int32(round((self.width + 1) / 2 * _UNIT)), covered, out=covered)
        covered >>= 10  # _UNIT becomes FULL
        np.clip(covered, 0, round(min(1.0, self.width) * FULL), out=covered)
        return np.s_[:, :], covered.astype(np.uint8)

    def svg(self, colour: str, size: int) -> str:
        """See ``Shape``."""
        x, y = self.normal()
        ends = [(size / 2 + self.offset * x - s * size * y, size / 2 + self.offset * y + s * size * x) for s in (-1, 1)]
        return _svg_line(ends, colour, self.width, "butt")


@lru_cache(maxsize=1)  # casing and fill of a road have the same distances
def _distances(normal: tuple[float, float], offset: float, size: int) -> NDArray[np.int32]:
    """Return the signed distance of each pixel's centre from a straight line in fixed-point pixels."""
    x, y, moved = _fixed(normal, offset)
    doubled = 2 * np.arange(size, dtype=np.int32) + 1 - size  # twice the distance of a pixel's centre
    distances: NDArray[np.int32] = np.add.outer(doubled * np.int32(y), doubled * np.int32(x) - np.int32(moved))
    distances.flags.writeable = False
    return distances


def _fixed(normal: tuple[float, float], offset: float) -> tuple[int, int, int]:
    """Return half a normal and an offset in fixed-point pixels."""
    x, y = (round(component * (_UNIT >> 1)) for component in normal)
    return x, y, round(max(-_FAR, min(_FAR, offset * _UNIT)))


@dataclass(frozen=True)
class Line:
    """A polyline with round ends and joints; its borders belong to it as those of a band do."""

    points: NDArray[np.float64]
    width: float

    def _distance(self, size: int) -> tuple[_Window, NDArray[np.float64]]:
        reach = self.width / 2 + 1
        whole = _window(self.points.min(0) - reach, self.points.max(0) + reach, size)
        rows, columns = whole
        distance = np.full((rows.stop - rows.start, columns.stop - columns.start), np.inf)
        for start, end in zip(self.points[:-1], self.points[1:]):
            down, across = _window(np.minimum(start, end) - reach, np.maximum(start, end) + reach, size)
            x = np.arange(across.start, across.stop) + (0.5 + _NUDGE) - start[0]
            y = (np.arange(down.start, down.stop) + (0.5 + _NUDGE) - start[1])[:, None]
            along = end - start
            length = max(float(along @ along), 1e-12)
            t = np.clip((x * along[0] + y * along[1]) / length, 0, 1)
            part = distance[
                down.start - rows.start : down.stop - rows.start,
                across.start - columns.start : across.stop - columns.start,
            ]
            np.minimum(part, (x - t * along[0]) ** 2 + (y - t * along[1]) ** 2, out=part)
        return whole, np.sqrt(distance)

    def mask(self, size: int) -> tuple[_Window, NDArray[np.bool_]]:
        """See ``Shape``."""
        window, distance = self._distance(size)
        return window, distance < self.width / 2

    def coverage(self, size: int) -> tuple[_Window, NDArray[np.uint8]]:
        """See ``Shape``."""
        window, distance = self._distance(size)
        covered = np.clip((self.width + 1) / 2 - distance, 0, min(1.0, self.width))
        return window, (covered * FULL).astype(np.uint8)

    def svg(self, colour: str, size: int) -> str:  # noqa: ARG002
        """See ``Shape``."""
        return _svg_line(self.points.tolist(), colour, self.width, "round")


@dataclass(frozen=True)
class Polygon:
    """Rings of corners: an outline and what is left out of it."""

    rings: tuple[NDArray[np.float64], ...]

    def mask(self, size: int) -> tuple[_Window, NDArray[np.bool_]]:
        """See ``Shape``."""
        window, covered = self._winding(size, subrows=1)
        return window, covered > 0.5

    def coverage(self, size: int) -> tuple[_Window, NDArray[np.uint8]]:
        """See ``Shape``."""
        window, covered = self._winding(size, subrows=_SUBROWS)
        return window, (covered * FULL + 0.5).astype(np.uint8)

    def _winding(self, size: int, subrows: int) -> tuple[_Window, NDArray[np.float64]]:
        """Return the covered share of each pixel: at its centre for one subrow, else exact along each subrow."""
        corners = np.concatenate(self.rings)
        rows, columns = window = _window(corners.min(0), corners.max(0) + 1, size)
        height, width = subrows * (rows.stop - rows.start), columns.stop - columns.start
        if not height or not width:
            return window, np.zeros((height // subrows, width))
        row, x, sign = _crossings(self.rings, subrows, rows.start * subrows, height)
        x = np.clip(x - columns.start, 0, width)
        column = np.ceil(x - 0.5) if subrows == 1 else np.floor(x)
        after = np.zeros_like(x) if subrows == 1 else x - column
        place = row * (width + 2) + column.astype(np.int64)
        places, weights = np.concatenate([place, place + 1]), np.concatenate([sign * (1 - after), sign * after])
        change = np.bincount(places, weights, minlength=height * (width + 2)).reshape(height, width + 2)
        covered = np.abs(np.cumsum(change, axis=1)[:, :width]).reshape(-1, subrows, width).mean(1)
        return window, np.clip(covered, 0, 1)

    def svg(self, colour: str, size: int) -> str:  # noqa: ARG002
        """See ``Shape``."""
        path = " ".join("M" + " L".join(f"{x:.3f},{y:.3f}" for x, y in ring) + "Z" for ring in self.rings)
        return f'<path d="{path}" fill="{colour}" fill-rule="evenodd"/>'


def _window(low: NDArray[np.float64], high: NDArray[np.float64], size: int) -> _Window:
    """Return the rows and columns of the tile between two points."""
    start, stop = (np.clip(np.floor(corner), 0, size).astype(int) for corner in (low, high + 1))
    return slice(int(start[1]), int(stop[1])), slice(int(start[0]), int(stop[0]))


def _crossings(
    rings: tuple[NDArray[np.float64], ...], subrows: int, first_row: int, height: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return row, x and direction of every crossing of an edge with the middle of a subrow."""
    turned = [ring if (_signed_area(ring) > 0) == (i == 0) else ring[::-1] for i, ring in enumerate(rings)]
    start = np.concatenate(turned)
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in turned])
    sign = np.sign(end[:, 1] - start[:, 1])
    low, high = (np.clip(np.ceil(y * subrows - 0.5) - first_row, 0, height).astype(np.int64) for y in (
        np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])))  # fmt: skip
    count = high - low
    edge = np.repeat(np.arange(len(start)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + low[edge]
    y = (row + first_row + 0.5) / subrows
    slope = (end - start)[edge]
    x = start[edge, 0] + (y - start[edge, 1]) * slope[:, 0] / slope[:, 1]
    return row, x, sign[edge]


def _signed_area(ring: NDArray[np.float64]) -> float:
    x, y = ring.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def _svg_line(points: Any, colour: str, width: float, cap: str) -> str:
    path = " ".join(f"{x:.3f},{y:.3f}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        f'stroke-linecap="{cap}" stroke-linejoin="round"/>'
    )
