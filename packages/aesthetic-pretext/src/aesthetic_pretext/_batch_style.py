"""Style distortions of batches on their device: the formulas and tables of ``_style`` in torch."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ._colour import DELTA, EIGHT_BITS, LINEAR, STEPS, TO_RGB, TO_XYZ
from ._photo import BLUR_SHARE, running_radius
from ._style import (
    brightness_curve,
    contrast_curve,
    light_table,
    overlay_amount,
    value_table,
    vibrance_amount,
    white_balance,
)


class PhotoBatch:
    """Images ``(n, c, h, w)`` of 8 bits, and what several of their distortions share."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    @cached_property
    def index(self) -> Tensor:
        """``(n, 3, h, w)`` values as an index of three tables of 256 values, one for each channel."""
        first = torch.arange(0, 768, 256, dtype=torch.int32, device=self.images.device)
        return self.images.expand(-1, 3, -1, -1) + first[:, None, None]

    @cached_property
    def lab(self) -> tuple[Tensor, Tensor, Tensor]:
        """Lightness in [0, 1] and chroma over 100."""
        xyz = _mixed(TO_XYZ, look_up(np.tile(LINEAR, 3), self.index))
        above = xyz.clamp_min(DELTA**3)
        x, y, z = xyz.sub_(above).mul_(1 / (3 * DELTA**2)).add_(above.log_().mul_(1 / 3).exp_()).unbind(1)
        return 1.16 * y - 0.16, 5 * (x - y), 2 * (y - z)

    @cached_property
    def chroma(self) -> Tensor:
        """``(n, h, w)`` distance from grey."""
        return torch.hypot(*self.lab[1:])

    @cached_property
    def lightness_index(self) -> Tensor:
        """``(n, h, w)`` lightness as an index of curves."""
        return (self.lab[0] * 65535).add_(0.5).int().clamp_(0, 65535)

    @cached_property
    def surroundings(self) -> Tensor:
        """``(n, h, w)`` blurred lightness."""
        radius = running_radius(BLUR_SHARE * max(self.images.shape[2:]))
        plane = self.lab[0]
        for _ in range(3):
            plane = _running_means(_running_means(plane.mT, radius).mT, radius)
        return plane.contiguous()

    @cached_property
    def _room(self) -> Tensor:
        """Two times ``(n, 3, h, w)`` to compute in; new memory for each step takes several times as long."""
        n, _, height, width = self.images.shape
        return torch.empty(2, n, 3, height, width, device=self.images.device)

    def from_lab(self, lightness: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return Lab as 8-bit images."""
        root, light = self._room
        x, y, z = root.unbind(1)
        torch.add(lightness, 0.16, out=y).mul_(1 / 1.16)
        torch.add(y, a, alpha=0.2, out=x)
        torch.sub(y, b, alpha=0.5, out=z)
        # Below DELTA the cube goes on as its tangent.
        torch.clamp_min(root, DELTA, out=light)
        root.sub_(light)
        light.pow_(3).add_(root, alpha=3 * DELTA**2)
        steps = _mixed(STEPS * TO_RGB, light, out=root).clamp_(0, STEPS).add_(0.5)
        return self.from_rgb(look_up(EIGHT_BITS, light.view(torch.int32).copy_(steps)))

    def from_rgb(self, rgb: Tensor) -> Tensor:
        """Return 8-bit RGB with the channels of the batch; for grey ones their luma."""
        if self.images.shape[1] == 3:
            return rgb
        luma = rgb.new_tensor([0.299, 0.587, 0.114], dtype=torch.float32)[:, None, None]
        return ((rgb * luma).sum(1, keepdim=True) + 0.5).to(torch.uint8)


def look_up(table: Any, index: Tensor) -> Tensor:
    """Return the values of a table; index_select is six times as fast as indexing."""
    values = torch.as_tensor(table, device=index.device)
    values = values.float() if values.is_floating_point() else values
    return values.index_select(0, index.flatten()).view(index.shape)


def brightness(photos: PhotoBatch, amount: float) -> Tensor:
    """Bend the lightness curve."""
    return _with_curve(photos, brightness_curve(amount))


def contrast(photos: PhotoBatch, amount: float) -> Tensor:
    """Flatten the lightness curve, or bend it into an S."""
    return _with_curve(photos, contrast_curve(amount))


def saturation(photos: PhotoBatch, amount: float) -> Tensor:
    """Multiply the chroma."""
    lightness, a, b = photos.lab
    return photos.from_lab(lightness, a * (1 + amount), b * (1 + amount))


def vibrance(photos: PhotoBatch, slider: float) -> Tensor:
    """Multiply the chroma the more, the larger it is."""
    lightness, a, b = photos.lab
    weight = photos.chroma * vibrance_amount(slider)
    factor = 1 + weight
    return photos.from_lab(torch.addcmul(lightness, lightness, weight, value=-0.25), a * factor, b * factor)


def shadows(photos: PhotoBatch, slider: float) -> Tensor:
    """Lighten (or darken) what has dark surroundings."""
    amount = overlay_amount(slider, 50)
    return _overlaid(photos, amount, (1 - 2 * photos.surroundings).clamp_(0, 1), 1.0 if amount > 0 else 0.0)


def highlights(photos: PhotoBatch, slider: float) -> Tensor:
    """Lighten (or darken) what has light surroundings."""
    return _overlaid(photos, overlay_amount(slider, -50), (2 * photos.surroundings - 1).clamp_(0, 1), 0.5)


def exposure(photos: PhotoBatch, stops: float) -> Tensor:
    """Multiply the light."""
    return photos.from_rgb(look_up(np.tile(light_table(2.0**stops), 3), photos.index))


def temperature(photos: PhotoBatch, kelvin: float) -> Tensor:
    """Balance for the light of a temperature."""
    return _balanced(photos, kelvin, 1.0)


def tint(photos: PhotoBatch, value: float) -> Tensor:
    """Shift between green and magenta."""
    return _balanced(photos, 6500, value)


def _balanced(photos: PhotoBatch, kelvin: float, tint_value: float) -> Tensor:
    tables = [value_table(float(factor)) for factor in white_balance(kelvin, tint_value)]
    return photos.from_rgb(look_up(np.concatenate(tables), photos.index))


def _with_curve(photos: PhotoBatch, curve: Any) -> Tensor:
    _, a, b = photos.lab
    return photos.from_lab(look_up(curve, photos.lightness_index), a, b)


def _overlaid(photos: PhotoBatch, amount: float, mask: Tensor, colour_follows: float) -> Tensor:
    lightness, a, b = photos.lab
    layer = (photos.surroundings - 0.5).abs_().mul_(1.0 if amount > 0 else -1.0).add_(0.5)
    darkness, chroma = 1 - lightness, torch.ones_like(mask)
    left = abs(amount)
    while left > 0:
        opacity = mask * left if left < 1 else mask
        kept = 1 - opacity
        # Lightness and layer multiplied or screened, and mixed with the lightness, is a sum of two products.
        changed = (lightness - 0.5).relu_().mul_((2 - 4 * layer).mul_(opacity))
        changed.addcmul_(lightness, torch.addcmul(kept, layer, opacity, value=2))
        changed_darkness = 1 - changed
        factor = torch.zeros_like(changed)
        if colour_follows > 0:
            factor.addcdiv_(changed, lightness.clamp_min(1e-3), value=colour_follows)
        if colour_follows < 1:
            factor.addcdiv_(changed_darkness, darkness.clamp_min(1e-3), value=1 - colour_follows)
        lightness, darkness = changed, changed_darkness
        chroma.mul_(factor.mul_(opacity).add_(kept))
        left -= 1
    return photos.from_lab(lightness, a * chroma, b * chroma)


def _running_means(planes: Tensor, radius: int) -> Tensor:
    """Average over ``2 radius + 1`` values along the last axis."""
    total = F.pad(planes, (radius + 1, radius), mode="replicate").cumsum(-1)
    width = 2 * radius + 1
    return total[..., width:].sub(total[..., :-width]).mul_(1 / width)


def _mixed(matrix: Any, planes: Tensor, *, out: Tensor | None = None) -> Tensor:
    mixed = torch.empty_like(planes) if out is None else out
    torch.matmul(torch.as_tensor(matrix).to(planes), planes.flatten(2), out=mixed.flatten(2))
    return mixed
