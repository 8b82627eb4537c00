"""Images of every kind as arrays, and arrays as the kind of an image."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ._arguments import as_path
from ._core import import_extra, shape_error, type_error, value_error

if TYPE_CHECKING:
    from PIL import Image as PILImage

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Image: TypeAlias = "Array | Tensor | PILImage.Image"
ImageSource: TypeAlias = "str | os.PathLike[str] | Image"

_REAL = frozenset({
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32,
    torch.uint64, torch.float16, torch.bfloat16, torch.float32, torch.float64,
})  # fmt: skip
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})


@functools.cache
def pillow() -> Any:
    """Return the module ``PIL.Image``."""
    return import_extra("PIL.Image", package="bgaugment", extra="images")


def is_pil(image: object) -> bool:
    """Tell a PIL image without importing Pillow: nobody has one unless somebody imported it."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(image, module.Image)


def image_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return all image files below ``folder``, hidden ones left out, in the order of their names.

    Raises:
        ValueError: there is no such folder, or no image in it.
    """
    root = as_path("folder", folder)
    if not root.is_dir():
        raise value_error("folder", "an existing folder", str(root))
    named = (p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    # A link that leads nowhere is a broken image; a folder is none, and reading from a pipe would never end.
    files = sorted(p for p in named if p.is_file() or (p.is_symlink() and not p.exists()))
    if not files:
        raise value_error("folder", f"image files ({', '.join(sorted(SUFFIXES))})", f"none in {root}")
    return files


def read_image(source: ImageSource, mode: str = "RGB") -> Array:
    """Return an image or image file as an array of Pillow's ``mode``, on the pixel grid as it is stored.

    Raises:
        OSError: the file cannot be read; the message names it.
    """
    if not isinstance(source, (str, os.PathLike)):
        return np.asarray((source if is_pil(source) else _picture(source)).convert(mode))  # type: ignore[union-attr]
    with _opened(source) as file:
        return np.asarray(file.convert(mode))


def _picture(image: Image) -> Any:
    array = to_uint8(as_array(image))
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4 or not array.size:
        raise shape_error("image", "(h, w) or (h, w, c) with at most four channels", {"image": array.shape})
    return pillow().fromarray(array[..., 0] if array.shape[2] == 1 else array)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    try:
        with pillow().open(path) as file:
            yield file
    # Pillow reports a broken file with any of these.
    except (OSError, SyntaxError, ValueError, pillow().DecompressionBombError) as error:
        raise OSError(f"{os.fspath(path)}: cannot be read as an image: {error}") from error


def as_array(image: Image) -> Array:
    """Return an array with channels last; tensors are taken as channels first."""
    if isinstance(image, np.ndarray):
        if image.dtype.kind not in "buif" or image.dtype.itemsize > 8:
            raise value_error("image", "an array of real numbers", f"one of {image.dtype}")
        return image
    if isinstance(image, Tensor):
        array = dense("image", image).detach().cpu().resolve_neg()
        array = array.float() if array.dtype == torch.bfloat16 else array
        return (array.movedim(-3, -1) if array.ndim > 2 else array).numpy()
    if is_pil(image):
        return np.asarray(image)
    raise type_error("image", "a numpy array, a PIL image or a tensor", image)


def to_uint8(array: Array) -> Array:
    """Return values in [0, 1] as 0..255, and 8-bit values as they are."""
    if array.dtype == np.uint8:
        return array
    if not np.isfinite(array).all():
        raise value_error("image", "finite values", "NaN or infinity")
    levels: Array = np.rint(array * 255.0).clip(0, 255).astype(np.uint8)
    return levels


def image_size(image: ImageSource) -> tuple[int, int]:
    """Return height and width; of a file only its beginning is read."""
    if isinstance(image, (str, os.PathLike)):
        with _opened(image) as file:
            return int(file.height), int(file.width)
    if isinstance(image, (Tensor, np.ndarray)) and image.ndim < 2:
        raise shape_error("image", "at least (h, w)", {"image": image.shape})
    if isinstance(image, Tensor):
        return int(image.shape[-2]), int(image.shape[-1])
    if isinstance(image, np.ndarray):
        return int(image.shape[0]), int(image.shape[1])
    if is_pil(image):
        return int(image.height), int(image.width)
    raise type_error("image", "a numpy array, a PIL image or a tensor", image)


def like(background: Image, image: Image) -> Image:
    """Return the background as the kind, dtype and device of ``image``; 8-bit 255 is 1.0 in floating point."""
    if is_pil(background) and getattr(background, "mode", None) not in ("L", "RGB"):
        background = background.convert("RGB")  # type: ignore[union-attr]
    if isinstance(image, Tensor):
        tensor = dense("background", background) if isinstance(background, Tensor) else channels_first(background)
        return scaled(tensor.to(image.device), image.dtype)
    array = as_array(background)
    if is_pil(image):
        # What fits already is not copied twice, which would cost more than the composite.
        fits = array.dtype == np.uint8 and array.ndim == 3 and image.mode == "RGB" and array.shape[2] == 3  # type: ignore[union-attr]
        return array if fits else read_image(array, image.mode)  # type: ignore[union-attr]
    dtype = as_array(image).dtype
    if array.dtype == dtype:
        return array
    if dtype == np.uint8:
        return to_uint8(array)
    return (array / np.float32(255) if array.dtype == np.uint8 else array).astype(dtype)


def channels_first(image: Image) -> Tensor:
    """Return a copy of an array or PIL image as a tensor with channels, which come first."""
    array = as_array(image)
    if array.ndim < 2:
        raise shape_error("image", "(h, w) or (h, w, c)", {"image": array.shape})
    return to_tensor(array[..., None] if array.ndim == 2 else array).movedim(-1, -3)


def to_tensor(array: Array) -> Tensor:
    """Return a copy of an array as a tensor, which knows neither reversed axes nor foreign orders of bytes."""
    return torch.tensor(np.ascontiguousarray(array, array.dtype.newbyteorder("=")))


def dense(argument: str, tensor: object) -> Tensor:
    """Return a `plain` tensor, or raise the error for what is no tensor whose real numbers lie in memory."""
    if not isinstance(tensor, Tensor):
        raise type_error(argument, "a tensor", tensor)
    if tensor.dtype not in _REAL or tensor.layout != torch.strided or tensor.is_meta or tensor.is_nested:
        got = f"{tensor.dtype} of layout {tensor.layout} on {tensor.device}"
        raise value_error(argument, "a dense tensor of real numbers", got)
    return plain(tensor)


def plain(tensor: Tensor) -> Tensor:
    """Return a tv_tensor as the tensor that it is, which calls cost less and compilers accept."""
    return tensor if type(tensor) is Tensor else tensor.as_subclass(Tensor)


def scaled(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the tensor in ``dtype``, with 255 in 8 bits and 1.0 in floating point being the same."""
    if tensor.dtype == torch.uint8 and dtype.is_floating_point:
        return (tensor / 255.0).to(dtype)
    if tensor.dtype.is_floating_point and dtype == torch.uint8:
        return (tensor * 255.0).round().clamp(0, 255).to(dtype)
    return tensor.to(dtype)
