"""Drawings in a tree of folders (Debian package ``openclipart-png``, public domain)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from demo.data.debian import debian_folder

MINIMUM, MAXIMUM = 20, 100  # drawings per class; stars alone would be a fifth of all drawings
MEANINGLESS = {"unsorted"}
MOST_PIXELS = 2**24  # a few drawings are so large that decoding one takes a gigabyte


def load_clipart() -> tuple[list[Path], list[str], dict[str, str]]:
    """Return the paths of the drawings, the class of each, and the superclass of each class.

    A class is a folder with at least 20 drawings of its own, of which at most 100 are drawn at random. Its superclass
    is the parent folder; a folder at the top, such as ``people``, is in its own superclass, beside ``people/stickmen``.
    """
    root = debian_folder("openclipart-png", "/usr/share/openclipart/png")
    generator = np.random.default_rng(0)
    paths, labels, superclasses = [], [], {}
    for folder in sorted(root.rglob("*/")):
        drawings = sorted(file for file in folder.glob("*.png") if _pixels(file) <= MOST_PIXELS)
        name = folder.relative_to(root)
        if len(drawings) < MINIMUM or str(name) in MEANINGLESS:
            continue
        chosen = generator.permutation(len(drawings))[:MAXIMUM]
        paths += [drawings[i] for i in chosen]
        labels += [str(name)] * len(chosen)
        superclasses[str(name)] = str(name.parent) if len(name.parts) > 1 else str(name)
    return paths, labels, superclasses


def open_drawing(path: Path) -> Image.Image:
    """Return a drawing on white ground, with the longer side at most 256 pixels."""
    with Image.open(path) as image:
        drawing = image.convert("RGBA")
    drawing.thumbnail((256, 256))
    ground = Image.new("RGBA", (max(drawing.size),) * 2, "white")
    ground.alpha_composite(drawing, ((ground.width - drawing.width) // 2, (ground.height - drawing.height) // 2))
    return ground.convert("RGB")


def _pixels(png: Path) -> int:
    """Return the number of pixels that the header of a PNG file announces."""
    with png.open("rb") as file:
        header = file.read(24)
    return int.from_bytes(header[16:20]) * int.from_bytes(header[20:24])
