"""The command ``cargen``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ._core import Parser, atomic_path, value_error
from ._generate import digest, generate
from ._manifest import Manifest
from ._properties import PROPERTY_NAMES, PROPERTY_VALUES, CarProperties
from ._render import Renderer
from ._scene import QUALITIES
from ._sheet import contact_sheet


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="cargen", description="Rendered cars whose properties are drawn independently.")
    commands = parser.add_subparsers(required=True)
    look = Parser(add_help=False)
    look.add_argument("--out", type=Path, required=True, help="what to write")
    look.add_argument("--meshes", type=Path, help="manifest in JSON, or a folder of TORCS's cars")
    look.add_argument("--quality", choices=list(QUALITIES), default="preview")
    look.add_argument("--size-px", type=int, default=224, help="side of each image")
    look.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PROPERTY=VALUE",
        help="fix a property; generate takes several values: rotation=0,90",
    )

    one = commands.add_parser("render", parents=[look], help="render one car to a .png file")
    one.add_argument("--mask", type=Path, help="also write the mask, a .png file")
    one.set_defaults(run=_render)

    many = commands.add_parser("generate", parents=[look], help="render many cars to a folder")
    many.add_argument("--n", type=int, required=True, help="number of images")
    many.add_argument("--seed", type=int, default=0)
    many.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    many.add_argument("--shard-size", type=int, default=20)
    many.set_defaults(run=_generate)

    pixels = commands.add_parser("digest", help="print the SHA-256 of the pixels in a folder of generate")
    pixels.add_argument("folder", type=Path)
    pixels.set_defaults(run=_digest)

    sheet = commands.add_parser("sheet", parents=[look], help="one row per property, one image per value")
    sheet.set_defaults(run=_sheet)

    return parser.run(arguments)


def _render(options: argparse.Namespace) -> None:
    pictures = {"--out": options.out, **({"--mask": options.mask} if options.mask else {})}
    for name, path in pictures.items():
        _check_png(name, path)
    meshes = _meshes(options)
    car = CarProperties(**_properties(options, meshes))
    rendering = _renderer(options, meshes)(car)
    for path, pixels in zip(pictures.values(), (rendering.image, rendering.mask)):
        _save(path, Image.fromarray(pixels))


def _generate(options: argparse.Namespace) -> None:
    start = time.perf_counter()
    properties = generate(
        options.out,
        n=options.n,
        seed=options.seed,
        values=_values(options),
        meshes=_meshes(options),
        quality=options.quality,
        size_px=options.size_px,
        workers=options.workers,
        shard_size=options.shard_size,
    )
    seconds = time.perf_counter() - start
    sys.stdout.write(f"{properties}: {options.n} images after {seconds:.0f} s\n")


def _digest(options: argparse.Namespace) -> None:
    sys.stdout.write(f"{digest(options.folder)}\n")


def _sheet(options: argparse.Namespace) -> None:
    _check_png("--out", options.out)
    meshes = _meshes(options)
    base = CarProperties(**_properties(options, meshes))
    values = dict(PROPERTY_VALUES) | ({"model": meshes.names} if meshes else {})
    _save(options.out, contact_sheet(_renderer(options, meshes), values=values, base=base))


def _renderer(options: argparse.Namespace, meshes: Manifest | None) -> Renderer:
    return Renderer(meshes, quality=options.quality, size_px=options.size_px)


def _meshes(options: argparse.Namespace) -> Manifest | None:
    if options.meshes is None:
        return None
    return Manifest.torcs(options.meshes) if options.meshes.is_dir() else Manifest.read(options.meshes)


def _properties(options: argparse.Namespace, meshes: Manifest | None) -> dict[str, Any]:
    """Return the one value of each property that was set; the first model of a manifest by default."""
    chosen: dict[str, Any] = {"model": meshes.names[0]} if meshes else {}
    for name, values in _values(options).items():
        if len(values) != 1:
            raise value_error("--set", "one value", f"{name}={','.join(map(str, values))}")
        chosen[name] = values[0]
    return chosen


def _values(options: argparse.Namespace) -> dict[str, list[Any]]:
    """Read ``property=value,value``."""
    chosen = {}
    for text in options.set:
        name, equals, values = text.partition("=")
        if name not in PROPERTY_NAMES or not equals:
            raise value_error("--set", f"PROPERTY=VALUE with one of {', '.join(PROPERTY_NAMES)}", text)
        chosen[name] = [value if name in ("model", "backdrop") else _number(name, value) for value in values.split(",")]
    return chosen


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise value_error(name, "a number", text) from error


def _check_png(name: str, path: Path) -> None:
    if path.suffix != ".png":
        raise value_error(name, "a .png file", path.name)


def _save(path: Path, image: Image.Image) -> None:
    with atomic_path(path) as temporary:
        image.save(temporary)
