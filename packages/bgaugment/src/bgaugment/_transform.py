"""Background replacement as a torchvision v2 transform and as an albumentations-style call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils import _pytree

from ._core import import_extra, type_error, value_error
from ._draw import check_options, torch_seeded, with_drawn_background
from ._images import Array, dense, is_pil, plain
from ._pools import BackgroundPool


class BackgroundReplacement(nn.Module):
    """Replace the background of an image by one of a pool, in a torchvision v2 pipeline.

    Takes any structure with exactly one image (``tv_tensors.Image`` or PIL) and one ``tv_tensors.Mask``, such as
    ``(image, mask, label)``, and returns it with the image replaced. Images may be batches; each gets its own
    background. A structure without them is an error, never passed through.

    Args:
        pool: where backgrounds are drawn from.
        p: probability of a replacement.
        feather: standard deviation in pixels by which the mask fades out beyond its edge.
        generator: ``None`` is torch's default, which a DataLoader seeds for each worker and epoch; a generator of your
            own is an error in a worker, where all would draw alike.

    Raises:
        TypeError: there is not exactly one image and one mask.
        ValueError: ``p`` is no probability, or image and mask do not fit.

    Example:
        >>> from bgaugment import TensorPool
        >>> from torchvision import tv_tensors
        >>> replace = BackgroundReplacement(TensorPool(torch.ones(1, 3, 4, 4)))
        >>> image, mask = tv_tensors.Image(torch.zeros(3, 4, 4)), tv_tensors.Mask(torch.eye(4).bool())
        >>> replace(image, mask)[0][0].tolist()[0]
        [0.0, 1.0, 1.0, 1.0]

    Reference:
        Chapter 11, Section 11.1.2.
    """

    def __init__(
        self,
        pool: BackgroundPool,
        p: float = 1.0,
        *,
        feather: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.pool, self.p, self.feather, self.generator = pool, p, feather, generator
        check_options(pool, p)

    def forward(self, *inputs: Any) -> Any:
        """Return the inputs with the image in front of another background."""
        tv_tensors = _tv_tensors()
        leaves, structure = _pytree.tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        images = [i for i, leaf in enumerate(leaves) if isinstance(leaf, tv_tensors.Image) or is_pil(leaf)]
        masks = [leaf for leaf in leaves if isinstance(leaf, tv_tensors.Mask)]
        if len(images) != 1 or len(masks) != 1:
            got = ", ".join(type(leaf).__name__ for leaf in leaves)
            raise TypeError(f"inputs: expected one tv_tensors.Image or PIL image and one tv_tensors.Mask, got {got}")
        image = leaves[images[0]]
        # Each look at a tv_tensor costs as much as at hundreds of pixels.
        mask = dense("mask", plain(masks[0]))
        replaced = self._replaced(image if is_pil(image) else dense("image", plain(image)), mask)
        leaves[images[0]] = replaced if is_pil(image) else replaced.as_subclass(type(image))
        return _pytree.tree_unflatten(leaves, structure)

    def _replaced(self, image: Any, mask: Tensor) -> Any:
        rng = torch_seeded(self.generator)
        if is_pil(image):
            matte = (mask.float() if mask.dtype == torch.bfloat16 else mask).numpy(force=True)
            return self._one(image, matte[0] if matte.shape[:-2] == (1,) else matte, rng)
        if image.ndim == 3:
            return self._one(image, mask, rng)
        if len(mask) != len(image):
            raise value_error("mask", f"{len(image)} masks for as many images", len(mask))
        return torch.stack([self._one(one, its, rng) for one, its in zip(image, mask)])

    def _one(self, image: Any, mask: Any, rng: np.random.Generator) -> Any:
        return with_drawn_background(image, mask, self.pool, rng, p=self.p, feather=self.feather)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"pool={type(self.pool).__name__}, p={self.p}, feather={self.feather}"


@functools.cache
def _tv_tensors() -> Any:
    return import_extra("torchvision.tv_tensors", package="bgaugment", extra="vision")


class AlbumentationsReplacement:
    """Replace the background in a pipeline of calls ``transform(image=..., mask=...) -> dict``.

    It is called before or after an albumentations pipeline and does not import that package.

    Args:
        pool: where backgrounds are drawn from.
        p: probability of a replacement.
        feather: standard deviation in pixels by which the mask fades out beyond its edge.
        generator: as in `BackgroundReplacement`.

    Raises:
        ValueError: ``p`` is no probability, or image and mask do not fit.

    Example:
        >>> from bgaugment import ListPool
        >>> replace = AlbumentationsReplacement(ListPool([np.full((4, 4, 3), 9, np.uint8)]))
        >>> image, mask = np.zeros((4, 4, 3), np.uint8), np.eye(4, dtype=bool)
        >>> replace(image=image, mask=mask, label=3)["image"][0, :, 0]
        array([0, 9, 9, 9], dtype=uint8)
    """

    def __init__(
        self,
        pool: BackgroundPool,
        p: float = 1.0,
        *,
        feather: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        self.pool, self.p, self.feather, self.generator = pool, p, feather, generator
        check_options(pool, p)

    def __call__(self, *, image: Array, mask: Array, **others: Any) -> dict[str, Any]:
        """Return all arguments with ``image`` in front of another background."""
        for name, array in {"image": image, "mask": mask}.items():
            if not isinstance(array, np.ndarray):
                raise type_error(name, "a numpy array", array)
        rng = torch_seeded(self.generator)
        replaced = with_drawn_background(image, mask, self.pool, rng, p=self.p, feather=self.feather)
        return {"image": replaced, "mask": mask, **others}
