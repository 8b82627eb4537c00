"""Where masks come from without a model: a folder, an alpha channel, a rembg session."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ._arguments import as_path, length
from ._core import type_error, value_error
from ._images import Array, ImageSource, is_pil, pillow, read_image
from ._mask import mask_array


class MaskProvider(Protocol):
    """Anything that makes masks: ``provider(images) -> masks``."""

    @property
    def name(self) -> str:
        """What the masks depend on besides the image; a `MaskStore` keeps masks of one name only."""

    def __call__(self, images: Sequence[ImageSource]) -> list[Array]:
        """Return one ``(h, w)`` mask in [0, 1] per image or image file, in the size of the image."""


class FolderMasks:
    """Masks that exist as files: ``<folder>/<name of the image>.png``, foreground white.

    Args:
        folder: folder of the masks.
        images: folder of the images, where these lie in subfolders that the folder of the masks repeats.

    Raises:
        TypeError: an image is no path.
        OSError: there is no mask for an image, or one of the two cannot be read.

    Example:
        >>> FolderMasks("masks").name
        'folder'
    """

    name = "folder"

    def __init__(self, folder: str | os.PathLike[str], *, images: str | os.PathLike[str] | None = None) -> None:
        self.folder = as_path("folder", folder)
        self.images = None if images is None else as_path("images", images)

    def __call__(self, images: Sequence[ImageSource]) -> list[Array]:
        """Return the masks of image files."""
        length("images", images)
        masks = [read_image(self._place(image), "L") / np.float32(255) for image in images]
        for image in images:
            read_image(image)  # names the file when it is broken
        return masks

    def _place(self, image: ImageSource) -> Path:
        if not isinstance(image, (str, os.PathLike)):
            raise type_error("images", "paths, by which masks in a folder are found", image)
        path = Path(image)
        if self.images is not None and not path.is_relative_to(self.images):
            raise value_error("images", f"files in {self.images}", str(path))
        relative = Path(path.name) if self.images is None else path.relative_to(self.images)
        return self.folder / relative.with_suffix(".png")


class AlphaMasks:
    """Masks that the images carry as alpha channel.

    Raises:
        ValueError: an image has no alpha channel.

    Example:
        >>> image = np.zeros((1, 2, 4), np.uint8)
        >>> image[0, 1, 3] = 255
        >>> AlphaMasks()([image])
        [array([[0., 1.]], dtype=float32)]
    """

    name = "alpha"

    def __call__(self, images: Sequence[ImageSource]) -> list[Array]:
        """Return the alpha channels."""
        length("images", images)
        return [self._alpha(image) for image in images]

    def _alpha(self, image: ImageSource) -> Array:
        channels = image.shape[2] if isinstance(image, np.ndarray) and image.ndim == 3 else None
        if isinstance(image, (str, os.PathLike)):
            read_image(image, "L")  # names the file when it is broken
            with pillow().open(image) as file:
                channels = 4 if file.has_transparency_data else None
        if channels != 4 and not getattr(image, "has_transparency_data", False):
            place = os.fspath(image) if isinstance(image, (str, os.PathLike)) else type(image).__name__
            raise ValueError(f"images: expected an alpha channel, got none in {place}")
        return read_image(image, "RGBA")[..., 3] / np.float32(255)


class RembgMasks:
    """Masks of a rembg session, which the user makes: ``RembgMasks(rembg.new_session("isnet-general-use"))``.

    Args:
        session: anything with ``predict(PIL image) -> [PIL mask, ...]``; several masks are joined.
        name: what the session is, for the `MaskStore`.

    Raises:
        TypeError: the session has no ``predict``.
    """

    def __init__(self, session: Any, *, name: str | None = None) -> None:
        if not callable(getattr(session, "predict", None)):
            raise type_error("session", "a rembg session", session)
        self.session = session
        self.name = name or f"rembg {type(session).__name__}"

    def __call__(self, images: Sequence[ImageSource]) -> list[Array]:
        """Return the session's masks."""
        length("images", images)
        masks = []
        for image in images:
            made = self.session.predict(pillow().fromarray(read_image(image)))
            if not isinstance(made, (tuple, list)) or not made or not all(map(is_pil, made)):
                raise type_error("session", "one that predicts a list of PIL masks", made)
            found = [mask_array(m.convert("L")) for m in made]
            masks.append(np.maximum.reduce(found) / np.float32(255))
        return masks
