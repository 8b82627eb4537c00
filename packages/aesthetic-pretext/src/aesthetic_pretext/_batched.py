"""The distortions for batches of images on their device."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from . import _batch_style, _batch_technical
from ._batch_style import PhotoBatch
from ._checks import dense, generator_on, side
from ._composition import inscribed
from ._core import shape_error, value_error
from ._registry import REFERENCES, Distortion, Reference, get_distortion
from ._variants import CROP_SIZE, REFERENCE_MAKERS, SIZE, VARIANTS


def distort_batch(images: Tensor, distortion: str, level: int, *, generator: torch.Generator | None = None) -> Tensor:
    """Distort a batch of images on its device.

    Style, pixelation and JPEG agree with the numpy form to one level of 255; noise and the angle of motion come from
    torch's generator, and rotated or stretched images differ in their interpolation. JPEG runs on the CPU.

    Args:
        images: ``(n, c, h, w)`` uint8 with one or three channels.
        distortion: name in ``DISTORTIONS``.
        level: one of its levels, or 0 for the reference.
        generator: on the device of the images; ``None`` is torch's default.

    Returns:
        ``(n, c, h', w')`` uint8 of the size that ``Distortion.distort`` has.

    Raises:
        TypeError: ``images`` is no tensor.
        ValueError: dtype, shape, name or level do not fit.

    Example:
        >>> distort_batch(torch.full((2, 3, 4, 4), 100, dtype=torch.uint8), "exposure", 1)[0, 0, 0]
        tensor([122, 122, 122, 122], dtype=torch.uint8)

    Reference:
        Table 16.1.
    """
    _check(images, generator)
    chosen = get_distortion(distortion)
    chosen.check_level(level)
    return torch.cat([_apply(chosen, part, level, generator) for part in _parts(images)])


def variants_batch(images: Tensor, *, size: int = SIZE, generator: torch.Generator | None = None) -> Tensor:
    """Make the three references and 171 variants of each image, on its device.

    Args:
        images: ``(n, c, h, w)`` uint8 with one or three channels.
        size: side of the results in pixels.
        generator: of noise and of the angle of motion; ``None`` is torch's default.

    Returns:
        ``(n, 174, c, size, size)`` uint8, in the order of ``VARIANTS``; black beside images that are no squares.

    Raises:
        TypeError: ``images`` is no tensor.
        ValueError: dtype or shape do not fit, or the size is not positive.

    Example:
        >>> variants_batch(torch.zeros(1, 3, 20, 30, dtype=torch.uint8), size=16).shape
        torch.Size([1, 174, 3, 16, 16])

    Reference:
        Section 16.2.1 and Table 16.1.
    """
    _check(images, generator)
    size = side(size)
    results = []
    for part in _parts(images):
        height, width = part.images.shape[2:]
        longer: dict[Reference, int] = {
            "original": size,
            "center_crop": round(size * CROP_SIZE / SIZE),
            "center_rotation": math.ceil((size - 0.5) * max(height, width) / max(inscribed(width, height))),
        }
        scaled = {reference: PhotoBatch(_scaled(part.images, longer[reference])) for reference in REFERENCES}
        rows = [
            _padded(
                _apply(
                    get_distortion(key.distortion) if key.distortion else REFERENCE_MAKERS[key.reference],
                    scaled[key.reference],
                    key.level,
                    generator,
                ),
                size,
            )
            for key in VARIANTS
        ]
        results.append(torch.stack(rows, 1))
    return torch.cat(results)


def _apply(distortion: Distortion, photos: PhotoBatch, level: int, generator: torch.Generator | None) -> Tensor:
    if level == 0 and distortion.reference == "original":
        return photos.images.clone()
    parameter = distortion.parameters[level] if level else distortion.default
    if distortion.family == "style":
        style: Tensor = getattr(_batch_style, distortion.name)(photos, parameter)
        return style
    other: Tensor = getattr(_batch_technical, distortion.name)(photos.images, parameter, generator)
    return other


def _parts(images: Tensor) -> list[PhotoBatch]:
    # One image fits the cache of a CPU, a batch does not; a GPU wants it whole.
    return [PhotoBatch(part) for part in (images.split(1) if images.device.type == "cpu" else [images])]


def _scaled(images: Tensor, longer: int) -> Tensor:
    height, width = images.shape[2:]
    factor = longer / max(height, width)
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    if size == (height, width):
        return images
    resized = F.interpolate(images.float(), size, mode="bicubic", align_corners=False, antialias=True)
    return _batch_technical.eight_bits(resized)


def _padded(images: Tensor, size: int) -> Tensor:
    if max(images.shape[2:]) != size:
        images = _scaled(images, size)
    down, across = size - images.shape[2], size - images.shape[3]
    return F.pad(images, (across // 2, across - across // 2, down // 2, down - down // 2))


def _check(images: Tensor, generator: torch.Generator | None) -> None:
    if dense("images", images).dtype != torch.uint8:
        raise value_error("images", "dtype torch.uint8, values 0 to 255", f"dtype {images.dtype}")
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.numel() == 0:
        raise shape_error("images", "(n, 1 or 3, h, w), not empty", {"images": images.shape})
    generator_on(images.device, generator)
