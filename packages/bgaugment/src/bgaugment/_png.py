"""8-bit grey PNG files of unfiltered rows, which are decoded by inflating alone.

Masks are read in every epoch, and a decoder for all kinds of files takes three times as long.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from ._images import Array

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = 8, 0, 0, 0, 0  # bits, colour type, compression, filter and interlace methods
_LARGEST_BUFFER = 2**26  # a damaged header may ask for any memory


def encode_grey(levels: Array) -> bytes:
    """Return the PNG file of ``(h, w)`` 8-bit levels."""
    height, width = levels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # the first byte of a row says that it is not filtered
    rows[:, 1:] = levels
    header = struct.pack(">2I5B", width, height, *_GREY)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in parts)


def decode_grey(file: bytes) -> Array | None:
    """Return the ``(h, w)`` levels of a file that `encode_grey` made, or None for any other or damaged one."""
    try:
        width, height, *kind = struct.unpack_from(">2I5B", file, 16)
        (length,) = struct.unpack_from(">I", file, 33)
    except struct.error:
        return None
    data = file[41 : 41 + length]
    parts = (b"IHDR", file[16:29]), (b"IDAT", data), (b"IEND", b"")
    if tuple(kind) != _GREY or file != _SIGNATURE + b"".join(_chunk(*part) for part in parts):
        return None
    size = height * (width + 1)
    try:
        # The chunk's own check sum is right, so that of the compressed stream need not be computed, too.
        content = zlib.decompress(data[2:-4], -zlib.MAX_WBITS, min(size, _LARGEST_BUFFER))
    except zlib.error:
        return None
    if len(content) != size or not size:
        return None
    rows = np.frombuffer(content, np.uint8).reshape(height, width + 1)
    return rows[:, 1:].copy() if content[:: width + 1] == bytes(height) else None


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
