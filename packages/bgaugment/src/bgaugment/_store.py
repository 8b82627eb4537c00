"""Masks on disk, found by the content of their image."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ._arguments import as_path, check_whole, length
from ._core import atomic_path, shape_error, track, type_error, value_error
from ._images import Array, ImageSource, as_array, image_size, read_image
from ._png import decode_grey, encode_grey
from ._providers import MaskProvider


@dataclass(frozen=True)
class Computed:
    """What `MaskStore.compute` did: numbers of masks, and the images that failed with the reason."""

    new: int
    found: int
    failed: dict[str, str] = field(default_factory=dict)


class StoredMasks(Sequence[Array]):
    """The masks of some images in a store, each read when it is asked for; see `MaskStore.masks`."""

    def __init__(self, store: MaskStore, images: Sequence[ImageSource]) -> None:
        self._store, self._images = store, images
        # The hash of a file costs more than its mask; one per image, computed on first use.
        self._files: dict[int, Path] = {}

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._images)

    def __getitem__(self, index: int) -> Array:  # type: ignore[override]
        """Return the mask of an image, ``(h, w)`` of 8 bits."""
        image = self._images[index]
        if index not in self._files:
            self._files[index] = self._store.path(self._store.key(image))
        return self._store.read(self._files[index], image)


class MaskStore:
    """A folder of masks as 8-bit PNG files, named by the hash of the image's content.

    Renamed or moved images keep their mask and changed ones lose it. A file exists whole or not at all, so that a
    stopped computation goes on where it was and several processes may work on one folder.

    Args:
        folder: made when the first mask is saved.

    Example:
        >>> import tempfile
        >>> store = MaskStore(tempfile.mkdtemp())
        >>> image = np.zeros((1, 2, 4), np.uint8)
        >>> image[0, 1, 3] = 255
        >>> from bgaugment import AlphaMasks
        >>> store.compute([image], AlphaMasks())
        Computed(new=1, found=0, failed={})
        >>> store.load(image)
        array([[  0, 255]], dtype=uint8)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = as_path("folder", folder)

    def key(self, image: ImageSource) -> str:
        """Return the hash of a file's bytes, or of an array's shape, dtype and values."""
        if isinstance(image, (str, os.PathLike)):
            with as_path("image", image).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        array = np.ascontiguousarray(as_array(image))
        return hashlib.sha256(f"{array.shape} {array.dtype} ".encode() + array.tobytes()).hexdigest()

    def path(self, key: str) -> Path:
        """Return where the mask of a key is or would be."""
        return self.folder / key[:2] / f"{key}.png"

    def __contains__(self, image: ImageSource) -> bool:
        """Tell whether there is a mask of the image."""
        return self.path(self.key(image)).is_file()

    def load(self, image: ImageSource) -> Array:
        """Return the mask of an image, ``(h, w)`` of 8 bits.

        Raises:
            KeyError: the store has none.
        """
        return self.read(self.path(self.key(image)), image)

    def read(self, path: Path, image: ImageSource) -> Array:
        """Return the mask in one of the store's files; ``image`` is for the error message."""
        try:
            with path.open("rb", buffering=0) as opened:  # a buffer costs more than a small file
                file = opened.read()
        except FileNotFoundError:
            described = f"{type(image).__name__} {path.name[:12]}"
            place = os.fspath(image) if isinstance(image, (str, os.PathLike)) else described
            raise KeyError(f"{self.folder} has no mask of {place}: MaskStore.compute makes it") from None
        levels = decode_grey(file)
        # Pillow reads what others put there, and names what is damaged.
        return read_image(path, "L") if levels is None else levels

    def masks(self, images: Sequence[ImageSource]) -> StoredMasks:
        """Return the masks of images as a sequence that reads them when asked."""
        length("images", images)
        return StoredMasks(self, images)

    def save(self, image: ImageSource, mask: Array) -> None:
        """Store the mask of an image.

        Args:
            image: image or image file.
            mask: ``(h, w)`` in [0, 1].

        Raises:
            TypeError: the mask is no array.
            ValueError: values leave [0, 1], or the mask has another shape than the ``(h, w)`` of the image.
        """
        if not isinstance(mask, np.ndarray):
            raise type_error("mask", "a numpy array", mask)
        if mask.dtype.kind not in "buif":
            raise value_error("mask", "values in [0, 1]", f"an array of {mask.dtype}")
        if mask.ndim != 2 or mask.shape != image_size(image):
            raise shape_error("mask", "(h, w)", {"mask": mask.shape, "image": image_size(image)})
        if not (mask.size and mask.min() >= 0 and mask.max() <= 1):
            raise value_error("mask", "values in [0, 1]", f"{mask.min():g} to {mask.max():g}" if mask.size else "none")
        levels = np.rint(mask * np.float32(255)).astype(np.uint8)
        # With a maximum of 1, an 8-bit mask would look like class labels; 1/255 of an image is nothing.
        levels[levels == 1] = 0
        target = self.path(self.key(image))
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, encode_grey(levels))

    def compute(
        self,
        images: Sequence[ImageSource],
        provider: MaskProvider,
        *,
        batch_size: int = 1,
        progress: bool | None = None,
    ) -> Computed:
        """Compute and store the masks that are not there yet.

        An image that cannot be read or masked is listed in the result, and the others are done.

        Args:
            images: images or image files.
            provider: makes the masks; its name is kept in the folder, and another one is refused.
            batch_size: number of images the provider is given at once.
            progress: show a progress bar; by default only in a terminal.

        Raises:
            TypeError: the provider returns anything but one array per image.
            ValueError: the folder has masks of another provider, or ``batch_size`` is below one.
        """
        check_whole("batch_size", batch_size, 1)
        length("images", images)
        name = getattr(provider, "name", None)
        if not isinstance(name, str) or not callable(provider):
            raise type_error("provider", "a mask provider with a name", provider)
        self._claim(name)
        failed: dict[str, str] = {}
        missing: list[tuple[str, ImageSource, Path]] = []
        for position, image in enumerate(images):
            name = os.fspath(image) if isinstance(image, (str, os.PathLike)) else f"image {position}"
            try:
                target = self.path(self.key(image))
                if not target.is_file():
                    missing.append((name, image, target))
            except OSError as error:
                failed[name] = str(error)
        new, tried = 0, len(failed)
        for start in track(range(0, len(missing), batch_size), "masks", progress=progress):
            # Another process may have made some of them since.
            batch = [entry for entry in missing[start : start + batch_size] if not entry[2].is_file()]
            tried += len(batch)
            for (name, image, _), result in zip(batch, _attempt(provider, [image for _, image, _ in batch])):
                try:
                    if isinstance(result, Exception):
                        raise result
                    self.save(image, result)
                    new += 1
                except (OSError, ValueError) as error:
                    failed[name] = str(error)
        self._sweep()
        return Computed(new, len(images) - tried, failed)

    def _sweep(self) -> None:
        """Remove what killed processes left on its way to files that exist by now."""
        for left in self.folder.rglob(".*-????????.*"):
            if left.with_name(f"{left.stem[1:-9]}{left.suffix}").is_file():
                left.unlink(missing_ok=True)

    def _claim(self, name: str) -> None:
        note = self.folder / "provider.txt"
        if not note.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(note, name.encode())
        if (kept := note.read_text("utf-8", "replace")) != name:
            raise value_error("provider", f"{kept!r}, whose masks {self.folder} has", name)


def _write(target: Path, content: bytes) -> None:
    try:
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
    except FileNotFoundError:
        if not target.is_file():  # else another process has written the same, and swept
            raise


def _attempt(provider: MaskProvider, batch: Sequence[ImageSource]) -> list[Array | Exception]:
    if not batch:
        return []
    try:
        made = provider(batch)
    except (OSError, ValueError) as error:
        if len(batch) == 1:
            return [error]
        # One broken image shall not cost the others of its batch.
        return [result for image in batch for result in _attempt(provider, [image])]
    if length("provider", made) != len(batch):
        raise TypeError(f"provider: expected one mask per image, got {len(made)} for {len(batch)}")
    return list(made)
