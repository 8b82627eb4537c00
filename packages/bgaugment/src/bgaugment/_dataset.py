"""A data set whose images get another background whenever they are fetched."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from ._arguments import check_function, check_whole, length
from ._core import type_error, value_error
from ._draw import check_options, with_drawn_background
from ._images import Image
from ._pools import BackgroundPool

_MOST_WORKERS = 1023


class BGAugmentDataset(Dataset[tuple[Any, ...]]):
    """A map-style data set with the backgrounds of its images replaced.

    An item's background depends on ``seed``, its index, the epoch, the DataLoader worker that fetches it and how many
    items that worker has fetched. So it differs from epoch to epoch, with persistent workers too, and is equal in a
    second run with the same DataLoader, also where a sampler draws an item twice. The counts live in memory that the
    workers share; ``set_epoch`` restarts them, as a resumed run needs it.

    Args:
        dataset: yields ``(image, label, ...)`` with images of a size that their masks have; what follows the label is
            passed on.
        masks: one mask per item, by index; ``MaskStore.masks(paths)`` makes such a sequence.
        pool: where backgrounds are drawn from.
        p: probability of a replacement.
        feather: standard deviation in pixels by which masks fade out beyond their edges.
        joint_transform: applied to ``(image, mask)`` before the replacement, which is cheaper after a crop.
        transform: applied to the image after the replacement.
        seed: another seed draws other backgrounds.

    Raises:
        ValueError: numbers of items and masks differ, or ``p`` is no probability.

    Example:
        >>> from bgaugment import ListPool
        >>> items = [(np.zeros((2, 2, 3), np.uint8), "bird")]
        >>> masks = [np.eye(2, dtype=bool)]
        >>> image, label = BGAugmentDataset(items, masks, ListPool([np.full((2, 2, 3), 9, np.uint8)]))[0]
        >>> image[..., 0].tolist(), label
        ([[0, 9], [9, 0]], 'bird')

    Reference:
        Chapter 11, Section 11.1.2.
    """

    def __init__(
        self,
        dataset: Dataset[Any] | Sequence[Any],
        masks: Sequence[Image],
        pool: BackgroundPool,
        *,
        p: float = 1.0,
        feather: float = 0.0,
        joint_transform: Callable[[Any, Any], tuple[Any, Any]] | None = None,
        transform: Callable[[Any], Any] | None = None,
        seed: int = 0,
    ) -> None:
        self.dataset = cast(Sequence[Any], dataset)
        n = length("dataset", dataset)
        if n != length("masks", masks):
            raise value_error("masks", f"{n} masks for as many items", len(masks))
        check_whole("seed", seed, 0)
        check_function("joint_transform", joint_transform)
        check_function("transform", transform)
        self.masks, self.pool, self.p, self.feather, self.seed = masks, pool, p, feather, seed
        self.joint_transform, self.transform = joint_transform, transform
        check_options(pool, p)
        self._epoch = _shared_zeros(())
        # One count per worker, each written by it alone; the first is that of a process without workers.
        self._fetched = _shared_zeros((_MOST_WORKERS + 1,))

    def set_epoch(self, epoch: int) -> None:
        """Start an epoch: from here on items are drawn as in every run that starts this epoch."""
        check_whole("epoch", epoch, 0, 2**62)
        self._epoch.fill_(epoch)
        self._fetched.zero_()

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return the item with its image in front of another background."""
        index = range(len(self))[index]
        worker = get_worker_info()
        place = 0 if worker is None else worker.id + 1
        rng = np.random.default_rng([self.seed, index, int(self._epoch), place, int(self._fetched[place])])
        self._fetched[place] += 1
        item = self.dataset[index]
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            raise type_error("dataset", "items (image, label, ...)", item)
        image, label, *others = item
        mask = self.masks[index]
        if self.joint_transform is not None:
            both = self.joint_transform(image, mask)
            if not isinstance(both, (tuple, list)) or len(both) != 2:
                raise type_error("joint_transform", "a function that returns image and mask", both)
            image, mask = both
        image = with_drawn_background(
            image, mask, self.pool, rng, p=self.p, feather=self.feather, index=index, label=class_of(label)
        )
        return (image if self.transform is None else self.transform(image)), label, *others


def class_of(label: Any) -> Hashable:
    """Return a label as something to compare: a number where it is a tensor or a numpy scalar of one."""
    if isinstance(label, np.generic) or (isinstance(label, Tensor) and label.numel() == 1):
        return cast(Hashable, label.item())
    return cast(Hashable, label)


def _shared_zeros(shape: tuple[int, ...]) -> Tensor:
    zeros: Any = torch.zeros(shape, dtype=torch.int64)
    return cast(Tensor, zeros.share_memory_())
