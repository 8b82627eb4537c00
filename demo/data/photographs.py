"""Some forty photographs that somebody chose to show (wallpapers, examples), and four grades of five faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps
from skimage import data as skimage_data
from sklearn.datasets import load_sample_images

from demo.data.debian import debian_folder

SIDE = 256  # pixels; faults are made at this size
LEVELS = (1, 2, 3, 4)
NOT_PHOTOGRAPHS = {"analogpattern_by_Peter_Nerlich", "Painting-Colors_by__herobrine7gamer", "warty-final-ubuntu"}


def load_photographs() -> dict[str, Image.Image]:
    """Return square photographs of at least ``SIDE`` pixels by name: the middle of each."""
    backgrounds = "/usr/share/backgrounds"
    folders = [
        debian_folder("lomiri-wallpapers-16.04", backgrounds),
        debian_folder("lomiri-wallpapers-20.04", backgrounds),
        debian_folder("mate-backgrounds", f"{backgrounds}/mate/nature"),
    ]
    paths = {path.stem: path for folder in folders for path in folder.glob("*.jpg")}
    photographs = {name: _opened(path) for name, path in sorted(paths.items()) if name not in NOT_PHOTOGRAPHS}
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        photographs[name] = _square(Image.fromarray(getattr(skimage_data, name)()))
    for name, pixels in zip(("china", "flower"), load_sample_images().images):
        photographs[name] = _square(Image.fromarray(pixels))
    return photographs


def versions(photograph: Image.Image) -> Iterator[tuple[str, int, Image.Image]]:
    """Yield fault, grade and picture: the original as grade 0 of no fault, then each fault in four grades."""
    original = photograph.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    yield "none", 0, original
    for fault, make in FAULTS.items():
        for level in LEVELS:
            yield fault, level, make(photograph if fault == "crop" else original, level)


def _blur(image: Image.Image, level: int) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur((1, 2, 4, 8)[level - 1]))


def _noise(image: Image.Image, level: int) -> Image.Image:
    noise = np.random.default_rng(level).normal(0, 255 * (0.05, 0.1, 0.2, 0.4)[level - 1], (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def _exposed(image: Image.Image, stops: float) -> Image.Image:
    """Multiply the light by a power of two; the pixels are taken for light to the power of 1 / 2.2."""
    values = np.clip(np.asarray(image) * 2 ** (stops / 2.2), 0, 255)
    return Image.fromarray(values.astype(np.uint8))


def _crop(image: Image.Image, level: int) -> Image.Image:
    """Keep a corner of the picture."""
    side = round(image.width * (0.8, 0.6, 0.45, 0.3)[level - 1])
    return image.crop((0, 0, side, side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


FAULTS: dict[str, Callable[[Image.Image, int], Image.Image]] = {
    "blur": _blur,
    "noise": _noise,
    "too dark": lambda image, level: _exposed(image, -level),
    "too bright": lambda image, level: _exposed(image, 0.75 * level),
    "crop": _crop,
}


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.draft("RGB", (4 * SIDE, 4 * SIDE))  # decodes a large JPEG at a fraction of its size
        return _square(ImageOps.exif_transpose(image).convert("RGB"))


def _square(image: Image.Image) -> Image.Image:
    """Return the middle of a photograph, at most four times ``SIDE`` large."""
    side = min(*image.size, 4 * SIDE)
    return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
