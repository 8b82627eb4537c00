"""The 174 images made of one photograph: 171 distorted ones and the three they are compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from ._checks import side
from ._composition import inscribed
from ._photo import Photo, Pixels
from ._registry import DISTORTIONS, REFERENCES, Distortion, Reference

SIZE = 224  # pixels, of the published settings
CROP_SIZE = 336


class VariantKey(NamedTuple):
    """Which variant: ``distortion`` is ``None`` for the three references."""

    distortion: str | None
    level: int
    reference: Reference


@dataclass(frozen=True)
class Variant:
    """One image of a photograph.

    Attributes:
        image: ``(size, size, 3)`` uint8, or grey as the photograph is; black where the photograph has other sides.
        distortion: name, or ``None`` for a reference.
        level: signed; 0 for a reference.
        reference: name of the reference that it is compared with, or that it is.
    """

    image: Pixels
    distortion: str | None
    level: int
    reference: Reference


VARIANTS: tuple[VariantKey, ...] = (
    *(VariantKey(None, 0, reference) for reference in REFERENCES),
    *(VariantKey(d.name, level, d.reference) for d in DISTORTIONS.values() for level in d.levels),
)
REFERENCE_MAKERS: dict[Reference, Distortion] = {d.reference: d for d in DISTORTIONS.values()}


def variants(image: Pixels, *, size: int = SIZE, seed: int = 0) -> list[Variant]:
    """Return the three references of a photograph and its 171 distorted variants, in the order of ``VARIANTS``.

    The photograph is scaled so that its longer side has ``size`` pixels (half as many again for crops, so that
    windows have ``size``), distorted, and put on a black square.

    Args:
        image: ``(h, w, 3)`` RGB or ``(h, w)`` grey, uint8, of any size.
        size: side of the results in pixels; the published severities of blurs, in pixels, are for 224.
        seed: of noise and of the angle of motion.

    Returns:
        174 variants.

    Raises:
        TypeError: the image is no array.
        ValueError: its dtype or shape does not fit, or the size is not positive.

    Example:
        >>> made = variants(np.zeros((40, 60, 3), np.uint8), size=32)
        >>> len(made), made[0].distortion, made[3].distortion, made[3].level, made[3].image.shape
        (174, None, 'jpeg_compression', 1, (32, 32, 3))

    Reference:
        Section 16.2.1 and Table 16.1, 81 style, 30 technical and 60 composition variants.
        Erratum: Section 16.2.3 counts 173 and 172 with the original; the temperature row lists ten values for levels
        up to +4, which are levels up to +5.
    """
    return list(iterate_variants(image, VARIANTS, size=size, seed=seed))


def iterate_variants(
    image: Pixels, keys: tuple[VariantKey, ...], *, size: int = SIZE, seed: int = 0
) -> Iterator[Variant]:
    """Make some variants of a photograph, one after the other."""
    size = side(size)
    photo = Photo(image)
    height, width = photo.pixels.shape[:2]
    sides = inscribed(width, height)
    longer: dict[Reference, int] = {
        "original": size,
        "center_crop": round(size * CROP_SIZE / SIZE),
        "center_rotation": math.ceil((size - 0.5) * max(width, height) / max(sides)),
    }
    scaled: dict[Reference, Photo] = {}
    for key in keys:
        if key.reference not in scaled:
            scaled[key.reference] = scaled_to(photo, longer[key.reference])
        distortion = DISTORTIONS[key.distortion] if key.distortion else REFERENCE_MAKERS[key.reference]
        result = distortion.of_photo(scaled[key.reference], key.level, seed)
        yield Variant(pad_square(result, size), *key)


def pad_square(image: Pixels, size: int) -> Pixels:
    """Return an image in the middle of a black square, scaled if its longer side is not ``size``."""
    if max(image.shape[:2]) != size:
        image = scaled_to(Photo(image), size).image
    height, width = image.shape[:2]
    if height == width:
        return image
    square = np.zeros((size, size, *image.shape[2:]), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def scaled_to(photo: Photo, longer: int) -> Photo:
    """Return a photograph whose longer side has ``longer`` pixels."""
    image = photo.pil
    factor = longer / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    if size == image.size:
        return photo
    return Photo(photo.like(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)))
