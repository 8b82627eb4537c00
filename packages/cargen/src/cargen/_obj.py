"""Wavefront OBJ, a text format."""

from __future__ import annotations

import numpy as np

from ._mesh import Part
from ._triangles import fan


def read_obj(data: bytes) -> list[Part]:
    """Return one part per object and material, named ``object/material``, in the axes of the file."""
    vertices: list[list[float]] = []
    triangles: dict[str, list[np.ndarray]] = {}
    name, material = "", ""
    for line in data.decode("utf-8", errors="replace").splitlines():
        word, _, value = line.strip().partition(" ")
        if word == "v":
            vertices.append([float(number) for number in value.split()[:3]])
        elif word in ("o", "g"):
            name = value.strip()
        elif word == "usemtl":
            material = value.strip()
        elif word == "f":
            corners = np.array([int(corner.split("/")[0]) for corner in value.split()], dtype=np.int64)
            if not corners.all():
                raise ValueError("a face with the vertex 0, which OBJ does not have")
            # Indices begin at 1; negative ones count from the last vertex so far.
            corners = np.where(corners < 0, corners + len(vertices), corners - 1)
            triangles.setdefault(f"{name}/{material}", []).append(fan(corners))
    positions = np.array(vertices, dtype=float).reshape(-1, 3)
    return [_part(name, positions, np.concatenate(faces)) for name, faces in triangles.items()]


def _part(name: str, vertices: np.ndarray, triangles: np.ndarray) -> Part:
    """Return a part with the vertices that it uses."""
    Part(name, vertices, triangles)  # checks the indices before they choose vertices
    used, triangles = np.unique(triangles, return_inverse=True)
    return Part(name, vertices[used], triangles.reshape(-1, 3))
