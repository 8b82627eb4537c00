"""What masks look like as a whole: coverage, suspicious ones, a sheet of examples, a page."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ._arguments import check_share, check_whole, length
from ._core import value_error
from ._images import Array, Image, ImageSource, pillow, read_image
from ._mask import mask_array
from .functional import cover_crop, replace_background


@dataclass(frozen=True)
class MaskReport:
    """The quality of masks, seen without true ones; `mask_report` makes it.

    Attributes:
        names: of the images.
        coverage: ``(n,)`` mean of each mask, the share of the foreground.
        softness: ``(n,)`` share of pixels strictly between 0 and 1.
        sheet: ``(h, w, 3)`` examples, evenly spaced by coverage: each image above its foreground on green.
    """

    names: tuple[str, ...]
    coverage: Array
    softness: Array
    sheet: Array

    def near_empty(self, threshold: float = 0.01) -> list[str]:
        """Return the names of the images whose mask covers less."""
        check_share("threshold", threshold)
        return [name for name, share in zip(self.names, self.coverage) if share < threshold]

    def near_full(self, threshold: float = 0.95) -> list[str]:
        """Return the names of the images whose mask covers more."""
        check_share("threshold", threshold)
        return [name for name, share in zip(self.names, self.coverage) if share > threshold]

    def histogram(self, bins: int = 10) -> Array:
        """Return the number of masks per equal interval of coverage from 0 to 1, ``(bins,)``."""
        return np.histogram(self.coverage, bins, (0, 1))[0]

    def to_html(self) -> str:
        """Return a page of its own: histogram, suspicious masks and examples."""
        counts = self.histogram()
        rows = "".join(
            f'<tr><td>{i * 10} to {i * 10 + 10} %</td><td class="n">{count}</td>'
            f'<td><div style="width:{300 * count / max(counts.max(), 1):.0f}px"></div></td></tr>'
            for i, count in enumerate(counts)
        )
        lists = "".join(
            f"<h2>{title} ({len(names)})</h2><ul>{''.join(f'<li>{html.escape(name)}</li>' for name in names)}</ul>"
            for title, names in (("Nearly empty", self.near_empty()), ("Nearly full", self.near_full()))
        )
        buffer = io.BytesIO()
        pillow().fromarray(self.sheet).save(buffer, "PNG")
        picture = base64.b64encode(buffer.getvalue()).decode()
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Masks</title>'
            "<style>body{font:16px sans-serif;margin:2em}td{padding:0 .5em}.n{text-align:right}"
            "td div{background:#35648f;height:1em}</style>"
            f"<h1>{len(self.names)} masks</h1><p>Mean coverage {self.coverage.mean():.1%}, "
            f"soft pixels {self.softness.mean():.1%}.</p><h2>Coverage</h2><table>{rows}</table>{lists}"
            '<h2>Examples by coverage</h2><img alt="images and their foregrounds" '
            f'src="data:image/png;base64,{picture}">'
            "</html>"
        )


def mask_report(
    images: Sequence[ImageSource], masks: Sequence[Image], *, examples: int = 16, size: int = 128
) -> MaskReport:
    """Look at masks as a whole.

    Args:
        images: images or image files.
        masks: one mask per image.
        examples: number of images on the sheet.
        size: of an example in pixels.

    Raises:
        ValueError: there are no images, or numbers differ.

    Example:
        >>> images = [np.zeros((4, 4, 3), np.uint8)] * 2
        >>> report = mask_report(images, [np.zeros((4, 4), np.uint8), np.eye(4, dtype=bool)])
        >>> report.coverage, report.near_empty()
        (array([0.  , 0.25]), ['image 0'])
    """
    check_whole("examples", examples, 1)
    check_whole("size", size, 1, 2**12)
    if not length("images", images) or len(images) != length("masks", masks):
        raise value_error("masks", "one mask for each of at least one image", f"{len(masks)} for {len(images)}")
    names = tuple(
        os.fspath(image) if isinstance(image, (str, os.PathLike)) else f"image {i}" for i, image in enumerate(images)
    )
    coverage, softness = np.zeros(len(images)), np.zeros(len(images))
    for i in range(len(images)):
        weight = _weight(masks[i])
        coverage[i], softness[i] = weight.mean(), ((weight > 0) & (weight < 1)).mean()
    order = np.argsort(coverage, kind="stable")
    chosen = order[np.linspace(0, len(images) - 1, min(examples, len(images))).round().astype(int)]
    pairs = [_example(read_image(images[i]), _weight(masks[i]), size) for i in chosen]
    return MaskReport(names, coverage, softness, sheet(pairs))


def sheet(pictures: Sequence[Array], columns: int = 8) -> Array:
    """Return pictures of one size side by side, in rows, the last filled up with white."""
    blank = [np.full_like(pictures[0], 255)] * (-len(pictures) % min(columns, len(pictures)))
    cells = [*pictures, *blank]
    width = min(columns, len(pictures))
    return np.vstack([np.hstack(cells[i : i + width]) for i in range(0, len(cells), width)])


def thumbnail(image: Array, size: int) -> Array:
    """Return the centre of an image as a square."""
    return np.ascontiguousarray(cover_crop(torch.tensor(image).movedim(-1, 0), (size, size)).movedim(0, -1).numpy())


def _weight(mask: Image) -> Array:
    levels = mask_array(mask)
    return levels / np.float32(255) if levels.dtype == np.uint8 else levels


def _example(image: Array, weight: Array, size: int) -> Array:
    green = np.broadcast_to(np.array([0, 200, 0], np.uint8), image.shape)
    cut_out = replace_background(image, weight, green)
    return np.vstack([thumbnail(image, size), thumbnail(cut_out, size)])
