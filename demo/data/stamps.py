"""Cut-out photographs with true mattes (Debian package ``tuxpaint-stamps-default``, GPL-2), put on backdrops."""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bgaugment import ProceduralPool
from bgaugment.functional import replace_background
from PIL import Image
from torch import Tensor

from demo.data.cache import CACHE
from demo.data.debian import debian_folder

MINIMUM, MAXIMUM = 8, 12  # photographs per class
LEAST_SIDE = 56  # pixels of the object, smaller ones show nothing
FLATTEST = 0.4  # share of neighbouring pixels with equal colours; drawings have more
SIDE = 224
IMAGES = CACHE / "stamps" / "images"
MATTES = CACHE / "stamps" / "mattes"


@dataclass(frozen=True)
class Photographs:
    """Photographs in front of the backdrop of their class.

    Attributes:
        files: PNG files of 224 x 224 pixels, below a folder for each class.
        classes: one name per file.
        images: ``(n, 3, 224, 224)`` of 8 bits.
        mattes: ``(n, 224, 224)`` true masks of 8 bits.
    """

    files: list[Path]
    classes: list[str]
    images: Tensor
    mattes: Tensor

    def every(self, step: int) -> Photographs:
        """Return every so many-th of them."""
        return Photographs(self.files[::step], self.classes[::step], self.images[::step], self.mattes[::step])


def load_photographs() -> Photographs:
    """Return the photographs of all folders with eight or more, at most twelve each; composed the first time.

    A folder is a class. Each class has one backdrop, of which each of its photographs shows another part: the
    background tells the class, as in a shop where one seller photographs all goods of a kind on the same table.
    """
    if not MATTES.is_dir():
        _compose()
    files = sorted(IMAGES.rglob("*.png"))
    images = np.stack([np.array(Image.open(file)) for file in files])
    mattes = np.stack([np.array(Image.open(MATTES / file.relative_to(IMAGES))) for file in files])
    classes = [str(file.parent.relative_to(IMAGES)) for file in files]
    return Photographs(files, classes, torch.from_numpy(images).movedim(-1, 1), torch.from_numpy(mattes))


def _compose() -> None:
    """Write images and mattes; the mattes get their place last, so that an interrupted run starts again."""
    shutil.rmtree(IMAGES, ignore_errors=True)
    unfinished = MATTES.with_name("unfinished")
    root = debian_folder("tuxpaint-stamps-default", "/usr/share/tuxpaint/stamps")
    backdrops = ProceduralPool(seed=1)
    for number, (folder, stamps) in enumerate(_stamps(root).items()):
        backdrop = Image.fromarray(backdrops.render(number, (2 * SIDE, 2 * SIDE)))
        for i, stamp in enumerate(stamps):
            rng = np.random.default_rng([number, i])
            image, matte = _composed(cut_out(stamp), backdrop, rng)
            for place, picture in ((IMAGES, image), (unfinished, matte)):
                (place / folder).mkdir(parents=True, exist_ok=True)
                picture.save(place / folder / stamp.name)
    unfinished.rename(MATTES)


def _stamps(root: Path) -> dict[Path, list[Path]]:
    """Return photographs of each folder that has enough of them."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for file in filter(is_photograph, stamp_files(root)):
        folders[file.parent.relative_to(root)].append(file)
    return {folder: files[:MAXIMUM] for folder, files in folders.items() if len(files) >= MINIMUM}


def stamp_files(root: Path) -> list[Path]:
    """Return all stamps but cartoons and mirrored ones."""
    files = sorted(root.rglob("*.png"))
    return [file for file in files if not file.stem.endswith(("_mirror", "_flip")) and "cartoon" not in file.parts]


def is_photograph(file: Path) -> bool:
    """Tell whether a cut-out is neither tiny, nor opaque everywhere, nor flat as a drawing is."""
    stamp = cut_out(file)
    if max(stamp.size) < LEAST_SIDE:
        return False
    stamp.thumbnail((128, 128))
    pixels = np.asarray(stamp).astype(int)
    opaque = pixels[..., 3] >= 250
    inside = opaque[:, 1:] & opaque[:, :-1]
    if opaque.all() or not inside.any():
        return False
    return bool((np.abs(np.diff(pixels[..., :3], axis=1)).max(-1) <= 1)[inside].mean() <= FLATTEST)


def cut_out(file: Path) -> Image.Image:
    """Return a stamp without the transparent margin."""
    with Image.open(file) as image:
        stamp = image.convert("RGBA")
    return stamp.crop(stamp.getchannel("A").point(lambda value: 255 * (value >= 128)).getbbox() or (0, 0, 1, 1))


def _composed(stamp: Image.Image, backdrop: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """Return the stamp somewhere in front of a part of the backdrop, and its matte."""
    scale = rng.uniform(0.6, 0.9) * SIDE / max(stamp.size)
    stamp = stamp.resize((max(1, round(stamp.width * scale)), max(1, round(stamp.height * scale))))
    scene = Image.new("RGBA", (SIDE, SIDE))
    scene.paste(stamp, (int(rng.integers(SIDE - stamp.width + 1)), int(rng.integers(SIDE - stamp.height + 1))))
    left, top = rng.integers(SIDE + 1, size=2)
    part = backdrop.crop((int(left), int(top), int(left) + SIDE, int(top) + SIDE))
    matte = scene.getchannel("A")
    return replace_background(scene.convert("RGB"), np.asarray(matte) / np.float32(255), part), matte
