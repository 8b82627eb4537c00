"""The distortions as a torchvision v2 transform."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils import _pytree

from ._batched import distort_batch
from ._checks import dense, generator_on, names, number
from ._core import import_extra, value_error
from ._photo import Photo
from ._registry import DISTORTIONS, get_distortion


class RandomDistortion(nn.Module):
    """Distort the images of a torchvision v2 pipeline by one drawn distortion and level.

    Takes any structure with one or more images (``tv_tensors.Image``, PIL or plain uint8 tensors of three or four
    dimensions) and returns it with all of them distorted alike, of the type they had. A structure without an image is
    an error, never passed through.

    Args:
        distortions: names to draw from; all 21 by default.
        levels: levels to draw from, those that a distortion does not have left out; all by default.
        p: probability of a distortion.
        generator: ``None`` is torch's default, which a DataLoader seeds for each worker and epoch.

    Raises:
        TypeError: there is no image.
        ValueError: a distortion is unknown or has none of the levels, ``p`` is no probability, or an image is not of
            8 bits.

    Example:
        >>> darker = RandomDistortion(["exposure"], levels=[-5])
        >>> darker(Image.new("RGB", (4, 4), (200, 200, 200))).getpixel((0, 0))
        (76, 76, 76)

    Reference:
        Table 16.1.
    """

    def __init__(
        self,
        distortions: Collection[str] | None = None,
        *,
        levels: Collection[int] | None = None,
        p: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.p = number("p", p, 0, 1)
        self.generator = generator_on(torch.device("cpu"), generator)
        if levels is not None and (isinstance(levels, (str, bytes)) or not isinstance(levels, Collection)):
            raise value_error("levels", "some levels", levels)
        self.choices: list[tuple[str, list[int]]] = []
        for name in tuple(DISTORTIONS) if distortions is None else names("distortions", distortions):
            ladder = get_distortion(name).levels
            chosen = [level for level in ladder if levels is None or level in levels]
            if not chosen:
                raise value_error("levels", f"some of {ladder} for {name}", levels)
            self.choices.append((name, chosen))

    def forward(self, *inputs: Any) -> Any:
        """Return the inputs with the images distorted."""
        leaves, structure = _pytree.tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        tv_tensors = import_extra("torchvision.tv_tensors", package="aesthetic-pretext", extra="vision")
        typed = [isinstance(leaf, (Image.Image, tv_tensors.Image)) for leaf in leaves]
        if not any(typed):  # as in torchvision, plain tensors are images only where no other leaf is
            typed = [type(leaf) is Tensor and leaf.dtype == torch.uint8 and leaf.ndim in (3, 4) for leaf in leaves]
        if not any(typed):
            got = ", ".join(type(leaf).__name__ for leaf in leaves)
            raise TypeError(f"inputs: expected an image (tv_tensors.Image, PIL or uint8 tensor), got {got}")
        if self._draw() < self.p:
            name, ladder = self.choices[int(self._draw() * len(self.choices))]
            level = ladder[int(self._draw() * len(ladder))]
            seed = int(self._draw() * 2**31)
            leaves = [self._one(x, name, level, seed) if is_image else x for x, is_image in zip(leaves, typed)]
        return _pytree.tree_unflatten(leaves, structure)

    def _draw(self) -> float:
        return float(torch.rand((), generator=self.generator, dtype=torch.float64))

    def _one(self, image: Any, name: str, level: int, seed: int) -> Any:
        if isinstance(image, Image.Image):
            if image.mode not in ("RGB", "L"):
                raise value_error("inputs", "PIL images of mode RGB or L", image.mode)
            return Image.fromarray(DISTORTIONS[name].of_photo(Photo(np.asarray(image)), level, seed))
        plain = dense("inputs", image).as_subclass(Tensor)
        generator = torch.Generator(device=plain.device).manual_seed(seed)
        result = distort_batch(plain if plain.ndim == 4 else plain[None], name, level, generator=generator)
        result = result if plain.ndim == 4 else result[0]
        return result if type(image) is Tensor else type(image)(result)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"distortions={[name for name, _ in self.choices]}, p={self.p}"
