"""Votes on photographs, as AVA publishes them."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ._core import track, value_error
from ._emd import mean_score
from ._images import open_image

if TYPE_CHECKING:
    from PIL.Image import Image

_VOTES = 10
_AVA_COLUMNS = 15  # AVA.txt: number, id, ten counts, two tags, challenge


@dataclass(frozen=True, eq=False)
class RatingTable:
    """Votes on images.

    Attributes:
        ids: the images.
        counts: ``(n, 10)`` votes for the ratings 1 to 10.
        paths: the image files, where a folder was given.
        skipped: the reason for each image that was left out: no file, or one that does not decode.
    """

    ids: tuple[str, ...]
    counts: Tensor
    paths: tuple[Path, ...] | None
    skipped: dict[str, str]

    @property
    def mean(self) -> Tensor:
        """Mean ratings ``(n,)``."""
        return mean_score(self.counts)

    @property
    def distributions(self) -> Tensor:
        """Shares of the votes ``(n, 10)``."""
        return self.counts / self.counts.sum(1, keepdim=True)


class RatedImages(Dataset[tuple[Tensor, Tensor]]):
    """Images and the distributions of their ratings, for :func:`clip_aesthetics.finetune`.

    Args:
        table: ratings with image files.
        transform: from an RGB image to a tensor; resizing and cropping included.
    """

    def __init__(self, table: RatingTable, transform: Callable[[Image], Tensor]) -> None:
        """Store what to read."""
        if table.paths is None:
            raise value_error("table", "ratings loaded with images=FOLDER", "ratings alone")
        self._paths, self._distributions, self._transform = table.paths, table.distributions, transform

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return an image and its distribution."""
        return self._transform(open_image(self._paths[index])), self._distributions[index]


def load_ratings(
    path: str | os.PathLike[str],
    images: str | os.PathLike[str] | None = None,
    *,
    suffix: str = ".jpg",
    verify: bool = False,
    progress: bool | None = None,
) -> RatingTable:
    """Read votes from a CSV file (id, ten vote counts), or from AVA's own ``AVA.txt``.

    Args:
        path: CSV file with eleven columns, with or without a header; or a file of fifteen columns parted by blanks, of
            which the first is a number and the last three are not votes.
        images: folder of the image files ``id + suffix``. Images without a file are left out and listed.
        suffix: ending of the image files; ids that have it already are used as they are.
        verify: also decode each image, and leave out those that do not.
        progress: whether to show a progress bar while decoding; ``None`` does so in a terminal.

    Returns:
        The table of the images that are there.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: a line that is no vote; the message names it. Or no image is left.

    Example:
        >>> import tempfile
        >>> from clip_aesthetics import load_ratings
        >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        ...     _ = file.write("953619,0,1,5,17,38,36,15,6,5,1")
        ...     file.flush()
        ...     load_ratings(file.name).mean
        tensor([5.6371])

    Reference:
        Chapter 3, Section 3.2; Murray, Marchesotti and Perronnin, "AVA", CVPR 2012.
    """
    source, folder = Path(path), None if images is None else Path(images)
    if not source.is_file():
        raise FileNotFoundError(f"path: expected a file, got {os.fspath(path)!r}")
    if folder is not None and not folder.is_dir():
        raise FileNotFoundError(f"images: expected a folder, got {os.fspath(folder)!r}")
    try:
        votes = _read_votes(source)
    except (UnicodeDecodeError, csv.Error) as error:
        raise value_error(str(source), "votes as text in UTF-8", str(error)) from error
    skipped: dict[str, str] = {}
    paths = {}
    if folder is not None:
        for name in track(votes, "ratings", progress=progress if verify else False):
            paths[name] = folder / (name if name.lower().endswith(suffix.lower()) else name + suffix)
            if not paths[name].is_file():
                skipped[name] = f"no file {paths[name]}"
            elif verify:
                try:
                    open_image(paths[name])
                except ValueError as error:
                    skipped[name] = str(error)
    ids = tuple(name for name in votes if name not in skipped)
    if not ids:
        raise value_error("images", f"a file for at least one of {len(votes)} images", f"none in {str(folder)!r}")
    found = None if folder is None else tuple(paths[name] for name in ids)
    return RatingTable(ids, torch.tensor([votes[name] for name in ids]), found, skipped)


def _read_votes(path: Path) -> dict[str, list[float]]:
    """Return ten counts for each id."""
    votes: dict[str, list[float]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            fields = line.split()
            if len(fields) == _AVA_COLUMNS:
                fields = fields[1 : 2 + _VOTES]
            else:
                (fields,) = csv.reader([line], skipinitialspace=True)
            counts = _counts(fields[1:])
            if counts is None:
                if number == 1:
                    continue  # the header
                raise value_error(f"{path}, line {number}", "an id and ten vote counts, not all 0", line.strip())
            if fields[0] in votes:
                raise value_error(f"{path}, line {number}", "each id once", fields[0])
            votes[fields[0]] = counts
    if not votes:
        raise value_error(str(path), "lines with an id and ten vote counts", "none")
    return votes


def _counts(fields: list[str]) -> list[float] | None:
    """Return the counts, or ``None`` where the fields are none."""
    try:
        counts = [float(field) for field in fields]
    except ValueError:
        return None
    valid = len(counts) == _VOTES and all(0 <= count < float("inf") for count in counts) and sum(counts) > 0
    return counts if valid else None
