"""Technical distortions: noise, blur and compression with the published severities of ImageNet-C."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._photo import Photo, Pixels, Seed


def gaussian_noise(photo: Photo, scale: float, seed: Seed) -> Pixels:
    """Add normal noise with a standard deviation of ``scale`` of the range."""
    noisy = np.random.default_rng(seed).standard_normal(photo.pixels.shape, dtype=np.float32)
    noisy *= np.float32(255 * scale)
    noisy += photo.pixels
    noisy += np.float32(0.5)
    return photo.like(np.clip(noisy, 0, 255, out=noisy))


def impulse_noise(photo: Photo, share: float, seed: Seed) -> Pixels:
    """Replace a share of the values, half of them by black and half by white."""
    drawn = np.random.default_rng(seed).random(photo.pixels.shape, dtype=np.float32)
    noisy = photo.pixels.copy()
    noisy[drawn < share / 2] = 0
    noisy[drawn > 1 - share / 2] = 255
    return photo.like(noisy)


def defocus_blur(photo: Photo, disk: tuple[int, float], _: Seed) -> Pixels:
    """Average over a disk of a radius in pixels, its edge softened by a Gaussian."""
    radius, softness = disk
    height, width = photo.pixels.shape[:2]
    padding = [(radius + 2, radius + 2), (radius + 2, radius + 2), (0, 0)]
    padded = np.pad(photo.pixels, padding, mode="reflect")
    total = np.zeros((padded.shape[0], padded.shape[1] + 1, padded.shape[2]), np.int32)
    np.cumsum(padded, axis=1, out=total[:, 1:])
    # A disk is a pile of horizontal runs; in whole numbers a run is the difference of two running sums.
    summed = np.zeros((height + 4, width + 4, padded.shape[2]), np.int32)
    area = 0
    for dy in range(radius + 1):
        half = math.isqrt(radius * radius - dy * dy)
        runs = total[:, radius + half + 1 :][:, : width + 4] - total[:, radius - half :][:, : width + 4]
        for offset in {dy, -dy}:
            summed += runs[radius + offset :][: height + 4]
            area += 2 * half + 1
    blurred = summed.astype(np.float32)
    taps = softening_taps(softness)[2:]
    for n, axis in ((height, 0), (width, 1)):
        lines = np.moveaxis(blurred, axis, 0)
        sides = sum(np.float32(taps[i]) * (lines[2 - i :][:n] + lines[2 + i :][:n]) for i in (1, 2) if taps[i] > 1e-9)
        blurred = np.moveaxis(np.float32(taps[0]) * lines[2 : 2 + n] + sides, 0, axis)
    return photo.like(blurred / np.float32(area) + np.float32(0.5))


def motion_blur(photo: Photo, motion: tuple[int, float], seed: Seed) -> Pixels:
    """Smear along a line of an angle between -45 and 45 degrees, with weights that fall as half a Gaussian."""
    radius, sigma = motion
    angle = math.radians(np.random.default_rng(seed).uniform(-45, 45))
    height, width = photo.pixels.shape[:2]
    reach = 2 * radius + 1
    padded = np.pad(photo.pixels, [(reach, reach), (0, reach), (0, 0)], mode="edge").astype(np.float32)
    blurred = np.full(photo.pixels.shape, 0.5, np.float32)
    for i, weight in enumerate(motion_weights(radius, sigma)):
        top, left = reach + round(i * math.sin(angle)), round(i * math.cos(angle))
        blurred += weight * padded[top : top + height, left : left + width]
    return photo.like(np.minimum(blurred, 255))


def jpeg_compression(photo: Photo, quality: int, _: Seed) -> Pixels:
    """Compress and decompress."""
    file = io.BytesIO()
    photo.to_pil().save(file, "JPEG", quality=quality)  # kept, it would take the decoder's place in the cache
    return photo.like(Image.open(file, formats=("JPEG",)))


def pixelate(photo: Photo, scale: float, _: Seed) -> Pixels:
    """Scale down and up again, both by averaging over boxes."""
    image = photo.pil
    small = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))), Image.Resampling.BOX)
    # A box of a larger image holds one pixel of the smaller one: the nearest, which costs a tenth.
    return photo.like(small.resize(image.size, Image.Resampling.NEAREST))


def softening_taps(softness: float) -> list[float]:
    """Return the five weights of a Gaussian along one axis."""
    taps = [math.exp(-(i * i) / (2 * softness * softness)) for i in (-2, -1, 0, 1, 2)]
    return [tap / sum(taps) for tap in taps]


def motion_weights(radius: int, sigma: float) -> NDArray[np.float32]:
    """Return the weights along the line of motion."""
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * sigma * sigma))
    return np.asarray(weights / weights.sum(), np.float32)
