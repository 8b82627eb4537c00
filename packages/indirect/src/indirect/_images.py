"""Reading images, the same way for every encoder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._core import import_extra, value_error

if TYPE_CHECKING:
    from PIL.Image import Image


def open_image(path: str | os.PathLike[str]) -> Image:
    """Return the image of a file, upright and in RGB, transparency on white.

    Raises:
        ValueError: the file does not decode.
        FileNotFoundError: there is none.
    """
    pillow = import_extra("PIL.Image", package="indirect", extra="cli")
    ops = import_extra("PIL.ImageOps", package="indirect", extra="cli")
    try:
        with pillow.open(path) as image:
            return on_white(ops.exif_transpose(image))
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise value_error(str(path), "an image that decodes", str(error)) from error


def on_white(image: Image) -> Image:
    """Return the image in RGB; what is transparent becomes white."""
    if image.mode == "RGB":
        return image
    pillow = import_extra("PIL.Image", package="indirect", extra="cli")
    opaque = image.convert("RGBA")
    ground: Image = pillow.new("RGBA", opaque.size, "white")
    ground.alpha_composite(opaque)
    return ground.convert("RGB")
