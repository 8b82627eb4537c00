"""Between 8-bit sRGB and CIE Lab (white D50, as in photo editors), the same bits on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 65535
TO_XYZ = np.array(  # linear sRGB to XYZ over the white point D50 (Bradford), so that white is (1, 1, 1)
    [
        [0.4360747 / 0.9642120, 0.3850649 / 0.9642120, 0.1430804 / 0.9642120],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322 / 0.8251883, 0.0971045 / 0.8251883, 0.7141733 / 0.8251883],
    ]
)
TO_XYZ /= TO_XYZ.sum(axis=1, keepdims=True)
TO_RGB = np.linalg.inv(TO_XYZ)
DELTA = 6 / 29  # where the cube root of Lab turns into a line
CHROMA = 100.0  # lab() returns L / 100, a / 100 and b / 100


def decode(value: NDArray[Any]) -> NDArray[Any]:
    """Return linear light of sRGB values in [0, 1]."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encode(light: NDArray[Any]) -> NDArray[Any]:
    """Return sRGB values of linear light in [0, 1]."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


LINEAR = decode(np.arange(256) / 255)
# A table of the whole curve costs less than its power; an eighth of a level is its largest step.
EIGHT_BITS = np.rint(255 * encode(np.arange(STEPS + 1) / STEPS)).astype(np.uint8)


def mixed(matrix: NDArray[np.float64], planes: Any) -> Any:
    """Return the matrix times ``(3, ...)`` planes; written out, because BLAS rounds differently on each processor."""
    rows = matrix.astype(np.float32)
    return np.stack([row[0] * planes[0] + row[1] * planes[1] + row[2] * planes[2] for row in rows])


def rgb_to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return ``(3, h, w)`` lightness in [0, 1] and chroma over 100 of sRGB planes."""
    xyz = mixed(TO_XYZ, LINEAR.astype(np.float32)[rgb]).astype(np.float64)
    # In double precision the cube root rounds to the same single on every machine.
    above = np.maximum(xyz, DELTA**3)  # below, the root goes on as its tangent
    x, y, z = (np.cbrt(above) + (xyz - above) / (3 * DELTA**2)).astype(np.float32)
    return np.stack([1.16 * y - np.float32(0.16), 5 * (x - y), 2 * (y - z)])


def lab_to_rgb(lab: Any) -> NDArray[np.uint8]:
    """Return ``(3, h, w)`` sRGB planes of lightness in [0, 1] and chroma over 100, clipped to what sRGB has."""
    y = (lab[0] + np.float32(0.16)) * np.float32(1 / 1.16)
    root = np.stack([y + lab[1] * np.float32(0.2), y, y - lab[2] * np.float32(0.5)])
    # Below DELTA the cube goes on as its tangent.
    cubed = np.maximum(root, np.float32(DELTA))
    root -= cubed
    root *= np.float32(3 * DELTA**2)
    root += cubed * cubed * cubed
    light = mixed(TO_RGB, root)
    np.clip(light, 0, 1, out=light)
    light *= STEPS
    light += 0.5
    rgb: NDArray[np.uint8] = EIGHT_BITS.take(light.astype(np.uint16))
    return rgb
