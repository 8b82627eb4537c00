"""Seven faults of photographs in three grades; aesthetic-pretext makes none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRADES = (1, 2, 3)
BEST, PER_GRADE = 9.0, 2.5  # rating of a photograph without a fault, and what each grade costs
Values: TypeAlias = NDArray[np.float64]


def rated_versions(photograph: NDArray[np.uint8]) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield rating and picture ``(h, w, 3)``: the photograph, then each fault in each grade."""
    yield BEST, photograph
    for make in FAULTS.values():
        for grade in GRADES:
            values = make(photograph.astype(np.float64), grade)
            yield BEST - PER_GRADE * grade, values.round().clip(0, 255).astype(np.uint8)


def _posterize(image: Values, grade: int) -> Values:
    steps = (12, 6, 3)[grade - 1]
    return (image / 255 * steps).round() * 255 / steps


def _speckle(image: Values, grade: int) -> Values:
    return image * (1 + (0.15, 0.3, 0.6)[grade - 1] * np.random.default_rng(grade).normal(size=image.shape))


def _fog(image: Values, grade: int) -> Values:
    coarse = np.random.default_rng(grade).random((5, 5), dtype=np.float32)
    size = image.shape[1::-1]
    density = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))[..., None]
    share = (0.35, 0.6, 0.85)[grade - 1] * density.clip(0, 1)
    return image * (1 - share) + 225 * share


def _vignette(image: Values, grade: int) -> Values:
    y, x = (np.linspace(-1, 1, n) for n in image.shape[:2])
    return image * np.exp(-(0.4, 0.9, 1.8)[grade - 1] * (y[:, None] ** 2 + x**2))[..., None]


def _colour_fringes(image: Values, grade: int) -> Values:
    shift = (1, 2, 4)[grade - 1]
    return np.stack([np.roll(image[..., 0], shift, 1), image[..., 1], np.roll(image[..., 2], -shift, 1)], -1)


def _zoom_blur(image: Values, grade: int) -> Values:
    height, width = image.shape[:2]
    picture, total = Image.fromarray(image.astype(np.uint8)), np.zeros_like(image)
    zooms = np.linspace(1, (1.06, 1.15, 1.35)[grade - 1], 8)
    for zoom in zooms:
        left, top = width / 2 * (1 - 1 / zoom), height / 2 * (1 - 1 / zoom)
        box = (left, top, width - left, height - top)
        total += np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box=box))
    return total / len(zooms)


def _jitter(image: Values, grade: int) -> Values:
    """Take each pixel from a place near it, as frosted glass does."""
    rng, reach = np.random.default_rng(grade), (1, 2, 4)[grade - 1]
    rows, columns = np.indices(image.shape[:2])
    rows = (rows + rng.integers(-reach, reach + 1, rows.shape)).clip(0, len(image) - 1)
    columns = (columns + rng.integers(-reach, reach + 1, columns.shape)).clip(0, image.shape[1] - 1)
    return image[rows, columns]


FAULTS: dict[str, Callable[[Values, int], Values]] = {
    "posterized": _posterize,
    "speckle": _speckle,
    "fog": _fog,
    "vignette": _vignette,
    "colour fringes": _colour_fringes,
    "zoom blur": _zoom_blur,
    "frosted glass": _jitter,
}
