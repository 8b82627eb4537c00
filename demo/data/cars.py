"""Rendered cars with independent properties; cargen renders them once, from the meshes of Debian's ``torcs-data``.

Blender needs a Python of its own, so the chapter does not render. From the repository's folder, some minutes long:

    uv run --no-project --python 3.13 --with "./packages/cargen[blender,cli]" --with pyarrow python -m demo.data.cars

writes .cache/demo/cars and prints the hash of its pixels, which the chapter prints again. An interrupted run continues.
Another Blender or another kind of processor may round a few pixels differently.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

import cargen
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from demo.data.cache import CACHE
from demo.data.debian import debian_folder

FOLDER = CACHE / "cars"
COMMAND = (
    'uv run --no-project --python 3.13 --with "./packages/cargen[blender,cli]" --with pyarrow python -m demo.data.cars'
)
N, SIDE = 2400, 64  # images, and pixels of each side


@dataclass(frozen=True)
class Cars:
    """Rendered cars.

    Attributes:
        images: ``(n, 64, 64, 3)`` of 8 bits.
        masks: how much of each pixel the car covers, ``(n, 64, 64)`` of 8 bits.
        properties: for each of the eleven properties one value per image.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    properties: dict[str, NDArray[np.generic]]

    def every(self, step: int) -> Cars:
        """Return every so many-th of them."""
        return Cars(
            self.images[::step], self.masks[::step], {k: values[::step] for k, values in self.properties.items()}
        )

    @property
    def digest(self) -> str:
        """First digits of the SHA-256 of all pixels."""
        return hashlib.sha256(self.images.tobytes() + self.masks.tobytes()).hexdigest()[:16]


def load_cars() -> Cars | None:
    """Return the rendered cars, or nothing when they were not rendered."""
    table = FOLDER / "properties.parquet"
    if not table.exists():
        return None
    columns = parquet.read_table(table).to_pydict()
    images, masks = (
        np.stack([np.array(Image.open(FOLDER / file)) for file in columns[kind]]) for kind in ("image", "mask")
    )
    return Cars(images, masks, {name: np.array(columns[name]) for name in cargen.PROPERTY_VALUES})


if __name__ == "__main__":
    meshes = cargen.Manifest.torcs(debian_folder("torcs-data", "/usr/share/games/torcs/cars"))
    cargen.generate(FOLDER, n=N, size_px=SIDE, meshes=meshes, workers=os.cpu_count() or 1, progress=True)
    cars = load_cars()
    print(f"{FOLDER}: {N} images" + (f", sha256 of the pixels {cars.digest}" if cars else ""))
