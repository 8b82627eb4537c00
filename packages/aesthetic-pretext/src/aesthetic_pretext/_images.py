"""Image files of every kind as 8-bit RGB."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ._checks import local_path, paths_of
from ._core import value_error
from ._photo import Photo, Pixels
from ._variants import pad_square, scaled_to

# Pillow reports a broken file with any of these.
READ_ERRORS = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})


def load_image(path: str | os.PathLike[str]) -> Pixels:
    """Read a photograph as it is meant to be seen: turned by its EXIF tag, transparency on white, 16 bits as 8.

    Args:
        path: file that Pillow reads; grey, palette, CMYK and transparent images become RGB.

    Returns:
        ``(h, w, 3)`` uint8.

    Raises:
        OSError: the file cannot be read or is truncated; the message names it.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "grey.png"
        >>> Image.new("L", (3, 2), 7).save(file)
        >>> load_image(file).shape
        (2, 3, 3)
    """
    local_path("path", path)
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            if image.mode.startswith("I") or image.mode == "F":  # Pillow would clip 16 bits instead of scaling them
                values = np.asarray(image, np.float64) / (256 if image.mode.startswith("I") else 1)
                image = Image.fromarray(values.clip(0, 255).astype(np.uint8))
            if image.has_transparency_data:
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            return np.array(image.convert("RGB"))
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error


def check_image(path: str | os.PathLike[str]) -> None:
    """Raise the error of `load_image` for a file that cannot be read; a JPEG is decoded at an eighth of its size.

    Raises:
        OSError: the file cannot be read or is truncated.
    """
    try:
        with Image.open(path) as file:
            file.draft("RGB", (1, 1))
            file.load()
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | os.PathLike[str], error: Exception) -> OSError:
    return OSError(f"{os.fspath(path)}: cannot be read as an image: {error}")


def load_square(path: str | os.PathLike[str], size: int) -> Pixels:
    """Read a photograph and put it on a black square of ``size`` pixels."""
    return pad_square(scaled_to(Photo(load_image(path)), size).image, size)


def listed_files(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the image files of a folder, or those of a list.

    Raises:
        TypeError: the source is neither.
        ValueError: there is no such folder, or no image in it.
    """
    return image_files(source) if isinstance(source, (str, os.PathLike)) else paths_of("source", source)


def image_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return all image files below ``folder``, hidden ones left out, in the order of their names.

    Raises:
        ValueError: there is no such folder, or no image in it.
    """
    root = local_path("folder", folder)
    if not root.is_dir():
        raise value_error("folder", "an existing folder", str(root))
    files = sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not files:
        raise value_error("folder", f"image files ({', '.join(sorted(SUFFIXES))})", f"none in {root}")
    return files
