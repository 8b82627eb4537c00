"""Cut-out photographs and drawings with a caption and a category tree (Debian package ``tuxpaint-stamps-default``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.data.debian import debian_folder

SIDE = 256
# Letters, coins and scores are not things that one photographs.
LEFT_OUT = {"symbols"}


@dataclass(frozen=True)
class Stamps:
    """Files, and for each its English caption and its folders from the top down."""

    files: list[Path]
    captions: list[str]
    folders: list[tuple[str, ...]]

    def __len__(self) -> int:
        """Return the number of stamps."""
        return len(self.files)


def load_captioned_stamps() -> Stamps:
    """Return all stamps with a caption, except symbols, and except mirrored versions of others."""
    root = debian_folder("tuxpaint-stamps-default", "/usr/share/tuxpaint/stamps")
    files = [
        file
        for file in sorted(root.rglob("*.png"))
        if file.with_suffix(".txt").exists()
        and not file.stem.endswith(("_mirror", "_flip"))
        and file.relative_to(root).parts[0] not in LEFT_OUT
    ]
    captions = [file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()[0].strip() for file in files]
    return Stamps(files, captions, [file.relative_to(root).parts[:-1] for file in files])


def median_colour(file: Path) -> NDArray[np.float64]:
    """Return the median red, green and blue (0 to 1) of the opaque pixels of a stamp."""
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGBA")) / 255
    opaque = pixels[pixels[..., 3] > 0.5]
    return np.median(opaque[:, :3], axis=0) if len(opaque) else np.ones(3)


def open_stamp(file: Path) -> Image.Image:
    """Return a stamp in the middle of a white square."""
    with Image.open(file) as image:
        stamp = image.convert("RGBA")
    stamp = stamp.crop(stamp.getchannel("A").getbbox() or (0, 0, 1, 1))
    stamp.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    side = max(stamp.size)
    square = Image.new("RGBA", (side, side), "white")
    square.alpha_composite(stamp, ((side - stamp.width) // 2, (side - stamp.height) // 2))
    return square.convert("RGB")
