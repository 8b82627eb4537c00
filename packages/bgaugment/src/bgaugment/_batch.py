"""Background replacement for whole batches, on the device and compiled."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._class_pool import RELATIONS
from ._core import type_error, value_error
from ._draw import check_probability
from ._images import dense, scaled
from ._mask import check_batch, mask_tensor
from ._pools import TensorPool
from .functional import cover_crop, remove_foreground, replace_background


class InBatchPool:
    """The backgrounds of the other images of the batch, their foregrounds filled up smoothly.

    Args:
        relation: a background comes from an image of the ``"same"`` class, of an ``"other"`` class, or of ``"any"``;
            never from the image itself. An image without such a partner in the batch keeps its background.

    Raises:
        ValueError: the relation is unknown.

    Reference:
        Xiao et al., "Noise or signal: the role of image backgrounds in object recognition" (2021): mixed-same and
        mixed-rand.
    """

    def __init__(self, relation: str = "any") -> None:
        if relation not in RELATIONS:
            raise value_error("relation", f"one of {RELATIONS}", relation)
        self.relation = relation


class BatchBackgroundReplacement(nn.Module):
    """Replace the backgrounds of a batch, each image by its own draw; ``torch.compile`` takes it whole.

    Args:
        pool: a `TensorPool` (``pool.tensor(size)`` makes one of any pool; the backgrounds become a buffer, so
            ``to(device)`` moves them) or an `InBatchPool`.
        p: probability of a replacement, for each image.
        feather: standard deviation in pixels by which masks fade out beyond their edges.

    Raises:
        TypeError: the pool is another one.
        ValueError: ``p`` is no probability.

    Example:
        >>> replace = BatchBackgroundReplacement(TensorPool(torch.ones(1, 3, 8, 8)))
        >>> replace(torch.zeros(2, 3, 8, 8), torch.eye(8).bool().expand(2, 8, 8)).mean()
        tensor(0.8750)

    Reference:
        Chapter 11, Section 11.1.2.
    """

    backgrounds: Tensor | None

    def __init__(self, pool: TensorPool | InBatchPool, p: float = 1.0, *, feather: float = 0.0) -> None:
        super().__init__()
        if not isinstance(pool, (TensorPool, InBatchPool)):
            raise type_error("pool", "a TensorPool (pool.tensor(size) makes one) or an InBatchPool", pool)
        check_probability(p)
        self.relation = pool.relation if isinstance(pool, InBatchPool) else None
        self.p, self.feather = p, feather
        # The pool is an input as the data set is one; a checkpoint of the model does not carry it.
        backgrounds = pool.backgrounds if isinstance(pool, TensorPool) else None
        self.register_buffer("backgrounds", backgrounds, persistent=False)

    def forward(
        self, images: Tensor, masks: Tensor, labels: Tensor | None = None, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return the images in front of other backgrounds.

        Args:
            images: ``(n, c, h, w)`` of any dtype.
            masks: ``(n, h, w)`` or ``(n, 1, h, w)``, 1 on the foreground.
            labels: ``(n,)`` classes, for an `InBatchPool` of the same or another class.
            generator: on the device of the images; ``None`` is torch's default.

        Returns:
            ``(n, c, h, w)``, dtype and device of ``images``.
        """
        check_batch(images, masks)
        n, device = len(images), images.device
        if self.backgrounds is not None:
            drawn = (_uniform((n,), generator, device) * len(self.backgrounds)).long()
            chosen = self.backgrounds[drawn.clamp_max(len(self.backgrounds) - 1)]
            fitting = cover_crop(chosen, (images.shape[2], images.shape[3]))
            backgrounds, alone = scaled(fitting, images.dtype), None
        else:
            partners, alone = self._partners(n, labels, generator, device)
            backgrounds = remove_foreground(images, masks)[partners]
        kept = alone if self.p == 1 else _uniform((n,), generator, device) >= self.p
        if kept is not None:
            # Behind a mask of ones the image stays as it is, bit by bit.
            weight = mask_tensor(masks).reshape(n, *images.shape[2:])
            kept = kept if alone is None else kept | alone
            masks = torch.where(kept[:, None, None], 255 if weight.dtype == torch.uint8 else 1, weight)
        return replace_background(images, masks, backgrounds, feather=self.feather)

    def _partners(
        self, n: int, labels: Tensor | None, generator: torch.Generator | None, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        allowed = ~torch.eye(n, dtype=torch.bool, device=device)
        if self.relation != "any":
            if labels is None or dense("labels", labels).shape != (n,):
                got = "none" if labels is None else str(tuple(labels.shape))
                raise value_error("labels", f"({n},) classes for relation {self.relation!r}", got)
            same = labels[:, None] == labels
            allowed = allowed & (same if self.relation == "same" else ~same)
        # The largest of uniform values over the allowed ones is a uniform choice among them.
        scores = _uniform((n, n), generator, device).masked_fill(~allowed, -1)
        return scores.argmax(1), ~allowed.any(1)

    def extra_repr(self) -> str:
        """Return the options."""
        pool = f"{len(self.backgrounds)} backgrounds" if self.backgrounds is not None else f"in batch, {self.relation}"
        return f"{pool}, p={self.p}, feather={self.feather}"


def _uniform(shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device) -> Tensor:
    # torch.rand and torch.randint with a generator do not compile for dynamic shapes.
    return torch.empty(shape, device=device).uniform_(generator=generator)
