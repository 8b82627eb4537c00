"""AC3D, a text format: ``.ac``, and ``.acc`` with triangle strips."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ._mesh import Part
from ._triangles import fan, strip

_POLYGON, _STRIP = 0, 4  # the kinds of surfaces that have an area; lines have none


def read_ac3d(data: bytes) -> list[Part]:
    """Return one part per object, named as the object, in the axes of the file."""
    lines = iter(data.decode("latin-1").splitlines())
    if not next(lines, "").startswith("AC3D"):
        raise ValueError("no AC3D in the first line")
    parts: list[Part] = []
    # Each entry is an object whose children follow: its rotation, its place, and how many children are still to come.
    open_objects: list[tuple[NDArray[np.float64], NDArray[np.float64], int]] = []
    for line in lines:
        if line.split(maxsplit=1)[:1] != ["OBJECT"]:
            continue
        turn, place = (open_objects[-1][0], open_objects[-1][1]) if open_objects else (np.eye(3), np.zeros(3))
        part, own_turn, own_place, kids = _object(lines)
        turn, place = own_turn @ turn, own_place @ turn + place
        if len(part.triangles):
            parts.append(Part(part.name, part.vertices @ turn + place, part.triangles))
        if open_objects:
            open_objects[-1] = (*open_objects[-1][:2], open_objects[-1][2] - 1)
        open_objects.append((turn, place, kids))
        while open_objects and open_objects[-1][2] <= 0:
            open_objects.pop()
    if open_objects:
        raise ValueError(f"{open_objects[-1][2]} objects are missing at the end")
    return parts


def _object(lines: Iterator[str]) -> tuple[Part, NDArray[np.float64], NDArray[np.float64], int]:
    """Read one object up to its number of children."""
    name = ""
    turn, place = np.eye(3), np.zeros(3)
    vertices, triangles = np.empty((0, 3)), np.empty((0, 3), dtype=np.int64)
    for line in lines:
        word, _, value = line.strip().partition(" ")
        if word == "name":
            name = value.strip('"')
        elif word == "data":
            next(lines)
        elif word == "rot":
            turn = np.array(value.split(), dtype=float).reshape(3, 3)
        elif word == "loc":
            place = np.array(value.split(), dtype=float).reshape(3)
        elif word == "numvert":
            vertices = np.array([_next(lines).split()[:3] for _ in range(int(value))], dtype=float).reshape(-1, 3)
        elif word == "numsurf":
            surfaces = [_surface(lines) for _ in range(int(value))]
            triangles = np.concatenate([triangles, *surfaces])
        elif word == "kids":
            return Part(name, vertices, triangles), turn, place, int(value)
    raise ValueError("the last object is not complete")


def _surface(lines: Iterator[str]) -> NDArray[np.int64]:
    """Read one surface as triangles."""
    kind = None
    for line in lines:
        word, _, value = line.strip().partition(" ")
        if word == "SURF":
            kind = int(value, 16) & 0xF
        elif word == "refs":
            corners = np.array([_next(lines).split()[0] for _ in range(int(value))], dtype=np.int64)
            if kind == _POLYGON:
                return fan(corners)
            return strip(corners) if kind == _STRIP else np.empty((0, 3), dtype=np.int64)
    raise ValueError("the last surface is not complete")


def _next(lines: Iterator[str]) -> str:
    line = next(lines, None)
    if line is None:
        raise ValueError("it ends too early")
    return line
