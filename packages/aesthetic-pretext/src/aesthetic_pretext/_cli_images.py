"""The subcommands that make pictures: ``render``, ``make-variants``, ``compare-darktable``."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from . import darktable
from ._cli_common import add_command, need_folder, say
from ._core import atomic_path
from ._images import load_image
from ._render import contact_sheet
from ._shards import WRITERS, make_variants


def render_options(commands: Any) -> None:
    """Add the options of ``render``."""
    command = add_command(commands, "render", _render, "draw all levels of all distortions of a photograph")
    command.add_argument("image", type=Path)
    command.add_argument("--out", type=Path, required=True, help="picture to write")
    command.set_defaults(size=112)


def _render(options: argparse.Namespace) -> None:
    need_folder(options.out)
    sheet = contact_sheet(load_image(options.image), size=options.size, seed=options.seed)
    with atomic_path(options.out) as temporary:
        sheet.save(temporary)
    say(f"{options.out}: {sheet.width} x {sheet.height} pixels")


def make_variants_options(commands: Any) -> None:
    """Add the options of ``make-variants``."""
    command = add_command(commands, "make-variants", _make_variants, "write the 174 images of each photograph")
    command.add_argument("folder", type=Path)
    command.add_argument("--out", type=Path, required=True, help="folder for the shards; finished ones are kept")
    command.add_argument("--format", choices=list(WRITERS), default="webdataset")
    command.add_argument("--photos-per-shard", type=int, default=8)
    command.add_argument("--workers", type=int, help="processes (default: all cores)")


def _make_variants(options: argparse.Namespace) -> None:
    shards = make_variants(
        options.folder,
        options.out,
        format=options.format,
        photos_per_shard=options.photos_per_shard,
        size=options.size,
        seed=options.seed,
        num_workers=options.workers,
    )
    say(f"{len(shards.files)} shards, {shards.new} of them new, {len(shards.failed)} photographs skipped")
    for reason in shards.failed.values():
        say(f"skipped: {reason}")


def compare_darktable_options(commands: Any) -> None:
    """Add the options of ``compare-darktable``."""
    description = "compare the style distortions with those of darktable, which has to be installed"
    command = commands.add_parser("compare-darktable", help=description, description=description)
    command.set_defaults(run=_compare_darktable)
    command.add_argument("photographs", type=Path, nargs="+", metavar="PHOTO", help="image files, or one folder")
    command.add_argument("--out", type=Path, required=True, help="CSV file of one row per distortion and level")
    command.add_argument("--size", type=int, default=336, help="longer side in pixels (default: %(default)s)")


def _compare_darktable(options: argparse.Namespace) -> None:
    need_folder(options.out)
    one_folder = len(options.photographs) == 1 and options.photographs[0].is_dir()
    found = darktable.compare(options.photographs[0] if one_folder else options.photographs, size=options.size)
    with atomic_path(options.out) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(darktable.Closeness._fields)
        writer.writerows([*row[:3], *(f"{value:.4f}" for value in row[3:])] for row in found.rows)
    say(f"{options.out}: {len(found.rows)} levels on {found.photographs} photographs; medians over levels:")
    for row in found.summary().values():
        directions = f"{100 * row.same_direction:.0f} % in the same direction"
        say(f"{row.distortion:12} PSNR {row.psnr:5.1f} dB, SSIM {row.ssim:.3f}, {directions}")
    for reason in found.failed.values():
        say(f"skipped: {reason}")
