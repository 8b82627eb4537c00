"""What several subcommands share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ._core import value_error
from ._variants import SIZE
from .ratings import RatedDataset, read_ava, read_ratings, read_tid2013


def add_command(commands: Any, name: str, run: Any, description: str) -> argparse.ArgumentParser:
    """Add a subcommand."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    command.set_defaults(run=run)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--size", type=int, default=SIZE, help="side of the images in pixels (default: %(default)s)")
    return command


def add_rated_options(command: argparse.ArgumentParser, *, needed: bool) -> None:
    """Add the options that name rated photographs."""
    command.add_argument("--ratings", type=Path, required=needed, help="CSV (image, rating), AVA.txt or TID2013 folder")
    command.add_argument("--images", type=Path, help="folder of the rated images (not for TID2013)")


def read_rated(options: argparse.Namespace) -> RatedDataset:
    """Read the rated photographs."""
    if options.ratings.is_dir():
        return read_tid2013(options.ratings, size=options.size)
    if options.images is None:
        raise value_error("--images", "the folder of the rated images", "none")
    read = read_ava if options.ratings.suffix == ".txt" else read_ratings
    return read(options.ratings, images=options.images, size=options.size)


def need_folder(path: Path) -> None:
    """Refuse a file whose folder is not there, before the work."""
    if not path.parent.is_dir() or path.is_dir():
        raise value_error(str(path), "a file in an existing folder", "none")


def say(text: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(text + "\n")
