"""Rendered cars with labels for two notions of similarity: the colour of the car, and of what is behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cargen import CarProperties
from PIL import Image

from demo.data.cars import SLICE, load_cars
from demo.data.notions import Source, notion_of

# The colour words of CSS 2.1, as red, green and blue from 0 to 255.
CSS_COLOURS = {
    "aqua": (0, 255, 255), "black": (0, 0, 0), "blue": (0, 0, 255), "fuchsia": (255, 0, 255), "gray": (128, 128, 128),
    "green": (0, 128, 0), "lime": (0, 255, 0), "maroon": (128, 0, 0), "navy": (0, 0, 128), "olive": (128, 128, 0),
    "orange": (255, 165, 0), "purple": (128, 0, 128), "red": (255, 0, 0), "silver": (192, 192, 192),
    "teal": (0, 128, 128), "white": (255, 255, 255), "yellow": (255, 255, 0),
}  # fmt: skip


def cars() -> Source | None:
    """Return rendered cars, or nothing when they were not rendered; a colour's label is the nearest colour word."""
    found = load_cars(SLICE)  # 1,000, as in the thesis
    if found is None:
        return None
    looks = [
        CarProperties(**dict(zip(found.properties, values)))
        for values in zip(*(column.tolist() for column in found.properties.values()))
    ]
    words = ", ".join(CSS_COLOURS)
    return Source(
        "cars",
        f"{len(looks)} cars rendered by cargen; labels are the CSS colour words nearest to their colours",
        found.files,
        _open,
        {
            "colour of a car": notion_of(
                ["a {} car", "a photo of a {} car", "a {} automobile"], words, [_named(look.car_rgb) for look in looks]
            ),
            "colour behind a car": notion_of(
                ["a car in front of a {} background", "a photo of a car on a {} floor", "a {} background"],
                words,
                [_named(look.background_rgb) for look in looks],
            ),
        },
    )


def _named(rgb: tuple[float, float, float]) -> str:
    names, colours = [*CSS_COLOURS], np.array([*CSS_COLOURS.values()]) / 255
    return names[((colours - rgb) ** 2).sum(1).argmin()]


def _open(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")
