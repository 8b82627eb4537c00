"""PNG files, several times faster than Pillow writes them: maps need no search for the best filter."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_GREY, _RGB, _PALETTE = 0, 2, 3  # PNG's colour types


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the file of an image ``(h, w)`` or ``(h, w, 3)``."""
    return _file(pixels, _GREY if pixels.ndim == 2 else _RGB, _data(pixels))


def encode_pair(labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """Return the files of an image whose colours a palette ``(n, 3)`` names, and of its labels ``(h, w)``."""
    data = _data(labels)
    return _file(labels, _PALETTE, _chunk(b"PLTE", palette.tobytes()) + data), _file(labels, _GREY, data)


def _data(pixels: NDArray[np.uint8]) -> bytes:
    height = len(pixels)
    rows = np.zeros((height, 1 + pixels.size // height), dtype=np.uint8)  # each begins with the filter, none
    rows[:, 1:] = pixels.reshape(height, -1)
    return _chunk(b"IDAT", zlib.compress(rows.data, level=1))


def _file(pixels: NDArray[np.uint8], colours: int, chunks: bytes) -> bytes:
    height, width = pixels.shape[:2]
    header = struct.pack(">2I5B", width, height, 8, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + chunks + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
