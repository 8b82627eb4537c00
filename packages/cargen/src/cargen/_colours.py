"""sRGB, as pictures store it, and the linear light that a renderer computes with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def linear(srgb: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return linear light of sRGB values from 0 to 1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def encoded(light: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return linear light as 8-bit sRGB; what is brighter than 1 is white."""
    clipped = np.clip(light, 0, 1)
    srgb = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    pixels: NDArray[np.uint8] = np.rint(srgb * 255).astype(np.uint8)
    return pixels
