"""Parts of a car as triangles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._core import type_error, value_error

AXES = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles that share a name, such as that of an object in a mesh file or of what they are made of.

    Args:
        name: of the part.
        vertices: positions ``(n, 3)``.
        triangles: indices into ``vertices``, ``(m, 3)``.

    Raises:
        ValueError: an index without a vertex, or a position that is not finite.
    """

    name: str
    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Check that the triangles have vertices."""
        if not isinstance(self.name, str):
            raise type_error("name", "a text", self.name)
        vertices = _rows("vertices", self.vertices, "iuf", "rows of three numbers").astype(np.float64)
        triangles = _rows("triangles", self.triangles, "iu", "rows of three whole numbers").astype(np.int64)
        if not np.isfinite(vertices).all():
            raise value_error("vertices", "finite positions", f"NaN or infinity in {self.name!r}")
        if ((triangles < 0) | (triangles >= len(vertices))).any():
            raise value_error("triangles", f"indices of the {len(vertices)} vertices of {self.name!r}", "others")
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "triangles", triangles)

    def placed(self, *, scale: ArrayLike = 1.0, offset: ArrayLike = 0.0) -> Part:
        """Return the part scaled, then moved, both along x, y and z."""
        return replace(self, vertices=self.vertices * _along_axes("scale", scale) + _along_axes("offset", offset))

    def oriented(self, *, up: str, forward: str) -> Part:
        """Return the part with x to the front, y to the left and z up.

        Args:
            up: axis of the file that points up, such as ``"y"`` or ``"-z"``.
            forward: axis of the file that points to the front of the car.
        """
        towards_z, towards_x = direction("up", up), direction("forward", forward)
        if towards_z @ towards_x:
            raise value_error("forward", f"an axis across up={up!r}", forward)
        # The third axis follows from the others, so that no car becomes its mirror image.
        axes = np.stack([towards_x, np.cross(towards_z, towards_x), towards_z])
        return replace(self, vertices=self.vertices @ axes.T)


def _rows(argument: str, values: ArrayLike, kinds: str, expected: str) -> NDArray[Any]:
    """Return rows of three numbers of these kinds of numpy's; nothing at all is no row."""
    numbers = _numbers(values)
    if not numbers.size and numbers.dtype.kind in "iuf":
        return numbers.reshape(0, 3)
    if numbers.dtype.kind not in kinds or numbers.shape[1:] != (3,):
        raise value_error(argument, expected, f"{numbers.dtype} of shape {numbers.shape}")
    return numbers


def _along_axes(argument: str, values: ArrayLike) -> NDArray[Any]:
    """Return one finite number, or three of them."""
    numbers = _numbers(values)
    if numbers.dtype.kind not in "iuf" or numbers.shape not in ((), (3,)) or not np.isfinite(numbers).all():
        raise value_error(argument, "a finite number, or three of them", values)
    return numbers


def _numbers(values: ArrayLike) -> NDArray[Any]:
    """Return an array, of objects where rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.array(None, dtype=object)


def direction(argument: str, axis: str) -> NDArray[np.float64]:
    """Return the unit vector of an axis such as ``"y"`` or ``"-z"``."""
    if not isinstance(axis, str) or axis.removeprefix("-") not in AXES:
        raise value_error(argument, "x, y, z, -x, -y or -z", axis)
    vector = np.zeros(3)
    vector[AXES[axis[-1]]] = -1 if axis.startswith("-") else 1
    return vector


def joined(name: str, parts: list[Part]) -> Part:
    """Return several parts as one of this name."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    triangles = [part.triangles + start for part, start in zip(parts, starts)]
    return Part(name, np.concatenate([part.vertices for part in parts]), np.concatenate(triangles))


def grid_part(name: str, points: NDArray[np.float64], cells: NDArray[np.bool_] | None = None) -> Part:
    """Return the surface through a grid of points.

    Args:
        name: of the part.
        points: ``(h, w, 3)``; equal points make a cell a triangle or nothing.
        cells: which of the ``(h - 1, w - 1)`` cells belong to the part; all by default.
    """
    height, width = points.shape[:2]
    index = np.arange(height * width).reshape(height, width)
    corners = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1)
    chosen = corners[cells] if cells is not None else corners.reshape(-1, 4)
    triangles = np.concatenate([chosen[:, [0, 1, 2]], chosen[:, [0, 2, 3]]])
    used, triangles = np.unique(triangles, return_inverse=True)
    return Part(name, points.reshape(-1, 3)[used], triangles.reshape(-1, 3))


def rounded(name: str, centre: tuple[float, float, float], radii: tuple[float, float, float], exponent: float) -> Part:
    """Return a superellipsoid: with an exponent of 2 an ellipsoid, with a large one nearly a box."""
    steps = np.linspace(-1, 1, 9)
    first, second = np.meshgrid(steps, steps, indexing="ij")
    faces = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            # The two other axes change places on one side, so that all faces look outwards.
            others = (first, second) if sign > 0 else (second, first)
            sides = (np.full_like(first, sign), *others)
            cube = np.stack([sides[(k - axis) % 3] for k in range(3)], axis=-1)
            shape = cube / (np.abs(cube) ** exponent).sum(axis=-1, keepdims=True) ** (1 / exponent)
            faces.append(grid_part(name, shape))
    return joined(name, faces).placed(scale=radii, offset=centre)
