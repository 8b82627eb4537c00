"""A contact sheet: one row per distortion, one column per level."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from ._photo import Pixels
from ._registry import DISTORTIONS, MAX_LEVEL
from ._variants import variants


def contact_sheet(image: Pixels, *, size: int = 112, seed: int = 0) -> Image.Image:
    """Draw all levels of all distortions of a photograph, with their parameters.

    Args:
        image: ``(h, w, 3)`` RGB or ``(h, w)`` grey, uint8.
        size: side of each variant in pixels.
        seed: of noise and of the angle of motion.

    Returns:
        A picture of 21 rows and 11 columns.

    Raises:
        TypeError: the image is no array.
        ValueError: its dtype or shape does not fit.

    Example:
        >>> import numpy as np
        >>> contact_sheet(np.full((30, 40, 3), 120, np.uint8), size=32).size
        (534, 1040)
    """
    made = {(v.distortion or v.reference, v.level): v.image for v in variants(image, size=size, seed=seed)}
    margin, header, gap, text = 150, 32, 3, 16
    columns = range(-MAX_LEVEL, MAX_LEVEL + 1)
    width = margin + len(columns) * (size + gap) - 1
    sheet = Image.new("RGB", (width, header + len(DISTORTIONS) * (size + text)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for column, level in enumerate(columns):
        draw.text((margin + column * (size + gap), 10), f"{level:+d}" if level else "0", "black", font)
    for row, distortion in enumerate(DISTORTIONS.values()):
        top = header + row * (size + text)
        draw.text((6, top + size // 2 - 6), distortion.name.replace("_", " "), "black", font)
        for column, level in enumerate(columns):
            variant = made.get((distortion.name, level) if level else (distortion.reference, 0))
            if variant is None:
                continue
            left = margin + column * (size + gap)
            sheet.paste(Image.fromarray(variant), (left, top))
            value = distortion.parameters[level] if level else distortion.default
            draw.text((left, top + size), "" if value is None else _text(value), "dimgrey", font)
    return sheet


def _text(value: object) -> str:
    return ", ".join(f"{part:g}" for part in (value if isinstance(value, tuple) else (value,)))
