"""Technical and composition distortions of batches on their device."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ._composition import WINDOW, inscribed
from ._photo import Photo
from ._registry import DISTORTIONS
from ._technical import motion_weights, softening_taps


def eight_bits(values: Tensor) -> Tensor:
    """Round values of 0 to 255."""
    return (values + 0.5).clamp_(0, 255.9).to(torch.uint8)


def gaussian_noise(images: Tensor, scale: float, generator: torch.Generator | None) -> Tensor:
    """Add normal noise."""
    noise = torch.empty(images.shape, device=images.device).normal_(0, 255 * scale, generator=generator)
    return eight_bits(noise + images)


def impulse_noise(images: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    """Replace a share of the values by black and white."""
    drawn = torch.empty(images.shape, device=images.device).uniform_(generator=generator)
    return images.masked_fill(drawn < share / 2, 0).masked_fill(drawn > 1 - share / 2, 255)


def defocus_blur(images: Tensor, disk: tuple[int, float], _: torch.Generator | None) -> Tensor:
    """Average over a disk with a soft edge."""
    radius, softness = disk
    steps = torch.arange(-radius, radius + 1, device=images.device)
    kernel = (steps[:, None] ** 2 + steps**2 <= radius**2).float()
    taps = torch.tensor(softening_taps(softness), device=images.device)
    soft = torch.outer(taps, taps)
    kernel = F.conv2d((kernel / kernel.sum())[None, None], soft[None, None], padding=4)
    reach = radius + 2
    rows, columns = (_reflected(n, reach, images.device) for n in images.shape[2:])
    padded = images[:, :, rows][..., columns].float()
    return eight_bits(F.conv2d(padded.flatten(0, 1)[:, None], kernel).view(images.shape))


def motion_blur(images: Tensor, motion: tuple[int, float], generator: torch.Generator | None) -> Tensor:
    """Smear each image along a line of its own angle."""
    radius, sigma = motion
    reach = 2 * radius + 1
    angles = torch.empty(len(images)).uniform_(-45, 45, generator=_on_cpu(generator)).deg2rad()
    padded = F.pad(images.float(), (0, reach, reach, reach), mode="replicate")
    height, width = images.shape[2:]
    blurred = torch.zeros(images.shape, device=images.device)
    for row, angle in enumerate(angles.tolist()):
        for i, weight in enumerate(motion_weights(radius, sigma).tolist()):
            top, left = reach + round(i * math.sin(angle)), round(i * math.cos(angle))
            blurred[row].add_(padded[row, :, top : top + height, left : left + width], alpha=weight)
    return eight_bits(blurred)


def jpeg_compression(images: Tensor, quality: int, _: torch.Generator | None) -> Tensor:
    """Compress and decompress with Pillow, on the CPU."""
    distortion = DISTORTIONS["jpeg_compression"]
    arrays = [np.ascontiguousarray(image) for image in images.cpu().movedim(1, 3).numpy()]
    results = [torch.from_numpy(distortion.apply(Photo(array), quality, (0, 0))) for array in arrays]
    return torch.stack(results).movedim(3, 1).to(images.device)


def pixelate(images: Tensor, scale: float, _: torch.Generator | None) -> Tensor:
    """Scale down and up again by averaging over boxes."""
    result = images.float()
    height, width = images.shape[2:]
    small = (max(1, int(height * scale)), max(1, int(width * scale)))
    for rows, columns in (small, (height, width)):
        down = _box(result.shape[2], rows, images.device)
        across = _box(result.shape[3], columns, images.device)
        result = eight_bits(down @ result @ across.T).float()
    return result.to(torch.uint8)


def horizontal_crop(images: Tensor, way: float, _: torch.Generator | None) -> Tensor:
    """Move the window to the right (or left)."""
    return _crop(images, way, 0)


def vertical_crop(images: Tensor, way: float, _: torch.Generator | None) -> Tensor:
    """Move the window up (or down)."""
    return _crop(images, 0, -way)


def left_diagonal_crop(images: Tensor, way: float, _: torch.Generator | None) -> Tensor:
    """Move the window to a left corner."""
    return _crop(images, -abs(way), -way)


def right_diagonal_crop(images: Tensor, way: float, _: torch.Generator | None) -> Tensor:
    """Move the window to a right corner."""
    return _crop(images, abs(way), -way)


def rotation(images: Tensor, degrees: float, _: torch.Generator | None) -> Tensor:
    """Turn clockwise, and cut the rectangle out that is inside up to 10 degrees."""
    height, width = images.shape[2:]
    inner_width, inner_height = inscribed(width, height)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x = torch.arange(inner_width, device=images.device) + 0.5 - inner_width / 2
    y = (torch.arange(inner_height, device=images.device) + 0.5 - inner_height / 2)[:, None]
    grid = torch.stack([(cos * x + sin * y) * 2 / width, (cos * y - sin * x) * 2 / height], -1)
    grid = grid.expand(len(images), -1, -1, -1)
    return eight_bits(F.grid_sample(images.float(), grid, "bicubic", "border", align_corners=False))


def image_ratio(images: Tensor, stretch: float, _: torch.Generator | None) -> Tensor:
    """Stretch the height (or the width, where negative), and cut the middle out."""
    height, width = images.shape[2:]
    size = (round(height * (1 + max(0.0, stretch))), round(width * (1 + max(0.0, -stretch))))
    stretched = F.interpolate(images.float(), size, mode="bicubic", align_corners=False, antialias=True)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return eight_bits(stretched[:, :, top : top + height, left : left + width])


def _crop(images: Tensor, right: float, down: float) -> Tensor:
    height, width = images.shape[2:]
    inner_height, inner_width = max(1, round(height * WINDOW)), max(1, round(width * WINDOW))
    top = round((height - inner_height) / 2 * (1 + down))
    left = round((width - inner_width) / 2 * (1 + right))
    return images[:, :, top : top + inner_height, left : left + inner_width].clone()


def _reflected(n: int, reach: int, device: torch.device) -> Tensor:
    """Return the index of a side of n pixels continued by reflection, as often as that takes."""
    period = max(1, 2 * n - 2)
    index = torch.arange(-reach, n + reach, device=device).remainder(period)
    return torch.minimum(index, period - index) if n > 1 else index


def _box(n_in: int, n_out: int, device: torch.device) -> Tensor:
    """Return the ``(n_out, n_in)`` weights of Pillow's box filter."""
    scale = n_in / n_out
    reach = max(scale, 1.0)
    centre = (torch.arange(n_out, device=device, dtype=torch.float64)[:, None] + 0.5) * scale
    distance = (torch.arange(n_in, device=device, dtype=torch.float64) + 0.5 - centre) / reach
    weights = ((distance > -0.5) & (distance <= 0.5)).float()
    return weights / weights.sum(1, keepdim=True)


def _on_cpu(generator: torch.Generator | None) -> torch.Generator | None:
    """Return a CPU generator that goes on from one on another device."""
    if generator is None or generator.device.type == "cpu":
        return generator
    seed = torch.empty(1, dtype=torch.int64, device=generator.device).random_(generator=generator)
    return torch.Generator().manual_seed(int(seed))
