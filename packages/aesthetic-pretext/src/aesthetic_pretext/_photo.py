"""An image that is about to be distorted, and what several of its distortions share."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._colour import rgb_to_lab
from ._core import shape_error, type_error, value_error

Pixels: TypeAlias = NDArray[np.uint8]
Planes: TypeAlias = NDArray[np.float32]
Seed: TypeAlias = tuple[int, int]  # that of the caller, and the distortion's number
BLUR_SHARE = 1 / 40  # darktable blurs by 100 pixels: so much of the longer side of a photograph of 4000


class Photo:
    """An 8-bit image of any size.

    Args:
        image: ``(h, w, 3)`` RGB, or ``(h, w)`` or ``(h, w, 1)`` grey, uint8.

    Raises:
        TypeError: it is no array.
        ValueError: it has another dtype or shape.
    """

    def __init__(self, image: Any) -> None:
        if not isinstance(image, np.ndarray):
            raise type_error("image", "a numpy array, such as load_image() returns", image)
        if image.dtype != np.uint8:
            raise value_error("image", "dtype uint8, values 0 to 255", f"dtype {image.dtype}")
        if image.ndim not in (2, 3) or image.size == 0 or (image.ndim == 3 and image.shape[2] not in (1, 3)):
            raise shape_error("image", "(h, w, 3) RGB or (h, w) grey, not empty", {"image": image.shape})
        self.image: Pixels = image
        self.pixels: Pixels = image[..., None] if image.ndim == 2 else image

    @cached_property
    def pil(self) -> Image.Image:
        """The image for Pillow."""
        return self.to_pil()

    def to_pil(self) -> Image.Image:
        """Return a copy for Pillow that is not kept."""
        height, width, channels = self.pixels.shape
        data = np.ascontiguousarray(self.pixels)
        mode = "L" if channels == 1 else "RGB"
        return Image.frombuffer(mode, (width, height), data, "raw", mode, 0, 1)

    @property
    def is_grey(self) -> bool:
        """Whether it has one channel."""
        return bool(self.pixels.shape[2] == 1)

    @cached_property
    def rgb(self) -> Pixels:
        """``(3, h, w)`` planes; a grey image has three equal ones."""
        planes = np.ascontiguousarray(np.moveaxis(self.pixels, 2, 0))
        return np.repeat(planes, 3, axis=0) if self.is_grey else planes

    @cached_property
    def lab(self) -> Planes:
        """``(3, h, w)`` lightness in [0, 1] and the two chroma coordinates in the same scale."""
        return rgb_to_lab(self.rgb)

    @cached_property
    def surroundings(self) -> Planes:
        """``(h, w)`` lightness, blurred: how light the surroundings of a pixel are."""
        return soft(self.lab[0], BLUR_SHARE * max(self.pixels.shape[:2]))

    def from_rgb(self, planes: Pixels) -> Pixels:
        """Return ``(3, h, w)`` planes in the layout of the image; for a grey one their luma."""
        result = np.ascontiguousarray(np.moveaxis(planes, 0, 2))
        return np.asarray(Image.fromarray(result).convert("L")).reshape(self.image.shape) if self.is_grey else result

    def like(self, result: Any) -> Pixels:
        """Return an array or Pillow image in the layout of the image, which may have another size."""
        if isinstance(result, Image.Image):
            shape, data = (result.height, result.width), result.tobytes()
            del result  # the copy may take its place in the cache
            array = np.frombuffer(bytearray(data), np.uint8).reshape(*shape, -1)
        else:
            array = np.array(result, dtype=np.uint8)
        return array.reshape(*array.shape[:2], *self.image.shape[2:])


def running_radius(sigma: float) -> int:
    """Return the reach of three running means that together have a standard deviation."""
    return max(1, round((math.sqrt(4 * sigma**2 + 1) - 1) / 2))


def soft(plane: Planes, sigma: float) -> Planes:
    """Blur by three running means, which together are nearly a Gaussian of that standard deviation."""
    radius = running_radius(sigma)
    result = plane.astype(np.float64)
    for axis in (0, 1) * 3:
        n = result.shape[axis]
        padded = np.pad(result, [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        total = padded.cumsum(axis)
        upper, lower = (total.take(range(start, start + n), axis) for start in (2 * radius + 1, 0))
        result = (upper - lower) / (2 * radius + 1)
    return result.astype(np.float32)
