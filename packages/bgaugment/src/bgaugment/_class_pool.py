"""Backgrounds of other images of the data set, chosen by class."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ._arguments import length
from ._core import shape_error, value_error
from ._images import Image, ImageSource, like, read_image, to_tensor
from ._mask import mask_array
from .functional import remove_foreground

RELATIONS = ("any", "same", "other")


class ClassPool:
    """The backgrounds of other images of a data set, their foregrounds filled up smoothly.

    Args:
        images: PIL images, arrays, tensors or paths.
        masks: one mask per image.
        labels: one class per image.
        relation: a background comes from an image of the ``"same"`` class, of an ``"other"`` class, or of ``"any"``;
            never from the image itself.

    Raises:
        ValueError: lengths differ or the relation is unknown; or, when drawing, the image's index (and label) is not
            known or it has no such partner.

    Example:
        >>> images = [np.full((2, 2, 3), 60 * i, np.uint8) for i in range(4)]
        >>> masks = [np.zeros((2, 2), np.uint8)] * 4
        >>> pool = ClassPool(images, masks, ["a", "a", "b", "b"], relation="same")
        >>> int(pool.draw((2, 2), np.random.default_rng(0), index=0, label="a").max())
        60

    Reference:
        Xiao et al., "Noise or signal: the role of image backgrounds in object recognition" (2021): mixed-same and
        mixed-rand.
    """

    def __init__(
        self,
        images: Sequence[ImageSource],
        masks: Sequence[Image],
        labels: Sequence[Hashable],
        *,
        relation: str,
    ) -> None:
        if not length("images", images) == length("masks", masks) == length("labels", labels):
            raise value_error(
                "labels", "one mask and one label per image", f"{len(images)} images, {len(masks)} masks, {len(labels)}"
            )
        if relation not in RELATIONS:
            raise value_error("relation", f"one of {RELATIONS}", relation)
        self._images, self._masks, self._relation = images, masks, relation
        self._members: dict[Hashable, list[int]] = {}
        for index, label in enumerate(labels):
            self._members.setdefault(label, []).append(index)

    def draw(
        self,
        size: tuple[int, int],  # noqa: ARG002
        rng: np.random.Generator,
        *,
        index: int | None = None,
        label: Hashable = None,
    ) -> Tensor:
        """Return the background of a partner, ``(3, h, w)`` of 8 bits."""
        if index is None or (self._relation != "any" and label is None):
            raise value_error("pool", "BGAugmentDataset or background_gap, which know each image's class", "no class")
        partners = [
            member
            for other, members in self._members.items()
            if self._relation == "any" or (other == label) == (self._relation == "same")
            for member in members
            if member != index
        ]
        if not partners:
            raise value_error("pool", f"an image of {self._relation} class for each image", f"none for {label!r}")
        partner = int(rng.choice(partners))
        image = cast(Tensor, like(read_image(self._images[partner]), torch.zeros(3, 1, 1, dtype=torch.uint8)))
        mask = to_tensor(mask_array(self._masks[partner]))
        if mask.numel() != image[0].numel() or mask.shape[:2] != image.shape[1:]:
            raise shape_error("masks", "(h, w) of the image", {"image": image.shape, "mask": mask.shape})
        mask = mask.reshape(1, *image.shape[1:])
        return remove_foreground(image[None], mask)[0]
