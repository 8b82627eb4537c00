"""How close are the style distortions to darktable's?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._core import track, value_error
from ._darktable import STYLES, develop
from ._images import image_files, load_image
from ._photo import Photo, Pixels, soft
from ._registry import DISTORTIONS
from ._variants import scaled_to

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
IDENTICAL = 100.0  # dB, of images without a difference


class Closeness(NamedTuple):
    """Ours against darktable's, at one level.

    Attributes:
        distortion: name.
        level: signed.
        parameter: slider position.
        psnr: median over photographs, in dB; 100 where nothing differs.
        ssim: median over photographs of the structural similarity of the lumas.
        same_direction: share of photographs that both change from level 0 to the same side, or both leave as they are.
    """

    distortion: str
    level: int
    parameter: float
    psnr: float
    ssim: float
    same_direction: float


@dataclass(frozen=True)
class Comparison:
    """The outcome of a comparison.

    Attributes:
        rows: one per distortion and level.
        photographs: number of photographs.
        failed: files that could not be read, with the reason.
    """

    rows: list[Closeness] = field(repr=False)
    photographs: int
    failed: dict[str, str]

    def summary(self) -> dict[str, Closeness]:
        """Return the median over the levels of each distortion, as its row of level 0."""
        result = {}
        for name in dict.fromkeys(row.distortion for row in self.rows):
            values = np.median([row[3:] for row in self.rows if row.distortion == name], axis=0).tolist()
            result[name] = Closeness(name, 0, DISTORTIONS[name].default, *values)
        return result


def compare(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    size: int = 336,
    progress: bool | None = None,
) -> Comparison:
    """Compare our style distortions with those of darktable.

    darktable develops a photograph at each slider position of Table 16.1. What it makes of the defaults, level 0, is
    what our function distorts, and its result is compared with darktable's at that level.

    Args:
        source: folder of image files, or a list of files.
        size: longer side in pixels.
        progress: show a progress bar; by default in a terminal only.

    Returns:
        PSNR, structural similarity and direction per level; files that cannot be read are listed.

    Raises:
        FileNotFoundError: ``darktable-cli`` is not installed.
        OSError: darktable failed; the message names the photograph.
        ValueError: there is no readable photograph.
    """
    if size < 1:
        raise value_error("size", "a positive number of pixels", size)
    paths = image_files(source) if isinstance(source, (str, os.PathLike)) else [Path(path) for path in source]
    steps = [(name, level) for name in STYLES for level in DISTORTIONS[name].levels]
    tables, failed = [], {}
    for path in track(paths, "developing", progress=progress):
        try:
            image = scaled_to(Photo(load_image(path)), size).image
        except OSError as error:
            failed[str(path)] = str(error)
            continue
        try:
            (developed,) = develop([image], [*((name, 0) for name in STYLES), *steps])
        except FileNotFoundError:
            raise
        except OSError as error:
            raise OSError(f"{path}: {error}") from error
        references = dict(zip(STYLES, developed))
        pairs = zip(steps, developed[len(STYLES) :])
        tables.append([_closeness(references[name], name, level, theirs) for (name, level), theirs in pairs])
    if not tables:
        reason = next(iter(failed.values()), "an empty list")
        raise value_error("source", "a photograph that can be read", f"none in {len(paths)} files: {reason}")
    psnr, ssim, direction = np.moveaxis(np.array(tables), 2, 0)
    rows = [
        Closeness(name, level, DISTORTIONS[name].parameters[level], *values)
        for (name, level), *values in zip(
            steps, np.median(psnr, 0).tolist(), np.median(ssim, 0).tolist(), direction.mean(0).tolist()
        )
    ]
    return Comparison(rows, len(tables), failed)


def _closeness(reference: Pixels, name: str, level: int, theirs: Pixels) -> tuple[float, float, float]:
    ours = DISTORTIONS[name].distort(reference, level)
    our_change, their_change = (made.astype(np.float64) - reference for made in (ours, theirs))
    error = float(((our_change - their_change) ** 2).mean())
    psnr = min(IDENTICAL, 10 * float(np.log10(255**2 / error))) if error else IDENTICAL
    same_direction = (our_change * their_change).sum() > 0 or not (our_change.any() or their_change.any())
    return psnr, structural_similarity(ours, theirs), float(same_direction)


def structural_similarity(first: Pixels, second: Pixels) -> float:
    """Return the mean structural similarity (Wang et al. 2004) of the lumas of two images of the same size."""
    x, y = (image.astype(np.float32) @ LUMA for image in (first, second))
    mean_x, mean_y, xx, yy, xy = (_local(plane) for plane in (x, y, x * x, y * y, x * y))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    structure = (2 * (xy - mean_x * mean_y) + c2) / (xx - mean_x**2 + yy - mean_y**2 + c2)
    return float(((2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1) * structure).mean())


def _local(plane: NDArray[np.float32]) -> NDArray[np.float64]:
    return soft(plane, 1.5).astype(np.float64)
