"""Style distortions of batches on their device: the formulas and tables of ``_style`` in torch."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ._colour import DELTA, EIGHT_BITS, LINEAR, STEPS, TO_RGB, TO_XYZ
from ._style import brightness_curve, contrast_curve, light_table, overlay_amount, vibrance_amount, white_balance


class PhotoBatch:
    """Images ``(n, c, h, w)`` of 8 bits, and what several of their distortions share."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    @cached_property
    def index(self) -> Tensor:
        """``(n, 3, h, w)`` values as an index of tables."""
        return self.images.expand(-1, 3, -1, -1).int()

    @cached_property
    def lab(self) -> tuple[Tensor, Tensor, Tensor]:
        """Lightness in [0, 1] and chroma over 100."""
        xyz = _mixed(TO_XYZ, look_up(LINEAR, self.index))
        above = xyz.clamp_min(DELTA**3)
        x, y, z = ((xyz - above).mul_(1 / (3 * DELTA**2)) + (above.log() * (1 / 3)).exp()).unbind(1)
        return 1.16 * y - 0.16, 5 * (x - y), 2 * (y - z)

    @cached_property
    def lightness_index(self) -> Tensor:
        """``(n, h, w)`` lightness as an index of curves."""
        return (self.lab[0] * 65535).add_(0.5).int().clamp_(0, 65535)

    @cached_property
    def surroundings(self) -> Tensor:
        """``(n, h, w)`` blurred lightness."""
        sigma = max(self.images.shape[2:]) / 40
        radius = max(1, round(((4 * sigma**2 + 1) ** 0.5 - 1) / 2))
        plane = self.lab[0][:, None]
        for _ in range(3):
            plane = F.avg_pool2d(F.pad(plane, (radius,) * 4, mode="replicate"), 2 * radius + 1, stride=1)
        return plane[:, 0]

    def from_lab(self, lightness: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return Lab as 8-bit images."""
        y = (lightness + 0.16).mul_(1 / 1.16)
        root = torch.stack([torch.add(y, a, alpha=0.2), y, torch.sub(y, b, alpha=0.5)], 1)
        cubed = root.clamp_min(DELTA)
        light = root.sub_(cubed).mul_(3 * DELTA**2).addcmul_(cubed * cubed, cubed)
        light = _mixed(TO_RGB, light).clamp_(0, 1)
        return self.from_rgb(look_up(EIGHT_BITS, light.mul_(STEPS).add_(0.5).int()))

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
    weight = torch.sqrt(a * a + b * b).mul_(vibrance_amount(slider))
    factor = 1 + weight
    return photos.from_lab(lightness * (1 - weight * 0.25), a * factor, b * factor)


def shadows(photos: PhotoBatch, slider: float) -> Tensor:
    """Lighten (or darken) what has dark surroundings."""
    amount = overlay_amount(slider, 50)
    return _overlaid(photos, amount, (1 - 2 * photos.surroundings).clamp_(0, 1), 1.0 if amount > 0 else 0.0)


def highlights(photos: PhotoBatch, slider: float) -> Tensor:
    """Lighten (or darken) what has light surroundings."""
    return _overlaid(photos, overlay_amount(slider, -50), (2 * photos.surroundings - 1).clamp_(0, 1), 0.5)


def exposure(photos: PhotoBatch, stops: float) -> Tensor:
    """Multiply the light."""
    return photos.from_rgb(look_up(light_table(2.0**stops), photos.index))


def temperature(photos: PhotoBatch, kelvin: float) -> Tensor:
    """Balance for the light of a temperature."""
    return _balanced(photos, kelvin, 1.0)


def tint(photos: PhotoBatch, value: float) -> Tensor:
    """Shift between green and magenta."""
    return _balanced(photos, 6500, value)


def _balanced(photos: PhotoBatch, kelvin: float, tint_value: float) -> Tensor:
    tables = [light_table(float(factor)) for factor in white_balance(kelvin, tint_value)]
    planes = [look_up(table, plane) for table, plane in zip(tables, photos.index.unbind(1))]
    return photos.from_rgb(torch.stack(planes, 1))


def _with_curve(photos: PhotoBatch, curve: Any) -> Tensor:
    _, a, b = photos.lab
    return photos.from_lab(look_up(curve, photos.lightness_index), a, b)


def _overlaid(photos: PhotoBatch, amount: float, mask: Tensor, colour_follows: float) -> Tensor:
    lightness, a, b = photos.lab
    sign = 1.0 if amount > 0 else -1.0
    layer = (photos.surroundings - 0.5).abs_().mul_(sign).add_(0.5)
    chroma = torch.ones_like(mask)
    left = abs(amount)
    while left > 0:
        opacity = mask * min(left, 1.0)
        doubled = 2 * lightness
        overlaid = (doubled - 1).clamp_min_(0).mul_(1 - 2 * layer).addcmul_(doubled, layer)
        changed = torch.lerp(lightness, overlaid, opacity)
        factor = (changed / lightness.clamp_min(1e-3)).mul_(colour_follows)
        factor.add_((1 - changed).div_((1 - lightness).clamp_min_(1e-3)), alpha=1 - colour_follows)
        lightness, chroma = changed, factor.sub_(1).mul_(opacity).add_(1).mul_(chroma)
        left -= 1
    return photos.from_lab(lightness, a * chroma, b * chroma)


def _mixed(matrix: Any, planes: Tensor) -> Tensor:
    return (torch.as_tensor(matrix).to(planes) @ planes.flatten(2)).view(planes.shape)
