"""The one kind of OpenEXR file that Blender is told to write: one part, scan lines, 32-bit floats, not compressed."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


def read_exr(data: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the channels of an image by name, ``(h, w)`` each."""
    attributes, position = {}, 8
    while data[position]:
        name, position = _text(data, position)
        _, position = _text(data, position)
        (size,) = struct.unpack_from("<i", data, position)
        attributes[name] = data[position + 4 : position + 4 + size]
        position += 4 + size
    if attributes["compression"] != b"\0":
        raise ValueError("expected an OpenEXR file without compression")
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    names = _channels(attributes["channels"])
    # After the header come the offsets of the lines, then each line: its number, its size, channel after channel.
    start = position + 1 + 8 * height
    line = np.dtype([("header", "<i4", 2), ("pixels", "<f4", (len(names), width))])
    pixels = np.frombuffer(data, line, height, start)["pixels"]
    return {name: pixels[:, channel] for channel, name in enumerate(names)}


def _channels(table: bytes) -> list[str]:
    """Return the names of a header's channels."""
    names, position = [], 0
    while table[position]:
        name, position = _text(table, position)
        (kind,) = struct.unpack_from("<i", table, position)
        if kind != 2:
            raise ValueError(f"expected 32-bit floats in the channel {name}")
        names.append(name)
        position += 16
    return names


def _text(data: bytes, position: int) -> tuple[str, int]:
    """Return the text that begins here, and where the next value begins."""
    end = data.index(b"\0", position)
    return data[position:end].decode(), end + 1
