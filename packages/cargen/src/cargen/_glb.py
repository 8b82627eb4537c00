"""GLB, the binary container of glTF 2: one JSON chunk, one binary chunk."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._mesh import Part
from ._triangles import fan, strip

_NUMBERS: dict[int, np.dtype[Any]] = {
    5121: np.dtype("<u1"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
_COLUMNS = {"SCALAR": 1, "VEC3": 3}
_FACES = {4: lambda corners: corners[: len(corners) // 3 * 3].reshape(-1, 3), 5: strip, 6: fan}
_JSON, _BINARY = 0x4E4F534A, 0x004E4942


def read_glb(data: bytes) -> list[Part]:
    """Return one part per node and material, named ``node/material``, in the axes of the file (y up, front along z)."""
    document, binary = _chunks(data)
    if document.get("extensionsRequired"):
        raise ValueError(f"it needs extensions: {', '.join(document['extensionsRequired'])}")
    nodes = document.get("nodes", [])
    scenes = document.get("scenes", [{"nodes": range(len(nodes))}])
    roots = scenes[document.get("scene", 0)].get("nodes", [])
    parts: list[Part] = []
    todo = [(root, np.eye(4)) for root in roots]
    for _ in nodes:  # a tree shows each node once at most
        if not todo:
            break
        number, above = todo.pop()
        node = nodes[number]
        placed = above @ _matrix(node)
        todo += [(child, placed) for child in node.get("children", [])]
        if "mesh" in node:
            for primitive in document["meshes"][node["mesh"]]["primitives"]:
                parts += _primitive(document, binary, primitive, node.get("name", ""), placed)
    if todo:
        raise ValueError("its nodes are no tree")
    return parts


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    magic, version, _ = struct.unpack_from("<4s2I", data)
    if magic != b"glTF" or version != 2:
        raise ValueError("no glTF 2 in the first bytes")
    chunks, position = {}, 12
    while position < len(data):
        size, kind = struct.unpack_from("<2I", data, position)
        chunks[kind] = data[position + 8 : position + 8 + size]
        if len(chunks[kind]) < size:
            raise ValueError("it ends too early")
        position += 8 + size
    document = json.loads(chunks[_JSON])
    if not isinstance(document, dict):
        raise ValueError("its JSON is no object")
    return document, chunks.get(_BINARY, b"")


def _matrix(node: dict[str, Any]) -> NDArray[np.float64]:
    """Return the transformation of a node: its matrix, or its scale, rotation and translation."""
    if "matrix" in node:
        return np.array(node["matrix"], dtype=float).reshape(4, 4).T
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), dtype=float)
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(turn) * np.array(node.get("scale", (1, 1, 1)), dtype=float)
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def _primitive(
    document: dict[str, Any], binary: bytes, primitive: dict[str, Any], node: str, placed: NDArray[np.float64]
) -> list[Part]:
    """Return the triangles of one primitive, or nothing for points and lines."""
    faces = _FACES.get(primitive.get("mode", 4))
    if faces is None:
        return []
    vertices = _accessor(document, binary, primitive["attributes"]["POSITION"], "VEC3").astype(float)
    if "indices" in primitive:
        corners = _accessor(document, binary, primitive["indices"], "SCALAR").astype(np.int64)
    else:
        corners = np.arange(len(vertices))
    material = ""
    if "material" in primitive:
        material = document["materials"][primitive["material"]].get("name", "")
    return [Part(f"{node}/{material}", vertices @ placed[:3, :3].T + placed[:3, 3], faces(corners.ravel()))]


def _accessor(document: dict[str, Any], binary: bytes, number: int, kind: str) -> NDArray[Any]:
    """Return the values of an accessor, ``(n, columns)``."""
    accessor = document["accessors"][number]
    if accessor["type"] != kind or "sparse" in accessor:
        raise ValueError(f"accessor {number} is no plain {kind}")
    view = document["bufferViews"][accessor["bufferView"]]
    if view.get("buffer", 0) != 0 or "uri" in document["buffers"][0]:
        raise ValueError("its data lie in another file")
    dtype, columns, count = _NUMBERS[accessor["componentType"]], _COLUMNS[kind], accessor["count"]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    row = dtype.itemsize * columns
    step = view.get("byteStride", row)
    if count < 1 or start < 0 or step < row or start + step * (count - 1) + row > len(binary):
        raise ValueError(f"accessor {number} reaches beyond the data")
    return np.ndarray((count, columns), dtype, binary, start, (step, dtype.itemsize))
