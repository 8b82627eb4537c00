"""The pictures of each photograph: all of it, windows of it, and it behind cut-outs of other photographs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
from PIL import Image

from demo.data.debian import debian_folder
from demo.data.stamps import cut_out, is_photograph, stamp_files

SIDE = 128  # pixels, twice as large as a variant


def pictures_of(photographs: Sequence[Image.Image], *, windows: int, composites: int) -> list[list[Image.Image]]:
    """Return of each photograph all of it, ``windows`` parts, and all of it behind ``composites`` cut-outs.

    No cut-out stands before two photographs, so photographs never seen come with objects never seen.
    """
    cut_outs = iter(_cut_outs(len(photographs) * composites))
    pictures = []
    for number, photograph in enumerate(photographs):
        rng = np.random.default_rng(number)
        whole = _scaled(photograph, (0, 0, photograph.width, photograph.height))
        parts = [_window(photograph, rng) for _ in range(windows)]
        pictures.append([whole, *parts, *(_in_front(stamp, whole, rng) for stamp in islice(cut_outs, composites))])
    return pictures


def _scaled(photograph: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    return photograph.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)


def _window(photograph: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = int(photograph.width * rng.uniform(0.5, 0.9))
    left, top = (int(rng.integers(photograph.width - side + 1)) for _ in range(2))
    return _scaled(photograph, (left, top, left + side, top + side))


def _in_front(stamp: Image.Image, scene: Image.Image, rng: np.random.Generator) -> Image.Image:
    scale = rng.uniform(0.45, 0.8) * SIDE / max(stamp.size)
    stamp = stamp.resize((max(1, round(stamp.width * scale)), max(1, round(stamp.height * scale))))
    picture = scene.convert("RGBA")
    picture.alpha_composite(stamp, tuple(int(rng.integers(SIDE - side + 1)) for side in stamp.size))
    return picture.convert("RGB")


def _cut_outs(count: int) -> list[Image.Image]:
    """Return cut-outs that are photographs, in an order that mixes their subjects."""
    if not count:
        return []
    files = stamp_files(debian_folder("tuxpaint-stamps-default", "/usr/share/tuxpaint/stamps"))
    mixed = (files[i] for i in np.random.default_rng(0).permutation(len(files)))
    return [cut_out(file) for file in islice(filter(is_photograph, mixed), count)]
