"""Photographs as batches of variants."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ._checks import seed_number, side, whole_number
from ._core import value_error
from ._images import listed_files, load_image
from ._photo import Pixels
from ._targets import NUM_DISTORTIONS, targets_of
from ._variants import SIZE, VARIANTS, VariantKey, iterate_variants

Item = TypeVar("Item")


class PretextBatch(NamedTuple):
    """Variants of some images, and what the losses need to know about them (see `Targets`).

    Attributes:
        images: ``(n, 3, size, size)`` uint8.
        levels: ``(n,)``.
        groups: ``(n,)``.
        reference: ``(n,)``.
    """

    images: Tensor
    levels: Tensor
    groups: Tensor
    reference: Tensor


class FolderDataset(Dataset[Item], Generic[Item]):
    """The photographs of a folder; one that cannot be read is named in a warning, and the next one takes its place.

    Args:
        source: folder of image files, or a list of files.
        size: side of the results in pixels.
        seed: of everything that is drawn, together with the epoch and the index.
    """

    def __init__(
        self, source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], *, size: int = SIZE, seed: int = 0
    ) -> None:
        self.files = listed_files(source)
        if not self.files:
            raise value_error("source", "a folder or a list with image files", "an empty list")
        self.size, self.seed, self.epoch = side(size), seed_number(seed), 0

    def __len__(self) -> int:
        """Return the number of photographs."""
        return len(self.files)

    def set_epoch(self, epoch: int) -> None:
        """Draw anew for another epoch."""
        self.epoch = epoch

    def rng(self, index: int) -> np.random.Generator:
        """Return the generator of a photograph in this epoch."""
        return np.random.default_rng([self.seed, self.epoch, index])

    def read(self, index: int) -> Pixels:
        """Return a photograph, or the next one that can be read."""
        for offset in range(len(self.files)):
            try:
                return load_image(self.files[(index + offset) % len(self.files)])
            except OSError as error:
                warnings.warn(f"skipped: {error}", stacklevel=2)
        raise OSError(f"none of {len(self.files)} files can be read as an image, such as {self.files[0]}")

    def collate(self, items: list[Item]) -> Any:
        """Make a batch; give it to a DataLoader as ``collate_fn``."""
        raise NotImplementedError


class PretextDataset(FolderDataset[PretextBatch]):
    """All variants of each photograph of a folder, made when they are asked for.

    Args:
        source: folder of image files, or a list of files.
        size: side of the variants in pixels.
        variants_per_image: draw so many distorted variants of each photograph and epoch instead of all 171; their
            references come along.
        seed: of the drawn variants, of noise and of the angle of motion, together with epoch and index.

    Raises:
        ValueError: there is no image, or ``variants_per_image`` is not between 1 and 171.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("a.png", "b.png"):
        ...     Image.new("RGB", (30, 20), "olive").save(folder / name)
        >>> dataset = PretextDataset(folder, size=16, variants_per_image=5)
        >>> loader = torch.utils.data.DataLoader(dataset, batch_size=2, collate_fn=dataset.collate)
        >>> batch = next(iter(loader))
        >>> tuple(batch.images.shape[1:]), int((batch.levels != 0).sum())
        ((3, 16, 16), 10)

    Reference:
        Section 16.2.3: eight photographs and all their variants are a batch.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        size: int = SIZE,
        variants_per_image: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(source, size=size, seed=seed)
        self.distorted = [key for key in VARIANTS if key.distortion]
        if variants_per_image is not None:
            whole_number("variants_per_image", variants_per_image, 1, len(self.distorted))
        self.variants_per_image = variants_per_image

    def __getitem__(self, index: int) -> PretextBatch:
        """Return the variants of one photograph."""
        rng = self.rng(index)
        keys = VARIANTS if self.variants_per_image is None else self._drawn(rng, self.variants_per_image)
        made = iterate_variants(self.read(index), keys, size=self.size, seed=int(rng.integers(2**31)))
        images = torch.from_numpy(np.stack([variant.image for variant in made])).permute(0, 3, 1, 2).contiguous()
        return PretextBatch(images, *targets_of(keys))

    def _drawn(self, rng: np.random.Generator, count: int) -> tuple[VariantKey, ...]:
        chosen = {self.distorted[i] for i in rng.choice(len(self.distorted), count, replace=False)}
        needed = {key.reference for key in chosen}
        return tuple(key for key in VARIANTS if key in chosen or (not key.distortion and key.reference in needed))

    def collate(self, items: list[PretextBatch]) -> PretextBatch:
        """Join the variants of several photographs; the images of the batch are numbered from 0."""
        first = np.cumsum([0, *(len(item.levels) for item in items[:-1])]).tolist()
        groups = [
            torch.where(item.groups >= 0, item.groups + image * NUM_DISTORTIONS, -1) for image, item in enumerate(items)
        ]
        return PretextBatch(
            torch.cat([item.images for item in items]),
            torch.cat([item.levels for item in items]),
            torch.cat(groups),
            torch.cat([item.reference + row for row, item in zip(first, items)]),
        )
