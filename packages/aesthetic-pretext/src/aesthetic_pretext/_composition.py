"""Composition distortions: what is in the frame, and how it lies there."""

from __future__ import annotations

import math

from PIL import Image

from ._photo import Photo, Pixels, Seed

WINDOW = 2 / 3  # sides of a crop over those of the image: 224 of 336
WIDEST_ANGLE = 10.0


def horizontal_crop(photo: Photo, way: float, _: Seed) -> Pixels:
    """Move the window to the right (or left)."""
    return _crop(photo, way, 0)


def vertical_crop(photo: Photo, way: float, _: Seed) -> Pixels:
    """Move the window up (or down)."""
    return _crop(photo, 0, -way)


def left_diagonal_crop(photo: Photo, way: float, _: Seed) -> Pixels:
    """Move the window to the upper (or lower) left corner."""
    return _crop(photo, -abs(way), -way)


def right_diagonal_crop(photo: Photo, way: float, _: Seed) -> Pixels:
    """Move the window to the upper (or lower) right corner."""
    return _crop(photo, abs(way), -way)


def rotation(photo: Photo, degrees: float, _: Seed) -> Pixels:
    """Turn clockwise, and cut the rectangle out that is inside the image up to 10 degrees."""
    image = photo.pil
    width, height = inscribed(image.width, image.height)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    left = image.width / 2 - (cos * width + sin * height) / 2
    top = image.height / 2 - (cos * height - sin * width) / 2
    coefficients = (cos, sin, left, -sin, cos, top)
    turned = image.transform((width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)
    return photo.like(turned)


def image_ratio(photo: Photo, stretch: float, _: Seed) -> Pixels:
    """Stretch the height (or the width, where negative), and cut the middle out."""
    image = photo.pil
    width, height = (image.width / (1 + max(0.0, -stretch)), image.height / (1 + max(0.0, stretch)))
    left, top = (image.width - width) / 2, (image.height - height) / 2
    box = (left, top, left + width, top + height)
    return photo.like(image.resize(image.size, Image.Resampling.BICUBIC, box=box))


def inscribed(width: int, height: int) -> tuple[int, int]:
    """Return width and height of the largest upright rectangle inside an image turned by 10 degrees."""
    sin, cos = math.sin(math.radians(WIDEST_ANGLE)), math.cos(math.radians(WIDEST_ANGLE))
    long, short = max(width, height), min(width, height)
    if short <= 2 * sin * cos * long:  # two corners touch the long sides
        inside_long, inside_short = short / (2 * sin), short / (2 * cos)
    else:
        doubled = cos * cos - sin * sin
        inside_long, inside_short = (long * cos - short * sin) / doubled, (short * cos - long * sin) / doubled
    sides = (max(1, round(inside_long)), max(1, round(inside_short)))
    return sides if width >= height else sides[::-1]


def _crop(photo: Photo, right: float, down: float) -> Pixels:
    height, width = photo.pixels.shape[:2]
    inner_height, inner_width = max(1, round(height * WINDOW)), max(1, round(width * WINDOW))
    top = round((height - inner_height) / 2 * (1 + down))
    left = round((width - inner_width) / 2 * (1 + right))
    return photo.like(photo.pixels[top : top + inner_height, left : left + inner_width])
