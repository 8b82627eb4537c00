"""PNG files, several times faster than Pillow writes them: maps need no search for the best filter."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 3: 2}  # channels to PNG's number for grey and for RGB


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the file of an image ``(h, w)`` or ``(h, w, 3)``: each pixel minus its left neighbour, runs compressed."""
    height, width = pixels.shape[:2]
    channels = pixels.size // (height * width)
    rows = np.empty((height, 1 + width * channels), dtype=np.uint8)
    rows[:, 0] = 1  # the filter "Sub"
    flat = pixels.reshape(height, -1)
    rows[:, 1 : 1 + channels] = flat[:, :channels]
    np.subtract(flat[:, channels:], flat[:, :-channels], out=rows[:, 1 + channels :])
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    data = compressor.compress(rows.tobytes()) + compressor.flush()
    header = struct.pack(">2I5B", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
