"""Rendered cars with independent properties, made by cargen from the meshes of Debian's ``torcs-data``.

Each Blender serves one Python and some numpys, so ``render_cars`` runs this file in an environment of its own, which uv
makes. It writes ``.cache/demo/cars-1000`` and prints the hash of its pixels; an interrupted run goes on. Another
Blender, or another kind of processor, may round a few pixels differently.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cargen
import numpy as np
import polars
from numpy.typing import NDArray
from PIL import Image

from demo.data.cache import CACHE
from demo.data.debian import debian_folder

ROOT = Path(__file__).parents[2]
SIDE = 64  # pixels
SLICE, ALL = 1000, 2400  # images; the slice is the first of all
# A Blender with long-term support stays on the index. uv must not take an older build of cargen from its cache.
_WITH_BLENDER = (
    "uv run --no-project --isolated --python 3.13 --with ./packages/cargen[cli] --refresh-package cargen "
    "--with bpy==5.2.3 python -m demo.data.cars"
)


@dataclass(frozen=True)
class Cars:
    """Rendered cars.

    Attributes:
        images: ``(n, 64, 64, 3)`` of 8 bits.
        masks: how much of each pixel the car covers, ``(n, 64, 64)`` of 8 bits.
        properties: for each of the eleven properties one value per image.
        files: of the images.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    properties: dict[str, NDArray[np.generic]]
    files: list[Path]

    def every(self, step: int) -> Cars:
        """Return every so many-th of them."""
        properties = {name: values[::step] for name, values in self.properties.items()}
        return Cars(self.images[::step], self.masks[::step], properties, self.files[::step])

    @property
    def digest(self) -> str:
        """First digits of the SHA-256 of all pixels."""
        return hashlib.sha256(self.images.tobytes() + self.masks.tobytes()).hexdigest()[:16]


def load_cars(n: int) -> Cars | None:
    """Return the first of the rendered cars, or nothing when they were not rendered."""
    folder = next((_folder(size) for size in (SLICE, ALL) if size >= n and _table(size).exists()), None)
    if folder is None:
        return None
    rows = polars.read_parquet(folder / "properties.parquet")[:n]
    images, masks = (
        np.stack([np.asarray(Image.open(folder / file)) for file in rows[kind]]) for kind in ("image", "mask")
    )
    properties = {name: np.array(rows[name].to_list()) for name in cargen.PROPERTY_VALUES}
    return Cars(images, masks, properties, [folder / file for file in rows["image"]])


def render_cars(n: int) -> None:
    """Render so many cars in a process with a Blender.

    Raises:
        RuntimeError: there is no uv, no Python 3.13, no Blender or no mesh; the message has the command and its error.
    """
    command = f"{_WITH_BLENDER} {n}"
    print(f"rendering {n:,} cars, some minutes: {command}", flush=True)
    # What this process was started with does not concern the other Python.
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    try:
        subprocess.run(command.split(), cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=True)
    except OSError as error:
        raise RuntimeError(f"{command} ({error})") from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{command} ({' '.join(error.stderr.split())[-300:]})") from error


def _folder(n: int) -> Path:
    return CACHE / f"cars-{n}"


def _table(n: int) -> Path:
    return _folder(n) / "properties.parquet"


def main(n: int) -> None:
    """Render, or go on, and print the hash."""
    meshes = cargen.Manifest.torcs(debian_folder("torcs-data", "/usr/share/games/torcs/cars"))
    cargen.generate(_folder(n), n=n, size_px=SIDE, meshes=meshes, workers=os.cpu_count() or 1)
    print(f"{_folder(n)}: sha256 of the pixels {cargen.digest(_folder(n))}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
