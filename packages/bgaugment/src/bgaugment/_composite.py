"""Eq. 11.1 on arrays with channels last and on tensors with channels first, each at its fastest.

A matte is almost everywhere 0 or 1. There a choice, of whole pixels or of bits as ``((i ^ b) & m) ^ b``, is exact and
several times faster than arithmetic on 8-bit images; only the soft pixels are then mended with the weighted mean.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ._images import Array

# Beyond this share of soft pixels, arithmetic on all pixels is faster than mending.
_MEND_AT_MOST = 0.2


def composite_array(image: Array, mask: Array, background: Array) -> Array:
    """Blend ``(h, w, c)`` arrays of one dtype by an ``(h, w)`` mask, 8-bit 0..255 or floating point 0..1."""
    if image.dtype != np.uint8:
        return _blend_array(image, _weight_array(mask, image.dtype)[..., None], background)
    mixed = np.empty(image.shape, np.uint8)
    _compose(image, mask, background, mixed, channels_last=True)
    return mixed


def composite_tensor(image: Tensor, mask: Tensor, background: Tensor) -> Tensor:
    """Blend ``(n, c, h, w)`` tensors of one dtype by an ``(n, h, w)`` mask, 8-bit 0..255 or floating point 0..1."""
    # Which pixels are soft depends on the data: fine on a CPU, a synchronisation elsewhere, impossible when compiled.
    if image.dtype != torch.uint8 or image.device.type != "cpu" or torch.compiler.is_compiling():
        return _blend_tensor(image, _weight_tensor(mask, image)[:, None], background)
    mixed = torch.empty_like(image, memory_format=torch.contiguous_format)
    # One image at a time stays in the cache; numpy finds and moves single pixels faster than torch.
    parts = (tensor.numpy() for tensor in (image, mask.detach(), background.expand_as(image), mixed))
    for one in zip(*parts):
        _compose(*one, channels_last=False)
    return mixed


def _compose(image: Array, mask: Array, background: Array, mixed: Array, *, channels_last: bool) -> None:
    """Write the composite of one 8-bit image into ``mixed``."""
    # 8-bit arithmetic wraps around, so one comparison finds everything but 0 and 255.
    soft = np.flatnonzero((mask - np.uint8(1)) < 254 if mask.dtype == np.uint8 else (mask > 0) & (mask < 1))
    if soft.size > _MEND_AT_MOST * mask.size:
        weight = _weight_array(mask, image.dtype)
        mixed[...] = _blend_array(image, weight[..., None] if channels_last else weight, background)
        return
    channels = image.shape[-1 if channels_last else 0]
    full = mask == (255 if mask.dtype == np.uint8 else 1)
    if channels_last:
        # Taken as one item of several bytes, the pixels of a run of ones are copied at once.
        pixel = np.dtype((np.void, channels))
        mixed[...] = background
        np.copyto(mixed.view(pixel), np.ascontiguousarray(image).view(pixel), where=full[..., None])
    else:
        np.bitwise_xor(image, background, out=mixed)
        mixed &= np.negative(full.view(np.uint8))
        mixed ^= background
    weight = _weight_array(mask.reshape(-1).take(soft), image.dtype)
    step, plane = (channels, 1) if channels_last else (1, mask.size)
    place = soft * step + plane * np.arange(channels)[:, None]
    mended = weight * image.reshape(-1).take(place) + (1 - weight) * background.reshape(-1).take(place)
    mixed.reshape(-1)[place] = np.rint(mended).astype(np.uint8)


def _weight_array(mask: Array, dtype: np.dtype[np.generic]) -> Array:
    precise = dtype.itemsize > 2 and dtype != np.float32
    weight: Array = mask.astype(np.float64 if precise else np.float32)
    return weight / weight.dtype.type(255) if mask.dtype == np.uint8 else weight


def _blend_array(image: Array, weight: Array, background: Array) -> Array:
    mixed = weight * image + (1 - weight) * background
    if image.dtype.kind != "f":
        mixed = np.rint(mixed)
    # The weighted mean of floats may lose the last bit where the weight is 1; the image itself does not.
    return np.where(weight == 1, image, mixed.astype(image.dtype))


def _weight_tensor(mask: Tensor, image: Tensor) -> Tensor:
    precise = image.dtype.itemsize > 2 and image.dtype != torch.float32 and image.device.type != "mps"
    weight = mask.to(torch.float64 if precise else torch.float32)
    return weight / 255 if mask.dtype == torch.uint8 else weight


def _blend_tensor(image: Tensor, weight: Tensor, background: Tensor) -> Tensor:
    mixed = weight * image + (1 - weight) * background
    if not image.dtype.is_floating_point:
        mixed = mixed.round()
    return torch.where(weight == 1, image, mixed.to(image.dtype))
