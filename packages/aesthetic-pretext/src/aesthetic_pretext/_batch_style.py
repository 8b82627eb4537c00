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
    brightness_power,
    contrasted,
    light_table,
    overlay_amount,
    value_table,
    vibrance_amount,
    white_balance,
)


class PhotoBatch:
    """Images ``(n, c, h, w)`` of 8 bits, and what several of their distortions share of their ``p = h w`` pixels."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    @cached_property
    def index(self) -> Tensor:
        """``(n, 3, p)`` values as an index of three tables of 256 values, one for each channel."""
        first = torch.arange(0, 768, 256, dtype=torch.int32, device=self.images.device)
        return self.images.flatten(2) + first[:, None]

    @cached_property
    def _roots(self) -> tuple[Tensor, Tensor]:
        """``(n, 1, p)`` cube roots of Y, which make the lightness, and by how much those of X and Z differ."""
        light = look_up(np.tile(LINEAR, 3), self.index)
        xyz = torch.as_tensor(TO_XYZ).to(light) @ light
        above = xyz.clamp_min(DELTA**3)
        root = xyz.sub_(above).mul_(1 / (3 * DELTA**2)).add_(above.log_().mul_(1 / 3).exp_())
        return root[:, 1:2], root[:, ::2] - root[:, 1:2]

    @cached_property
    def lightness(self) -> Tensor:
        """``(n, 1, p)`` lightness in [0, 1]."""
        return self._roots[0].mul(1.16).sub_(0.16).clamp_(0, 1)

    @cached_property
    def log_lightness(self) -> Tensor:
        """``(n, 1, p)`` logarithm of the lightness; as minus infinity, that of black would slow down ``exp``."""
        return self.lightness.clamp_min(1e-12).log_()

    @cached_property
    def chroma(self) -> Tensor:
        """``(n, 1, p)`` distance from grey over 100."""
        x, z = self._roots[1].split(1, 1)
        return torch.hypot(5 * x, 2 * z)

    @cached_property
    def surroundings(self) -> Tensor:
        """``(n, 1, p)`` blurred lightness, from -1 for black to 1 for white."""
        size = self.images.shape[2:]
        radius = running_radius(BLUR_SHARE * max(size))
        plane = self.lightness.view(-1, *size)
        for _ in range(3):
            plane = _running_means(_running_means(plane.mT, radius).mT, radius)
        return plane.flatten(1)[:, None].mul(2).sub_(1)

    @cached_property
    def dark_surroundings(self) -> Tensor:
        """``(n, 1, p)`` how dark the surroundings are, 0 where they are no darker than the middle."""
        return self.surroundings.neg().clamp_(0, 1)

    @cached_property
    def light_surroundings(self) -> Tensor:
        """``(n, 1, p)`` how light the surroundings are, 0 where they are no lighter than the middle."""
        return self.surroundings.clamp(0, 1)

    @cached_property
    def _room(self) -> Tensor:
        """Two times ``(n, 3, p)`` to compute in; new memory for each step takes several times as long."""
        return torch.empty(2, *self.index.shape, device=self.images.device)

    @cached_property
    def _constants(self) -> tuple[Tensor, Tensor, Tensor]:
        """The root of Y that is black, the matrix from light Y, X and Z to steps of RGB, and their 8-bit values."""
        matrix = torch.as_tensor(STEPS * TO_RGB[:, [1, 0, 2]]).to(self._room)
        return matrix.new_tensor(0.16 / 1.16), matrix, torch.as_tensor(EIGHT_BITS, device=matrix.device)

    def from_lab(self, lightness: Tensor, chroma: Tensor | float = 1.0) -> Tensor:
        """Return 8-bit images of a lightness, and of the chroma multiplied."""
        (black, to_steps, eight_bits), (root, light) = self._constants, self._room
        y, others = root[:, :1], root[:, 1:]
        torch.add(black, lightness, alpha=1 / 1.16, out=y)
        if isinstance(chroma, Tensor):
            torch.addcmul(y, self._roots[1], chroma, out=others)
        else:
            torch.add(y, self._roots[1], alpha=chroma, out=others)
        # Below DELTA the cube goes on as its tangent.
        torch.clamp_min(root, DELTA, out=light)
        root.sub_(light)
        light.pow_(3).add_(root, alpha=3 * DELTA**2)
        torch.matmul(to_steps, light, out=root).clamp_(0, STEPS).add_(0.5)
        index = light.view(torch.int32).copy_(root)
        return self.from_rgb(eight_bits.index_select(0, index.flatten()).view(index.shape))

    def from_rgb(self, rgb: Tensor) -> Tensor:
        """Return ``(n, 3, p)`` 8-bit RGB in the shape of the images; for grey ones its luma."""
        if self.images.shape[1] == 1:
            luma = rgb.new_tensor([0.299, 0.587, 0.114], dtype=torch.float32)[:, None]
            rgb = ((rgb * luma).sum(1) + 0.5).to(torch.uint8)
        return rgb.view(self.images.shape)


def look_up(table: Any, index: Tensor) -> Tensor:
    """Return the values of a table; index_select is six times as fast as indexing."""
    values = torch.as_tensor(table, device=index.device)
    values = values.float() if values.is_floating_point() else values
    return values.index_select(0, index.flatten()).view(index.shape)


def brightness(photos: PhotoBatch, amount: float) -> Tensor:
    """Bend the lightness curve."""
    return photos.from_lab((photos.log_lightness * brightness_power(amount)).exp_())


def contrast(photos: PhotoBatch, amount: float) -> Tensor:
    """Flatten the lightness curve, or bend it into an S."""
    return photos.from_lab(contrasted(photos.lightness, amount))


def saturation(photos: PhotoBatch, amount: float) -> Tensor:
    """Multiply the chroma."""
    return photos.from_lab(photos.lightness, 1 + amount)


def vibrance(photos: PhotoBatch, slider: float) -> Tensor:
    """Multiply the chroma the more, the larger it is."""
    weight = photos.chroma * vibrance_amount(slider)
    lightness = torch.addcmul(photos.lightness, photos.lightness, weight, value=-0.25)
    return photos.from_lab(lightness, weight.add_(1))


def shadows(photos: PhotoBatch, slider: float) -> Tensor:
    """Lighten (or darken) what has dark surroundings."""
    return _overlaid(photos, overlay_amount(slider, 50), photos.dark_surroundings, colour_follows_both=False)


def highlights(photos: PhotoBatch, slider: float) -> Tensor:
    """Lighten (or darken) what has light surroundings."""
    return _overlaid(photos, overlay_amount(slider, -50), photos.light_surroundings, colour_follows_both=True)


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


def _overlaid(photos: PhotoBatch, amount: float, opacity: Tensor, *, colour_follows_both: bool) -> Tensor:
    # The layer is as far from the middle as it is opaque: what it multiplies or screens changes by the square of that.
    grown = photos.lightness if amount > 0 else 1 - photos.lightness
    rest, chroma = 1 - grown, torch.ones_like(grown)
    change, left = opacity * opacity, abs(amount)
    while left > 0:
        if left < 1:
            opacity, change = opacity * left, change * left
        more = torch.addcmul(grown, torch.minimum(grown, rest), change)
        less = 1 - more
        factor = more / grown.clamp_min(1e-3)
        if colour_follows_both:
            factor.addcdiv_(less, rest.clamp_min(1e-3)).mul_(0.5)
        chroma.lerp_(factor.mul_(chroma), opacity)
        grown, rest, left = more, less, left - 1
    return photos.from_lab(grown if amount > 0 else rest, chroma)


def _running_means(planes: Tensor, radius: int) -> Tensor:
    """Average over ``2 radius + 1`` values along the last axis."""
    total = F.pad(planes, (radius + 1, radius), mode="replicate").cumsum(-1)
    width = 2 * radius + 1
    return total[..., width:].sub(total[..., :-width]).mul_(1 / width)
