"""Mesh files by their suffix."""

from __future__ import annotations

import os
import struct

from ._ac3d import read_ac3d
from ._checks import location
from ._core import value_error
from ._glb import read_glb
from ._mesh import Part
from ._obj import read_obj

_READERS = {".ac": read_ac3d, ".acc": read_ac3d, ".obj": read_obj, ".glb": read_glb}
_FAULTS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    StopIteration,
    RecursionError,
    struct.error,
)


def read_mesh(path: str | os.PathLike[str]) -> list[Part]:
    """Read the parts of an AC3D (``.ac``, ``.acc``), OBJ or GLB file, in the axes and units of the file.

    Parts are named as AC3D's objects, ``object/material`` of OBJ, ``node/material`` of GLB. Textures are not read.

    Raises:
        ValueError: another suffix, or a file that is broken, truncated or empty; the message names it.
        FileNotFoundError: no such file.
    """
    path = location("path", path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise value_error("path", f"a file that ends in {', '.join(_READERS)}", str(path))
    data = path.read_bytes()
    try:
        parts = reader(data)
    except _FAULTS as error:
        raise value_error("path", f"a whole {path.suffix} file", f"{path}: {type(error).__name__}: {error}") from error
    if not any(len(part.triangles) for part in parts):
        raise value_error("path", "a mesh with triangles", f"{path}, which has none")
    return parts
