"""Wheels: a tyre and a rim with spokes, turned about their axle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ._mesh import Part, grid_part

_STEPS = 60  # around the axle
_SPOKES = 5
_TYRE = np.array([(0.66, 0.5), (0.7, 0.56), (0.93, 0.5), (1.0, 0.36), (1.0, -0.36), (0.93, -0.5), (0.6, -0.5)])
_RIM = np.array([(0.68, 0.52), (0.64, 0.5), (0.6, 0.36)])  # share of the radius, of the width to the outside
_DISC = np.array([(0.6, 0.36), (0.2, 0.42), (0.16, 0.46), (0.0, 0.46)])
_BEHIND = np.array([(0.6, 0.36), (0.6, 0.1), (0.0, 0.1)])


def wheels(positions: Sequence[tuple[float, float]], *, radius: float, width: float) -> list[Part]:
    """Return wheels that stand on z = 0.

    Args:
        positions: x and y of each wheel's middle in metres; y > 0 is the left side.
        radius: of the tyre in metres.
        width: of the tyre in metres.
    """
    parts = []
    for x, y in positions:
        outwards = 1.0 if y > 0 else -1.0
        for part in _wheel():
            parts.append(part.placed(scale=(radius, outwards * width, radius), offset=(x, y, radius)))
    return parts


def _wheel() -> list[Part]:
    """Return a wheel of radius and width 1 whose outside looks along y."""
    angle = np.linspace(0, 2 * np.pi, _STEPS + 1)
    spoke = (angle[:-1] * _SPOKES / (2 * np.pi)) % 1 < 0.45
    disc = _turned(_DISC, angle)
    cells = np.ones((len(_DISC) - 1, _STEPS), dtype=bool)
    cells[0] = spoke
    return [
        grid_part("tyre", _turned(_TYRE, angle)),
        grid_part("rim", _turned(_RIM, angle)),
        grid_part("rim", disc, cells),
        grid_part("trim", _turned(_BEHIND, angle)),
    ]


def _turned(profile: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points of a profile (radius, y) turned about the y axis."""
    radius, y = profile[:, :1], profile[:, 1:]
    return np.stack([radius * np.cos(angle), y + 0 * angle, radius * np.sin(angle)], axis=-1)
