"""Eq. 11.1 on arrays with channels last and on tensors with channels first, each at its fastest.

A matte is almost everywhere 0 or 1. 8-bit images are therefore put together by groups of eight pixels: one whose mask
is all 1 is copied as a single item, and only those with anything in between are calculated.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._images import Array

_GROUP = 8  # pixels; as many mask values are compared as one 64-bit number


def composite_array(image: Array, mask: Array, background: Array) -> Array:
    """Blend ``(h, w, c)`` arrays of one dtype by an ``(h, w)`` mask, 8-bit 0..255 or floating point 0..1."""
    if image.dtype != np.uint8:
        return _blend_array(image, _weight_array(mask, image.dtype)[..., None], background)
    mixed = np.empty(image.shape, np.uint8)
    _compose(image, mask, background, mixed, depth=image.shape[2])
    return mixed


def composite_tensor(image: Tensor, mask: Tensor, background: Tensor) -> Tensor:
    """Blend ``(c, h, w)`` tensors of one dtype, or batches of them, by a mask ``(1, h, w)`` or ``(n, 1, h, w)``."""
    weight = _weight_tensor(mask, image)
    mixed = weight * image.to(weight.dtype) + (1 - weight) * background.to(weight.dtype)
    if not image.dtype.is_floating_point:
        mixed = mixed.round()
    return torch.where(weight == 1, image, mixed.to(image.dtype))


def composite_planes(image: Array, mask: Array, background: Array) -> Array:
    """Blend 8-bit ``(c, h, w)`` arrays, or batches of them, by a mask with as many pixels."""
    given, others = (array if array.ndim == 4 else array[None] for array in (image, background))
    weights, depth = mask.reshape(len(given), *given.shape[2:]), 1
    # Images read from files often lie in memory with channels last; they stay so.
    last = given.transpose(0, 2, 3, 1)
    if last.flags.c_contiguous and not given.flags.c_contiguous:
        given, others, depth = last, others.transpose(0, 2, 3, 1), last.shape[3]
    mixed = np.empty(given.shape, np.uint8)
    for place, weight in enumerate(weights):  # one image at a time stays in the cache
        _compose(given[place], weight, others[place % len(others)], mixed[place], depth=depth)
    mixed = mixed if depth == 1 else mixed.transpose(0, 3, 1, 2)
    return mixed if image.ndim == 4 else mixed[0]


def _compose(image: Array, mask: Array, background: Array, mixed: Array, *, depth: int) -> None:
    """Write the composite of one 8-bit image into ``mixed``; ``depth`` values of a pixel lie side by side in memory."""
    mixed[...] = background
    pixels = mask.size
    weight = np.ascontiguousarray(mask).reshape(pixels)
    planes = -1 if pixels else 0, pixels * depth
    given, made = np.ascontiguousarray(image).reshape(planes), mixed.reshape(planes)
    rest = pixels % _GROUP
    if rest:
        cut = (pixels - rest) * depth
        _compose_groups(given[:, cut:], weight[-rest:], made[:, cut:], 1, depth)
        given, weight, made = given[:, :cut], weight[:-rest], made[:, :cut]
    _compose_groups(given, weight, made, _GROUP, depth)


def _compose_groups(image: Array, weight: Array, mixed: Array, group: int, depth: int) -> None:
    """Put the ``(planes, values)`` of an image into its background ``mixed`` wherever a group is not all background."""
    # One byte per pixel: 0 on the background, 255 on the foreground, anything else between them.
    level = weight if weight.dtype == np.uint8 else np.negative((weight == 1).view(np.uint8)) | (weight > 0)
    states = level.view(f"u{group}")
    full = states == 2 ** (8 * group) - 1
    (between,) = ((states != 0) ^ full).nonzero()
    item = _item(group * depth)
    given, made = image.view(item), mixed.view(item)
    np.copyto(made, given, where=full)
    front, behind = given.take(between, axis=1).view(np.uint8), made.take(between, axis=1).view(np.uint8)
    weight = weight.view(_item(group * weight.itemsize)).take(between).view(weight.dtype)
    calculated = _mixed(front, weight if depth == 1 else weight.repeat(depth), behind).view(item)
    for plane, values in zip(made, calculated):
        plane[between] = values


@functools.cache
def _item(size: int) -> np.dtype[Any]:
    return np.dtype((np.void, size))


def _mixed(image: Array, weight: Array, background: Array) -> Array:
    """Return the rounded weighted mean of 8-bit values, by a weight of 8 bits or of floating point."""
    if weight.dtype != np.uint8:
        mixed: Array = np.rint(weight * image + (1 - weight) * background).astype(np.uint8)
        return mixed
    total, difference = background.astype(np.uint16), image.astype(np.uint16)
    difference -= total  # 16 bits wrap around, and back again below
    difference *= weight
    total *= 255
    total += difference
    # (x + 128 + (x + 128) / 256) / 256, its divisions cut off, is x / 255 rounded for all x of 16 bits that arise.
    total += 128
    total += total >> 8
    total >>= 8
    return total.astype(np.uint8)


def _weight_array(mask: Array, dtype: np.dtype[np.generic]) -> Array:
    precise = dtype.itemsize > 2 and dtype.newbyteorder("=") != np.float32
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
