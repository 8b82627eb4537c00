"""What a training run says while it runs: a CSV file and TensorBoard."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from ._core import atomic_path, import_extra

Row = dict[str, float]


def write_csv(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write one line per epoch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def write_tensorboard(folder: Path, row: Mapping[str, float]) -> None:
    """Add the values of an epoch to the event files of a folder."""
    import_extra("tensorboard", package="aesthetic-pretext", extra="tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for name, value in row.items():
            writer.add_scalar(name, value, int(row["epoch"]))
