"""Masks of every kind as 8-bit 0..255 or floating point 0..1, and what is done to them."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

from ._core import shape_error, value_error
from ._images import Array, Image, as_array, dense, is_pil

_LARGEST_FEATHER = 10_000  # the blur's memory grows with it
_OF_NUMPY = frozenset({torch.bool, torch.uint8, torch.float32, torch.float64, torch.int64})
_RANGE = "values in [0, 1], or 8-bit 0..255"


def mask_array(mask: Image) -> Array:
    """Return an ``(h, w)`` or ``(h, w, 1)`` mask, whichever it is, as 8-bit or float32, its values checked."""
    if is_pil(mask):
        mask = np.asarray(mask)
        # Pillow's two-valued images and its 8-bit ones mean what they say, also when nothing exceeds 1.
        return np.negative(mask.view(np.uint8)) if mask.dtype == np.bool_ else _checked_array(mask, matte=True)
    return _checked_array(as_array(mask), matte=False)


def _checked_array(mask: Array, *, matte: bool) -> Array:
    if mask.dtype == np.bool_:
        return np.negative(np.ascontiguousarray(mask).view(np.uint8))
    if mask.dtype == np.uint8 and matte:
        return mask
    if mask.dtype.kind not in "uif":
        raise value_error("mask", _RANGE, f"an array of {mask.dtype}")
    largest = mask.max(initial=0)
    if mask.dtype == np.uint8:
        _check_labels(int(largest))
        return mask
    if not (mask.min(initial=0) >= 0 and largest <= 1):
        raise value_error("mask", _RANGE, f"{mask.min():g} to {largest:g}")
    return mask.astype(np.float32, copy=False)


def mask_tensor(mask: Tensor) -> Tensor:
    """Return a mask as 8-bit or float32; values are checked on a CPU, elsewhere it would wait for the device."""
    mask = dense("mask", mask)
    if mask.is_cpu and not torch.compiler.is_compiling():
        mask_values(mask)
    if mask.dtype == torch.bool:
        return mask.to(torch.uint8) * 255
    return mask if mask.dtype == torch.uint8 else mask.float()


def mask_values(mask: Tensor) -> Array:
    """Return a mask that is a dense tensor on a CPU as 8-bit or float32 array, its values checked."""
    values = mask if mask.dtype in _OF_NUMPY else mask.float()
    return _checked_array(values.numpy(force=True), matte=False)


def _check_labels(largest: int) -> None:
    # Taken as a matte, a mask of class labels 0 and 1 would silently remove every foreground.
    if largest == 1:
        raise value_error("mask", "8-bit values 0..255 (make a mask of 0 and 1 bool or float)", "at most 1")


def check_batch(images: object, masks: object) -> None:
    """Raise the error for what is no batch of images with one mask each."""
    pixels, weight = dense("images", images), dense("masks", masks)
    one_each = pixels.ndim == 4 and weight.numel() == len(pixels) * pixels.shape[2] * pixels.shape[3]
    if not one_each or weight.shape[-2:] != pixels.shape[-2:]:
        raise shape_error("masks", "(n, h, w) for (n, c, h, w) images", {"images": pixels.shape, "masks": weight.shape})


def check_feather(feather: object) -> None:
    """Raise the error for what is no standard deviation of a blur."""
    if not (isinstance(feather, Real) and 0 <= float(feather) <= _LARGEST_FEATHER):
        raise value_error("feather", f"a standard deviation of 0 to {_LARGEST_FEATHER} pixels", feather)


def feathered(mask: Tensor, feather: float) -> Tensor:
    """Return ``(n, h, w)`` masks in [0, 1] that fade out over ``feather`` pixels, the mask itself being kept."""
    weight = mask / 255 if mask.dtype == torch.uint8 else mask
    reach = math.ceil(3 * feather)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=mask.device) / feather) ** 2)
    kernel = (kernel / kernel.sum())[None, None]
    n, height, width = weight.shape
    blurred = conv1d(pad(weight.reshape(-1, 1, width), (reach, reach), "replicate"), kernel)
    blurred = blurred.reshape(n, height, width).transpose(1, 2).reshape(-1, 1, height)
    blurred = conv1d(pad(blurred, (reach, reach), "replicate"), kernel).reshape(n, width, height).transpose(1, 2)
    return torch.maximum(weight, blurred.clamp(0, 1))
