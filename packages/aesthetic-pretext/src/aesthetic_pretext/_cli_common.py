"""What several subcommands share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

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
    """Read the rated photographs; list those whose files are broken, and leave them out."""
    if options.ratings.is_dir():
        rated = read_tid2013(options.ratings, size=options.size)
    elif options.images is None:
        raise value_error("--images", "the folder of the rated images", "none")
    else:
        read = read_ava if options.ratings.suffix == ".txt" else read_ratings
        rated = read(options.ratings, images=options.images, size=options.size)
    rated, failed = rated.readable()
    for reason in failed.values():
        say(f"skipped: {reason}")
    if not len(rated):
        raise value_error("--images", "a rated image that can be read", f"{len(failed)} that cannot")
    return rated


def add_device_option(command: argparse.ArgumentParser) -> None:
    """Add the option that names a device."""
    command.add_argument("--device", default="cpu", help="such as cpu or cuda (default: %(default)s)")


def device_of(options: argparse.Namespace) -> torch.device:
    """Return the device, if this machine has it."""
    try:
        return torch.zeros((), device=options.device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise value_error("--device", "a device of this machine", f"{options.device}: {error}") from error


def need_folder(path: Path) -> None:
    """Refuse a file whose folder is not there, before the work."""
    if not path.parent.is_dir() or path.is_dir():
        raise value_error(str(path), "a file in an existing folder", "none")


def say(text: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(text + "\n")
