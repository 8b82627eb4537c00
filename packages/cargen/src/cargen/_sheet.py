"""A contact sheet: one row per property, in which nothing but that property changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ._core import type_error, value_error
from ._indices import Draw
from ._properties import PROPERTY_VALUES, CarProperties, property_values, sweep

_LABEL, _CAPTION, _GAP = 150, 16, 4  # pixels


def contact_sheet(
    renderer: Draw, *, values: Mapping[str, Sequence[Any]] | None = None, base: CarProperties | None = None
) -> Image.Image:
    """Return a picture with one row per property and one image per value (compare Figure 7.3).

    Args:
        renderer: ``Renderer(...)``, or any function from properties to a ``Rendering``.
        values: what each property becomes; the values of Table 7.2 by default.
        base: all other properties.
    """
    if not callable(renderer):
        raise type_error("renderer", "a function from properties to a Rendering", renderer)
    every = property_values(values)
    chosen = {name: every[name] for name in (PROPERTY_VALUES if values is None else values)}
    if not chosen:
        raise value_error("values", "at least one property", "none")
    rows = [(name, sweep(name, choices, base=base)) for name, choices in chosen.items()]
    images = [(name, [(getattr(car, name), renderer(car).image) for car in cars]) for name, cars in rows]
    side = images[0][1][0][1].shape[0]
    columns = max(len(row) for _, row in images)
    step = side + _CAPTION + _GAP
    sheet = Image.new("RGB", (_LABEL + columns * (side + _GAP), len(images) * step), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for row, (name, cells) in enumerate(images):
        draw.text((6, row * step + side / 2), name.replace("_", " "), fill="black", font=font)
        for column, (value, image) in enumerate(cells):
            left = _LABEL + column * (side + _GAP)
            sheet.paste(Image.fromarray(image), (left, row * step))
            caption = f"{value:g}" if isinstance(value, float) else str(value)
            draw.text((left + side / 2, row * step + side + 1), caption, fill="black", font=font, anchor="ma")
    return sheet
