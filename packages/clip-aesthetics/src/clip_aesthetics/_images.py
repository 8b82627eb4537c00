"""Image files: found, opened upright, and skipped with a reason where they do not decode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._core import import_extra, track, value_error

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def image_files(folder: Path) -> list[Path]:
    """Return the image files in a folder and below, sorted; one file is itself."""
    if folder.is_file():
        return [folder]
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise value_error(str(folder), f"a folder with images ({', '.join(sorted(SUFFIXES))})", "none")
    return files


def open_image(path: Path) -> Image:
    """Return the decoded image in RGB, upright as its EXIF says.

    Raises:
        ValueError: the file cannot be read or does not decode; the message names it.
    """
    pillow: Any = import_extra("PIL.Image", package="clip-aesthetics", extra="images")
    operations: Any = import_extra("PIL.ImageOps", package="clip-aesthetics", extra="images")
    try:
        with pillow.open(path) as image:
            upright: Image = operations.exif_transpose(image).convert("RGB")
    # Pillow's decoders raise whatever a damaged file leads them into.
    except Exception as error:
        raise value_error(str(path), "an image that decodes", f"{type(error).__name__}: {error}") from error
    return upright


class ImageBatches:
    """Iterate over files as batches of (positions, images), leaving out what does not decode.

    Attributes:
        skipped: the reason for each file that was left out so far.
    """

    def __init__(self, paths: Sequence[Path], batch_size: int, *, progress: bool | None = None) -> None:
        """Store what to read."""
        self.paths, self.batch_size, self.progress = paths, batch_size, progress
        self.skipped: dict[Path, str] = {}

    def __iter__(self) -> Iterator[tuple[list[int], list[Image]]]:
        """Yield the batches."""
        positions: list[int] = []
        images: list[Image] = []
        for position, path in enumerate(track(self.paths, "images", progress=self.progress)):
            try:
                images.append(open_image(path))
            except ValueError as error:
                self.skipped[path] = str(error)
                continue
            positions.append(position)
            if len(images) == self.batch_size:
                yield positions, images
                positions, images = [], []
        if images:
            yield positions, images
