"""Pools of backgrounds: from a folder, from a list, from a tensor."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Protocol, Self, cast

import numpy as np
import torch
from torch import Tensor

from ._arguments import as_path, check_function, check_share, check_size, check_whole
from ._core import shape_error, type_error, value_error
from ._images import Array, Image, ImageSource, as_array, dense, image_files, like, read_image, to_tensor
from .functional import cover_crop


class BackgroundPool(Protocol):
    """Anything that backgrounds can be drawn from."""

    def draw(
        self, size: tuple[int, int], rng: np.random.Generator, *, index: int | None = None, label: Hashable = None
    ) -> Image:
        """Return one background, of any size and dtype.

        Args:
            size: height and width of the image that it is for.
            rng: the only source of randomness.
            index: place of that image in its data set, where known.
            label: class of that image, where known.
        """


class ImagePool:
    """A pool of numbered backgrounds, each as likely as any other; the base of the pools here."""

    def __init__(self, numbers: Sequence[int]) -> None:
        if not len(numbers):
            raise value_error("pool", "at least one background", "none")
        self._numbers = np.asarray(numbers)

    def __len__(self) -> int:
        """Return the number of backgrounds."""
        return len(self._numbers)

    def render(self, number: int, size: tuple[int, int]) -> Image:
        """Return the background of a number; only generated ones heed the size."""
        raise NotImplementedError

    def identity(self, number: int) -> Hashable:
        """Return what is equal for equal backgrounds only."""
        array = np.ascontiguousarray(as_array(self.render(number, (1, 1))))
        return array.shape, hashlib.sha256(array.tobytes()).digest()

    def draw(self, size: tuple[int, int], rng: np.random.Generator, **_: object) -> Image:
        """Return one background, whatever image it is for."""
        return self.render(int(self._numbers[rng.integers(len(self._numbers))]), size)

    def split(self, seed: int, *, fraction: float = 0.5) -> tuple[Self, Self]:
        """Return two pools without a common background, such as one for training and one for the test.

        Backgrounds with equal content stay together.

        Args:
            seed: decides which background goes where.
            fraction: share of the different backgrounds that goes into the first pool.

        Raises:
            ValueError: one of the two would be empty.

        Example:
            >>> training, test = TensorPool(torch.rand(10, 3, 8, 8)).split(seed=0, fraction=0.8)
            >>> len(training), len(test)
            (8, 2)
        """
        check_whole("seed", seed, 0)
        check_share("fraction", fraction)
        groups: dict[Hashable, list[int]] = {}
        for number in self._numbers:
            groups.setdefault(self.identity(int(number)), []).append(int(number))
        order = np.random.default_rng(seed).permutation(len(groups))
        first = round(fraction * len(groups))
        if not 0 < first < len(groups):
            raise value_error("fraction", f"two pools of the {len(groups)} different backgrounds", fraction)
        members = list(groups.values())
        parts = []
        for chosen in (order[:first], order[first:]):
            part = copy.copy(self)
            part._numbers = np.sort(np.concatenate([members[group] for group in chosen]))
            parts.append(part)
        return parts[0], parts[1]

    def tensor(self, size: tuple[int, int]) -> TensorPool:
        """Return all backgrounds in one size, ``(n, 3, *size)`` of 8 bits, to be drawn from on a device.

        Example:
            >>> ListPool([np.zeros((8, 8, 3), np.uint8)]).tensor((4, 4)).backgrounds.shape
            torch.Size([1, 3, 4, 4])
        """
        check_size(size)
        sample = torch.zeros(3, 1, 1, dtype=torch.uint8)
        images = (like(self.render(int(number), size), sample) for number in self._numbers)
        return TensorPool(torch.stack([cover_crop(cast(Tensor, image), size) for image in images]))


class ListPool(ImagePool):
    """A pool of images or image files.

    Args:
        images: PIL images, ``(h, w, c)`` arrays, ``(c, h, w)`` tensors or paths, of any sizes.
        transform: applied to each background whenever it is drawn, before it is cut to size.
        max_side: larger files are reduced to this many pixels; they are read once and stay in memory. Used for paths.

    Raises:
        ValueError: there are no images.
        OSError: a file cannot be read; raised when it is first drawn.

    Example:
        >>> pool = ListPool([np.zeros((4, 4, 3), np.uint8), np.ones((8, 6, 3), np.uint8)])
        >>> len(pool), pool.draw((2, 2), np.random.default_rng(0)).shape
        (2, (8, 6, 3))
    """

    def __init__(
        self, images: Sequence[ImageSource], *, transform: Callable[[Image], Image] | None = None, max_side: int = 512
    ) -> None:
        # An array of no axes says that it is iterable.
        if not isinstance(images, Iterable) or isinstance(images, (str, bytes)) or getattr(images, "ndim", 1) == 0:
            raise type_error("images", "a list of images or files", images)
        check_whole("max_side", max_side, 1)
        check_function("transform", transform)
        self._images = list(images)
        super().__init__(range(len(self._images)))
        self._transform = transform
        self._max_side = max_side
        self._read: dict[int, Image] = {}

    def render(self, number: int, size: tuple[int, int]) -> Image:  # noqa: ARG002
        """Return the image of a number, transformed."""
        if number not in self._read:
            source = self._images[number]
            self._read[number] = self._load(source) if isinstance(source, (str, os.PathLike)) else source
        image = self._read[number]
        return image if self._transform is None else self._transform(image)

    def identity(self, number: int) -> Hashable:
        """Return the hash of the file or of the pixels."""
        source = self._images[number]
        if isinstance(source, (str, os.PathLike)):
            return hashlib.sha256(as_path("images", source).read_bytes()).digest()
        array = np.ascontiguousarray(as_array(source))
        return array.shape, hashlib.sha256(array.tobytes()).digest()

    def _load(self, path: str | os.PathLike[str]) -> Array:
        array = read_image(path)
        scale = self._max_side / max(array.shape[:2])
        if scale >= 1:
            return array
        size = max(1, round(array.shape[0] * scale)), max(1, round(array.shape[1] * scale))
        return np.ascontiguousarray(cover_crop(to_tensor(array).movedim(-1, 0), size).movedim(0, -1).numpy())


class FolderPool(ListPool):
    """A pool of all image files below a folder, such as stock photos of surfaces, colours and patterns.

    Args:
        folder: searched with its subfolders.
        transform: applied to each background whenever it is drawn, before it is cut to size.
        max_side: larger files are reduced to this many pixels; they are read once and stay in memory.

    Raises:
        ValueError: there is no such folder, or no image in it.
        OSError: a file cannot be read; raised when it is first drawn.

    Example:
        >>> FolderPool("no/such/folder")
        Traceback (most recent call last):
        ValueError: folder: expected an existing folder, got no/such/folder
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        transform: Callable[[Image], Image] | None = None,
        max_side: int = 512,
    ) -> None:
        super().__init__(image_files(folder), transform=transform, max_side=max_side)


class TensorPool(ImagePool):
    """A pool of backgrounds in one tensor.

    Args:
        backgrounds: ``(n, c, h, w)`` of any dtype; normalised like the images where these are normalised.

    Raises:
        ValueError: the tensor has another shape or no backgrounds.

    Example:
        >>> TensorPool(torch.rand(5, 3, 8, 8)).draw((8, 8), np.random.default_rng(0)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(self, backgrounds: Tensor) -> None:
        if dense("backgrounds", backgrounds).ndim != 4:
            raise shape_error("backgrounds", "(n, c, h, w)", {"backgrounds": backgrounds.shape})
        super().__init__(range(len(backgrounds)))
        self._all = backgrounds

    @property
    def backgrounds(self) -> Tensor:
        """The backgrounds of this pool, ``(n, c, h, w)``."""
        return self._all[torch.as_tensor(self._numbers, device=self._all.device)]

    def render(self, number: int, size: tuple[int, int]) -> Tensor:  # noqa: ARG002
        """Return the background of a number."""
        return self._all[number]
