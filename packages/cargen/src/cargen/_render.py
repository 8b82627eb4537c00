"""Properties to images through Blender's path tracer."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ._checks import whole_number
from ._colours import encoded, linear
from ._core import type_error, value_error
from ._default import load_cars
from ._exr import read_exr
from ._manifest import Manifest
from ._properties import CarProperties
from ._scene import QUALITIES, Stage


@dataclass(frozen=True, eq=False)
class Rendering:
    """A picture of a car.

    Attributes:
        image: sRGB, ``(h, w, 3)`` of 8 bits.
        mask: how much of each pixel the car covers, ``(h, w)`` from 0 to 255; less than 255 at its edges, and where
            two windows let the background through. A pixel of 255 does not depend on the background.
        depth: metres from the camera, ``(h, w)``, along the view; infinite where no car is.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    depth: NDArray[np.float32]


class Renderer:
    """Renders car images; the scene is built once (extra ``blender``).

    Blender has one state per process and is not safe for threads: use one renderer at a time, and processes for more.
    An image depends on its properties alone, not on the images before it or on the number of threads.

    Args:
        meshes: the car models; by default the six parametric ones, and six of TORCS where its data are installed (see
            ``Manifest.torcs``).
        quality: ``"preview"`` is fast and a bit noisy, ``"photo"`` takes more light paths and removes their noise.
        size_px: side of the square images, 8 to 4096 pixels.
        threads: of the processor; all by default.

    Raises:
        ImportError: Blender is missing; the message names the extra.
        ValueError: an unknown quality, a size or a number of threads out of range, or a mesh that cannot be read.
    """

    def __init__(
        self,
        meshes: Manifest | None = None,
        *,
        quality: str = "preview",
        size_px: int = 224,
        threads: int | None = None,
    ) -> None:
        self._size_px = check_settings(quality, size_px)
        threads = whole_number("threads", (os.cpu_count() or 1) if threads is None else threads, 1, 1024)
        cars = load_cars(meshes)
        blender_version()
        with _silence():
            self._bpy = _import_blender()
        folder = tempfile.mkdtemp(prefix="cargen-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._file = Path(folder) / "image.exr"
        with _silence():
            self._stage = Stage(self._bpy, cars, size_px=self._size_px, quality=QUALITIES[quality], threads=threads)
        self._stage.scene.render.filepath = str(self._file)
        weakref.finalize(self, self._stage.remove).atexit = False

    def __call__(self, properties: CarProperties) -> Rendering:
        """Return the picture of a car with these properties.

        Raises:
            ValueError: a model that the renderer has no mesh of, or a backdrop that is no picture.
        """
        if not isinstance(properties, CarProperties):
            raise type_error("properties", "CarProperties", properties)
        background = self._background(properties)
        with _silence():
            self._stage.arrange(properties)
            self._bpy.ops.render.render(write_still=True, scene=self._stage.scene.name)
        channels = {name.partition(".")[2]: pixels for name, pixels in read_exr(self._file.read_bytes()).items()}
        light, shadow = (
            np.stack([channels[f"{layer}.{colour}"] for colour in "RGB"], axis=-1)
            for layer in ("Combined", "Shadow Catcher")
        )
        mask = np.floor(channels["Combined.A"] * 255 + 1e-3).astype(np.uint8)
        through = np.where(mask == 255, 0, 1 - channels["Combined.A"])[..., None]
        image = encoded(light + through * shadow * background)
        return Rendering(image, mask, np.where(mask > 0, channels["Depth.Z"], np.inf).astype(np.float32))

    def _background(self, properties: CarProperties) -> NDArray[np.floating]:
        """Return what is behind the car as linear light, ``(h, w, 3)`` or ``(3,)``."""
        if properties.backdrop is None:
            return linear(np.array(properties.background_rgb))
        side = self._size_px
        try:
            with Image.open(properties.backdrop) as photograph:
                cut = ImageOps.fit(photograph.convert("RGB"), (side, side))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise value_error("backdrop", "a picture that can be read", f"{properties.backdrop}: {error}") from error
        return linear(np.asarray(cut) / 255)


def render(
    properties: CarProperties, *, meshes: Manifest | None = None, quality: str = "preview", size_px: int = 224
) -> Rendering:
    """Return the picture of a car (extra ``blender``); the scene of the last call is used again where it fits.

    Args:
        properties: what it shows.
        meshes: the car models; by default those of ``Renderer``.
        quality: ``"preview"`` or ``"photo"``.
        size_px: side of the square image, 8 to 4096 pixels.
    """
    return last_renderer(meshes, quality=quality, size_px=size_px)(properties)


last_renderer = lru_cache(maxsize=1)(Renderer)


def check_settings(quality: str, size_px: int) -> int:
    """Check what can be checked without Blender, and return the size."""
    if not isinstance(quality, str) or quality not in QUALITIES:
        raise value_error("quality", f"one of {', '.join(QUALITIES)}", repr(quality))
    return whole_number("size_px", size_px, 8, 4096)


def blender_version() -> str:
    """Return the version of Blender's module without importing it."""
    try:
        return version("bpy")
    except PackageNotFoundError as error:
        raise ImportError(
            'bpy is not installed: pip install "cargen[blender]" on Python 3.13, "bpy==4.5.15" on Python 3.11'
        ) from error


def _import_blender() -> ModuleType:
    """Import the module, also in a process of a pool, of Ray or of Dask that another Blender has started.

    An imported Blender adds paths below its own, which a new process inherits and which hide the module to import.
    """
    if "bpy" not in sys.modules:
        own = Path(str(distribution("bpy").locate_file("bpy")))
        sys.path[:] = [path for path in sys.path if not Path(path).is_relative_to(own)]
    return import_module("bpy")


@contextmanager
def _silence() -> Iterator[None]:
    """Send what Blender prints, which does not go through Python, to nowhere."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
