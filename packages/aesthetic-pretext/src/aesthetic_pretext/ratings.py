"""Photographs with human ratings, by local path."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ._checks import dense, local_path, paths_of, real_array, side
from ._core import shape_error, track, value_error
from ._images import check_image, load_square
from ._variants import SIZE

NUM_BINS = 10


class RatedBatch(NamedTuple):
    """Photographs and the distributions of their ratings.

    Attributes:
        images: ``(n, 3, size, size)`` uint8.
        ratings: ``(n, 10)`` share of the ratings 1 to 10.
    """

    images: Tensor
    ratings: Tensor


class RatedDataset(Dataset[tuple[Tensor, Tensor]]):
    """Photographs with ratings 1 to 10, on a black square.

    Args:
        files: image files.
        ratings: ``(n, 10)`` numbers of votes or shares, or ``(n,)`` mean ratings in [1, 10], which become the
            two nearest ratings in the proportion that has that mean.
        size: side in pixels.

    Raises:
        ValueError: shapes or values do not fit.

    Example:
        >>> RatedDataset(["a.jpg"], [5.25]).ratings[0, 4:6]
        tensor([0.7500, 0.2500])
    """

    def __init__(
        self, files: Sequence[str | os.PathLike[str]], ratings: Sequence[float] | NDArray[np.floating] | Tensor, *,
        size: int = SIZE,
    ) -> None:  # fmt: skip
        """Keep the files and normalise the ratings."""
        self.files, self.size = paths_of("files", files), side(size)
        values = torch.tensor(real_array("ratings", ratings), dtype=torch.float32)
        if not values.ndim or len(values) != len(self.files) or values.shape[1:] not in ((), (NUM_BINS,)):
            raise shape_error("ratings", "(n, 10) or (n,)", {"files": (len(self.files),), "ratings": values.shape})
        self.ratings = _distribution(values) if values.ndim == 1 else _shares(values)

    def __len__(self) -> int:
        """Return the number of photographs."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return ``(3, size, size)`` uint8 and ``(10,)``."""
        pixels = load_square(self.files[index], self.size)
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous(), self.ratings[index]

    def readable(self, *, progress: bool | None = None) -> tuple[RatedDataset, dict[str, str]]:
        """Return the photographs that can be read, and the others with the reason.

        Args:
            progress: show a progress bar; by default in a terminal only.
        """
        failed: dict[str, str] = {}
        for file in track(self.files, "checking", progress=progress):
            try:
                check_image(file)
            except OSError as error:
                failed[str(file)] = str(error)
        kept = [row for row, file in enumerate(self.files) if str(file) not in failed]
        return RatedDataset([self.files[row] for row in kept], self.ratings[kept], size=self.size), failed

    def collate(self, items: list[tuple[Tensor, Tensor]]) -> RatedBatch:
        """Join photographs."""
        images, ratings = zip(*items)
        return RatedBatch(torch.stack(images), torch.stack(ratings))


def mean_rating(distribution: Tensor) -> Tensor:
    """Return the mean rating 1 to 10 of distributions ``(n, 10)``.

    Raises:
        TypeError: the distribution is no tensor.
        ValueError: its shape does not fit.

    Example:
        >>> mean_rating(torch.full((1, 10), 0.1))
        tensor([5.5000])
    """
    if dense("distribution", distribution).ndim != 2 or distribution.shape[1] != NUM_BINS:
        raise shape_error("distribution", f"(n, {NUM_BINS})", {"distribution": distribution.shape})
    shares = distribution if distribution.is_floating_point() else distribution.float()
    return shares @ torch.arange(1, NUM_BINS + 1).to(shares)


def read_ratings(path: str | os.PathLike[str], *, images: str | os.PathLike[str], size: int = SIZE) -> RatedDataset:
    r"""Read a CSV file with a header: column ``image``, then ``rating`` (1 to 10) or ``1`` to ``10`` (votes).

    Args:
        path: the file.
        images: folder of the image files.
        size: side in pixels.

    Raises:
        ValueError: columns or values do not fit.
        OSError: an image file is missing.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.jpg").write_bytes(b"")
        >>> _ = (folder / "ratings.csv").write_text("image,rating\na.jpg,7\n")
        >>> mean_rating(read_ratings(folder / "ratings.csv", images=folder).ratings)
        tensor([7.])
    """
    try:
        rows = list(csv.DictReader(_text(local_path("path", path)).splitlines()))
    except csv.Error as error:
        raise value_error(str(path), "a CSV file", str(error)) from error
    folder = local_path("images", images)
    columns = ["rating"] if rows and "rating" in rows[0] else [str(rating) for rating in range(1, NUM_BINS + 1)]
    if not rows or not {"image", *columns} <= set(rows[0]):
        got = list(rows[0]) if rows else "none"
        raise value_error(str(path), "columns image and rating, or image and 1 to 10", got)
    try:
        values = np.array([[float(row[column]) for column in columns] for row in rows])
    except (TypeError, ValueError) as error:
        raise value_error(str(path), f"numbers in {columns}", str(error)) from error
    files = [_existing(folder / (row["image"] or "")) for row in rows]
    return _rated(path, files, values[:, 0] if columns == ["rating"] else values, size)


def read_ava(path: str | os.PathLike[str], *, images: str | os.PathLike[str], size: int = SIZE) -> RatedDataset:
    """Read ``AVA.txt``: row number, image id, ten numbers of votes, two tags, challenge.

    Photographs that are not in the folder are left out; the published archive lacks some.

    Args:
        path: ``AVA.txt``.
        images: folder with ``<image id>.jpg``.
        size: side in pixels.

    Raises:
        ValueError: lines do not fit, or no photograph is there.

    Reference:
        Section 3.2; Murray et al. 2012.
    """
    folder = local_path("images", images)
    lines = [line.split() for line in _text(local_path("path", path)).splitlines() if line.strip()]
    if not lines or any(len(line) < 12 or not all(cell.isdecimal() for cell in line[1:12]) for line in lines):
        raise value_error(str(path), "lines of a number, an image id and ten numbers of votes", "others")
    present = [(folder / f"{line[1]}.jpg", [int(cell) for cell in line[2:12]]) for line in lines]
    present = [(file, votes) for file, votes in present if file.is_file()]
    if not present:
        raise value_error("images", f"photographs named by {path}", f"none in {images}")
    return _rated(path, [file for file, _ in present], [votes for _, votes in present], size)


def read_tid2013(folder: str | os.PathLike[str], *, size: int = SIZE) -> RatedDataset:
    """Read TID2013: ``mos_with_names.txt`` and ``distorted_images``; its scores 0 to 9 become ratings 1 to 10.

    Args:
        folder: where the data set was unpacked.
        size: side in pixels.

    Raises:
        ValueError: lines do not fit.
        OSError: an image file is missing.

    Reference:
        Section 16.2.6; Ponomarenko et al. 2015.
    """
    root = local_path("folder", folder)
    scored = root / "mos_with_names.txt"
    lines = [line.split() for line in _text(scored).splitlines() if line.strip()]
    names = {file.name.lower(): file for file in (root / "distorted_images").iterdir()}  # names differ in case
    try:
        scores, files = zip(*((float(score) + 1, names.get(name.lower(), root / name)) for score, name in lines))
    except ValueError as error:
        raise value_error(str(scored), "lines of a score and a file name", str(error)) from error
    return _rated(scored, [_existing(file) for file in files], scores, size)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise value_error(str(path), "text in UTF-8", str(error)) from error


def _rated(path: str | os.PathLike[str], files: list[Path], ratings: Any, size: int) -> RatedDataset:
    try:
        return RatedDataset(files, ratings, size=size)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such image file")
    return file


def _shares(votes: Tensor) -> Tensor:
    total = votes.sum(1, keepdim=True)
    if not bool((votes >= 0).all() and (total > 0).all()):
        raise value_error("ratings", "votes that are not negative, at least one per image", "others")
    return votes / total


def _distribution(means: Tensor) -> Tensor:
    if not bool(((means >= 1) & (means <= NUM_BINS)).all()):
        raise value_error("ratings", f"means in [1, {NUM_BINS}]", f"{float(means.min())} to {float(means.max())}")
    bins = torch.arange(1, NUM_BINS + 1)
    return (1 - (means[:, None] - bins).abs()).clamp_min(0)
