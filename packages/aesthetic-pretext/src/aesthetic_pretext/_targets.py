"""What the pretext tasks know about each row of a batch of variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ._checks import whole_number
from ._core import value_error
from ._registry import DISTORTIONS, FAMILIES, MAX_LEVEL
from ._variants import VARIANTS, VariantKey

NUM_DISTORTIONS = len(DISTORTIONS)
KNOWN = frozenset(VARIANTS)
FAMILY_SIZES = tuple(sum(d.family == family for d in DISTORTIONS.values()) for family in FAMILIES)


class Targets(NamedTuple):
    """The weak labels of n rows.

    Attributes:
        levels: ``(n,)`` signed level; 0 for a reference.
        groups: ``(n,)`` ``image * 21 + distortion``, an id of image and distortion; -1 for a reference.
        reference: ``(n,)`` row of the undistorted image that a row is compared with; a reference's own row.
    """

    levels: Tensor
    groups: Tensor
    reference: Tensor


def targets_of(keys: Sequence[VariantKey], num_images: int = 1) -> Targets:
    """Return the weak labels of a batch that holds the same variants of each image, one image after the other.

    Args:
        keys: the variants of one image, with every reference that they are compared with.
        num_images: number of images.

    Returns:
        Targets of ``num_images * len(keys)`` rows.

    Raises:
        ValueError: a key is unknown or its reference is missing, or there is no image.

    Example:
        >>> from aesthetic_pretext import VARIANTS
        >>> targets = targets_of(VARIANTS, num_images=8)
        >>> len(targets.levels), int(targets.groups.max()), targets.reference[[0, 1, 3, 174, 177]].tolist()
        (1392, 167, [0, 1, 0, 174, 174])
    """
    if not isinstance(keys, Sequence) or not keys or not set(keys) <= KNOWN:
        raise value_error("keys", "some of VARIANTS", keys)
    num_images = whole_number("num_images", num_images, 1, 1_000_000)
    rows = {key.reference: row for row, key in enumerate(keys) if key.distortion is None}
    if missing := {key.reference for key in keys} - set(rows):
        raise value_error("keys", "every reference of the other keys", f"none of {sorted(missing)}")
    levels = torch.tensor([key.level for key in keys])
    distortions = torch.tensor([DISTORTIONS[key.distortion].index if key.distortion else -1 for key in keys])
    reference = torch.tensor([rows[key.reference] for key in keys])
    images = torch.arange(num_images)[:, None]
    groups = torch.where(distortions >= 0, images * NUM_DISTORTIONS + distortions, -1)
    return Targets(levels.repeat(num_images), groups.flatten(), (images * len(keys) + reference).flatten())


def rank_fractions() -> Tensor:
    """Return ``(21, 11)`` regression targets of each distortion and level -5 to 5; 0 where there is no such level."""
    table = torch.zeros(NUM_DISTORTIONS, 2 * MAX_LEVEL + 1)
    for distortion in DISTORTIONS.values():
        for level in distortion.levels:
            table[distortion.index, level + MAX_LEVEL] = distortion.rank_fraction(level)
    return table


RANK_FRACTIONS = rank_fractions()
