"""Polygons and strips as triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fan(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the triangles of a convex polygon, ``(n - 2, 3)``."""
    if len(corners) < 3:
        return np.empty((0, 3), dtype=np.int64)
    return np.stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)


def strip(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the triangles of a strip, ``(n - 2, 3)``, all turned the same way."""
    if len(corners) < 3:
        return np.empty((0, 3), dtype=np.int64)
    triangles = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    triangles[1::2] = triangles[1::2, ::-1]
    return triangles
