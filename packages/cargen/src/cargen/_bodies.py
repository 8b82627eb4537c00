"""Six parametric cars: sedan, hatchback, SUV, coupe, van and pickup."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._mesh import Part, grid_part, rounded
from ._wheels import wheels

_SECTION = np.array(  # half a cross-section of the lower body, from hood to floor: share of width, of height
    [
        (0, 1), (0.3, 0.998), (0.55, 0.992), (0.75, 0.98), (0.86, 0.96), (0.925, 0.93), (0.96, 0.88), (0.98, 0.8),
        (0.992, 0.7), (1, 0.58), (1, 0.46), (0.995, 0.34), (0.988, 0.22), (0.975, 0.1), (0.95, 0), (0, 0),
    ]
)  # fmt: skip
_CABIN_LEVELS = np.array([0, 0.1, 0.3, 0.5, 0.7, 0.88, 1.0, 1.02, 1.06, 1.09, 1.1])
_CABIN_SCALES = np.array([1, 1, 1, 1, 1, 1, 0.97, 0.93, 0.75, 0.4, 0.0])
_SIDE = 48  # cells along each side of the cabin


@dataclass(frozen=True)
class _Shape:
    """Measures of a car in metres; x counts from its middle to the front.

    Attributes:
        size: length, width and height.
        axles: x of both axles, the front one first.
        upper_edge: x and z of hood, belt line and deck, from the tail to the nose.
        cabin: x of the windscreen's foot and top, of the rear window's top and foot.
        belt: height at which the windows begin.
        clearance: of the sill above the ground.
        wheel_radius: of the tyre.
        pillars: x between side windows, as the shares of the cabin's length from its tail that each of them takes.
        bed: x of both ends of a pickup's bed.
    """

    size: tuple[float, float, float]
    axles: tuple[float, float]
    upper_edge: tuple[tuple[float, float], ...]
    cabin: tuple[float, float, float, float]
    belt: float
    clearance: float = 0.2
    wheel_radius: float = 0.33
    pillars: tuple[tuple[float, float], ...] = ((0.0, 0.12), (0.48, 0.54), (0.93, 1.0))
    bed: tuple[float, float] | None = None


_SHAPES = {
    "sedan": _Shape(
        size=(4.75, 1.82, 1.46),
        axles=(1.4, -1.38),
        upper_edge=((-2.375, 0.9), (-2.2, 0.98), (-1.5, 1.0), (0.8, 0.95), (1.0, 0.94), (2.0, 0.8), (2.375, 0.66)),
        cabin=(1.02, 0.28, -0.95, -1.68),
        belt=0.93,
    ),
    "hatchback": _Shape(
        size=(4.05, 1.76, 1.5),
        axles=(1.26, -1.26),
        upper_edge=((-2.025, 0.88), (-1.9, 0.98), (0.8, 0.96), (1.05, 0.94), (1.75, 0.8), (2.025, 0.68)),
        cabin=(1.12, 0.42, -1.5, -1.92),
        belt=0.94,
        pillars=((0.0, 0.13), (0.5, 0.56), (0.93, 1.0)),
    ),
    "suv": _Shape(
        size=(4.7, 1.92, 1.76),
        axles=(1.4, -1.4),
        upper_edge=((-2.35, 1.02), (-2.25, 1.12), (0.9, 1.1), (1.1, 1.08), (2.1, 1.0), (2.35, 0.86)),
        cabin=(1.08, 0.48, -1.95, -2.25),
        belt=1.08,
        clearance=0.3,
        wheel_radius=0.39,
        pillars=((0.0, 0.06), (0.27, 0.31), (0.62, 0.66), (0.94, 1.0)),
    ),
    "coupe": _Shape(
        size=(4.45, 1.88, 1.28),
        axles=(1.32, -1.24),
        upper_edge=((-2.225, 0.84), (-2.0, 0.9), (-1.2, 0.88), (0.5, 0.84), (0.7, 0.83), (1.8, 0.68), (2.225, 0.52)),
        cabin=(0.78, -0.06, -0.72, -1.92),
        belt=0.82,
        clearance=0.15,
        wheel_radius=0.34,
        pillars=((0.0, 0.3), (0.93, 1.0)),
    ),
    "van": _Shape(
        size=(4.95, 1.94, 2.0),
        axles=(1.55, -1.45),
        upper_edge=((-2.475, 1.0), (-2.4, 1.12), (1.4, 1.1), (1.6, 1.06), (2.3, 0.92), (2.475, 0.78)),
        cabin=(1.75, 1.0, -2.25, -2.42),
        belt=1.08,
        clearance=0.22,
        wheel_radius=0.34,
        pillars=((0.0, 0.62), (0.95, 1.0)),
    ),
    "pickup": _Shape(
        size=(5.35, 1.92, 1.8),
        axles=(1.65, -1.6),
        upper_edge=((-2.675, 0.78), (-0.68, 0.78), (-0.6, 1.1), (1.2, 1.1), (1.4, 1.08), (2.4, 1.0), (2.675, 0.84)),
        cabin=(1.36, 0.8, -0.42, -0.6),
        belt=1.08,
        clearance=0.32,
        wheel_radius=0.4,
        pillars=((0.0, 0.06), (0.38, 0.44), (0.94, 1.0)),
        bed=(-2.66, -0.62),
    ),
}
BODIES = tuple(_SHAPES)


def parametric_car(name: str) -> list[Part]:
    """Return one of the six cars: a part for each material, x to the front, z up, the wheels on z = 0, metres."""
    shape = _SHAPES[name]
    parts = [*_lower_body(shape), *_cabin(shape), *_lights(shape), *_fittings(shape)]
    track = shape.size[1] / 2 - 0.13
    corners = [(x, side * track) for x in shape.axles for side in (1, -1)]
    return [*parts, *wheels(corners, radius=shape.wheel_radius, width=0.22)]


def _lower_body(shape: _Shape) -> list[Part]:
    """Return the painted shell from sill to belt line, open at the wheels, and the dark body inside it."""
    length, width, _ = shape.size
    outer = _shell(shape, length, width, arches=True)
    inner = _shell(shape, length - 0.08, width - 0.14, arches=False)
    inner[..., 2] = np.clip(inner[..., 2] - 0.03, shape.clearance + 0.02, None)
    return [grid_part("paint", outer), grid_part("trim", inner)]


def _shell(shape: _Shape, length: float, width: float, *, arches: bool) -> NDArray[np.float64]:
    """Return the points ``(stations, points of a section, 3)`` of a body of this length and width."""
    half = length / 2
    # Stations lie closer at both ends, where the body is round.
    ends = half - 0.15 * (1 - np.sin(np.linspace(0, np.pi / 2, 7)[:-1]))
    x = np.concatenate([-ends[::-1], np.linspace(0.15 - half, half - 0.15, 181), ends])
    roundness = np.sqrt(1 - (1 - np.minimum((half - np.abs(x)) / 0.15, 1)) ** 2)
    top = np.interp(x, *np.transpose(shape.upper_edge))
    top = np.convolve(np.pad(top, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    bumper = 0.5 * (shape.clearance + top)
    top = bumper + (top - bumper) * (0.55 + 0.45 * roundness)
    bottom = bumper + (shape.clearance - bumper) * (0.6 + 0.4 * roundness)
    taper = 1 - 0.12 * np.abs(x / half) ** 5 - 0.1 * (1 - roundness)
    y = width / 2 * taper[:, None] * _SECTION[:, 0]
    z = bottom[:, None] + (top - bottom)[:, None] * _SECTION[:, 1]
    if arches:
        radius = shape.wheel_radius + 0.055
        for axle in shape.axles:
            inside = np.clip(radius**2 - (x - axle) ** 2, 0, None)
            z = np.maximum(z, np.where(inside > 0, shape.wheel_radius + np.sqrt(inside), 0)[:, None])
            z = np.minimum(z, np.maximum(top, 0)[:, None])
    half_section = np.stack([np.broadcast_to(x[:, None], y.shape), y, z], axis=-1)
    mirrored = half_section[:, :0:-1] * [1, -1, 1]
    points = np.concatenate([mirrored, half_section], axis=1)
    middle = points.mean(axis=1, keepdims=True)
    # Both ends are closed by one more station that lies in a point.
    caps = [np.broadcast_to(middle[end], points[:1].shape) for end in ([0], [-1])]
    return np.concatenate([caps[0], points, caps[1]])


def _cabin(shape: _Shape) -> list[Part]:
    """Return roof and pillars, the windows, and the seats behind them."""
    front_foot, front_top, rear_top, rear_foot = shape.cabin
    _, width, height = shape.size
    levels, scales = _CABIN_LEVELS, _CABIN_SCALES
    straight = np.minimum(levels, 1)
    front = front_foot + (front_top - front_foot) * straight
    rear = rear_foot + (rear_top - rear_foot) * straight
    half_width = width / 2 * (0.94 - 0.17 * straight)
    z = shape.belt - 0.04 + (height - shape.belt + 0.04) * levels / levels[-1]
    along = np.linspace(-1, 1, _SIDE + 1)[:-1]
    ones = np.ones(_SIDE)
    square = np.concatenate(
        [np.stack(side, 1) for side in ((along, ones), (ones, -along), (-along, -ones), (-ones, along))]
    )
    outline = square / (np.abs(square) ** 9).sum(1, keepdims=True) ** (1 / 9)
    outline, square = np.concatenate([outline, outline[:1]]), np.concatenate([square, square[:1]])
    centre, reach = (front + rear) / 2, (front - rear) / 2
    points = np.empty((len(levels), len(outline), 3))
    points[..., 0] = centre[:, None] + (reach * scales)[:, None] * outline[:, 0]
    points[..., 1] = (half_width * scales)[:, None] * outline[:, 1]
    points[..., 2] = z[:, None]
    windows = _windows(shape, (square[1:] + square[:-1]) / 2)
    glazed = (levels[:-1] > 0.05) & (levels[1:] < 0.95)
    glass = glazed[:, None] & windows
    seats = [
        rounded("trim", (x, side * width * 0.2, shape.belt - 0.05), (0.1, width * 0.12, 0.32), 4)
        for x in (front_top - 0.45, *((rear_top + 0.35,) if front_top - rear_top > 1.0 else ()))
        for side in (1, -1)
    ]
    return [grid_part("paint", points, ~glass), grid_part("glass", points, glass), *seats]


def _windows(shape: _Shape, square: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which cells around the cabin are windows: front and rear panes, and the sides but for the pillars."""
    x, y = square.T
    across = np.abs(y) < 0.9
    share = (x + 1) / 2
    pillar = np.zeros(len(x), dtype=bool)
    for start, stop in shape.pillars:
        pillar |= (start <= share) & (share <= stop)
    return np.where(np.abs(x) > np.abs(y), across, ~pillar)


def _lights(shape: _Shape) -> list[Part]:
    """Return headlights, grille and number plates in front, and lights and bumper behind."""
    (tail, tail_height), (nose, nose_height) = shape.upper_edge[0], shape.upper_edge[-1]
    side = shape.size[1] / 2 * 0.7
    low = (shape.clearance + nose_height) / 2
    parts = [
        rounded("trim", (nose - 0.06, 0, low + 0.06), (0.07, side * 0.62, 0.09), 6),
        rounded("trim", (nose - 0.1, 0, shape.clearance + 0.1), (0.08, side * 0.9, 0.05), 6),
        rounded("trim", (tail + 0.1, 0, shape.clearance + 0.12), (0.08, side * 0.95, 0.07), 6),
        rounded("plate", (nose + 0.0, 0, low - 0.05), (0.02, 0.26, 0.055), 8),
        rounded("plate", (tail, 0, (shape.clearance + tail_height) / 2 + 0.02), (0.02, 0.26, 0.055), 8),
    ]
    for sign in (1, -1):
        parts += [
            rounded("headlight", (nose - 0.16, sign * side * 0.98, nose_height - 0.06), (0.14, 0.17, 0.065), 3),
            rounded("taillight", (tail + 0.1, sign * side * 1.02, tail_height - 0.1), (0.1, 0.15, 0.085), 4),
        ]
    return parts


def _fittings(shape: _Shape) -> list[Part]:
    """Return mirrors and door handles, and the walls of a pickup's bed."""
    half_width = shape.size[1] / 2
    parts = []
    for sign in (1, -1):
        parts.append(
            rounded(
                "paint", (shape.cabin[0] - 0.28, sign * (half_width + 0.07), shape.belt + 0.08), (0.07, 0.1, 0.07), 3
            )
        )
        middle = (shape.cabin[0] + shape.cabin[3]) / 2
        for x in (middle + 0.05, middle - 0.85)[: 2 if len(shape.pillars) > 2 else 1]:
            parts.append(rounded("trim", (x, sign * half_width * 0.985, shape.belt - 0.16), (0.09, 0.02, 0.015), 4))
    if shape.bed:
        tail, head = shape.bed
        for sign in (1, -1):
            centre = ((tail + head) / 2, sign * (half_width - 0.1), 0.88)
            parts.append(rounded("paint", centre, ((head - tail) / 2, 0.07, 0.2), 12))
        parts.append(rounded("paint", (tail + 0.07, 0, 0.88), (0.06, half_width - 0.12, 0.2), 12))
        parts.append(
            rounded("trim", ((tail + head) / 2, 0, 0.76), ((head - tail) / 2 - 0.02, half_width - 0.14, 0.04), 12)
        )
    return parts
