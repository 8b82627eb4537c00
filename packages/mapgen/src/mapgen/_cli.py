"""The command ``mapgen``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ._core import Parser, atomic_path, import_name, value_error
from ._designs import DIRECTIONS, ORIENTATIONS, angle_sweep, distance_sweep, entity_grid, interaction, width_sweep
from ._png import encode_png
from ._probe import probe
from ._render import render, render_with_labels
from ._scene import Scene
from ._style import Style
from ._sweep import Sweep, grid
from ._write import write_sweep

T = TypeVar("T")

_DESIGNS: dict[str, Callable[[], Sweep]] = {
    "entity": entity_grid,
    "angle": angle_sweep,
    "interaction": interaction,
    **{f"width-{name}": lambda name=name: width_sweep(name) for name in ORIENTATIONS},  # type: ignore[misc]
    **{f"distance-{name}": lambda name=name: distance_sweep(name) for name in DIRECTIONS},  # type: ignore[misc]
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="mapgen", description="Map images with one factor changed at a time.")
    commands = parser.add_subparsers(required=True)
    look = Parser(add_help=False)
    look.add_argument("--style", type=Path, help="style in JSON; openstreetmap-carto by default")
    look.add_argument("--antialias", action="store_true", help="smooth borders")
    design = Parser(add_help=False)
    design.add_argument("--design", choices=list(_DESIGNS), help="a design of the thesis")
    design.add_argument("--scene", type=Path, help="scene in JSON, to be changed by --vary")
    design.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="PATH=VALUES",
        help="roads[0].width_px=3:93:10 (stop excluded) or land=park,forest; several: all combinations",
    )

    drawing = commands.add_parser("render", parents=[look], help="draw one scene")
    drawing.add_argument("scene", type=Path, help="scene in JSON")
    drawing.add_argument("--out", type=Path, help=".png or .svg file; beside the scene, as .png, by default")
    drawing.add_argument("--labels", type=Path, help="also write the label mask, a .png file")
    drawing.set_defaults(run=_render)

    writing = commands.add_parser("sweep", parents=[look, design], help="draw a sweep: PNG files and manifest.parquet")
    writing.add_argument("--out", type=Path, required=True, help="folder; an interrupted run is continued")
    writing.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    writing.add_argument("--shard-size", type=int, default=500)
    writing.set_defaults(run=_sweep)

    asking = commands.add_parser(
        "probe", parents=[look, design], help="ask a model about a sweep (the design distance-right by default)"
    )
    asking.add_argument("--model", required=True, metavar="PACKAGE:FACTORY", help="called without arguments: the model")
    asking.add_argument("--out", type=Path, help="page to write")
    asking.add_argument("--json", type=Path, help="numbers to write")
    asking.add_argument("--batch-size", type=int, default=64)
    asking.add_argument("--output", type=int, help="column of the answer")
    asking.set_defaults(run=_probe)

    return parser.run(arguments)


def _render(options: argparse.Namespace) -> None:
    scene, style = _scene(options.scene), _style(options)
    options.out = options.out or options.scene.with_suffix(".png")
    if options.out.suffix not in (".png", ".svg"):
        raise value_error("--out", "a .png or .svg file", options.out.name)
    if options.out.suffix == ".svg":
        _write(options.out, render(scene, style=style, out="svg"))
    image, labels = render_with_labels(scene, style=style, antialias=options.antialias)
    files = [(options.labels, labels)] if options.labels else []
    files += [(options.out, image)] if options.out.suffix == ".png" else []
    for path, pixels in files:
        if path.suffix != ".png":
            raise value_error("--labels", "a .png file", path.name)
        with atomic_path(path) as temporary:
            temporary.write_bytes(encode_png(pixels))


def _sweep(options: argparse.Namespace) -> None:
    manifest = write_sweep(
        _design(options),
        options.out,
        style=_style(options),
        antialias=options.antialias,
        shard_size=options.shard_size,
        workers=options.workers,
    )
    sys.stdout.write(f"{manifest}\n")


def _probe(options: argparse.Namespace) -> None:
    if options.design is None and options.scene is None and not options.vary:
        options.design = "distance-right"
    model = import_name("--model", options.model)()
    response = probe(
        model,
        _design(options),
        style=_style(options),
        antialias=options.antialias,
        batch_size=options.batch_size,
        output=options.output,
    )
    if options.out:
        _write(options.out, response.to_html(title=f"What does {options.model} answer?"))
    if options.json:
        _write(options.json, json.dumps(response.table, indent=2) + "\n")
    for row in zip(*response.table.values()):
        sys.stdout.write("\t".join(f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row) + "\n")


def _design(options: argparse.Namespace) -> Sweep:
    if (options.design is None) == (options.scene is None):
        raise value_error("--design", "either --design, or --scene with --vary", "both" if options.scene else "neither")
    if options.design:
        if options.vary:
            raise value_error("--vary", "a --scene to change", f"--design {options.design}")
        return _DESIGNS[options.design]()
    return grid(_scene(options.scene), dict(_values(text) for text in options.vary))


def _values(text: str) -> tuple[str, list[Any]]:
    """Read ``path=start:stop:step`` or ``path=value,value``."""
    path, equals, values = text.partition("=")
    if not equals or not values:
        raise value_error("--vary", "PATH=VALUES", text)
    if ":" not in values:
        return path, [_value(value) for value in values.split(",")]
    try:
        start, stop, step = (float(part) for part in [*values.split(":"), "1"][:3])
        count = max(0, -int(-(stop - start) // step))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise value_error("--vary", "START:STOP or START:STOP:STEP, the step not 0", values) from error
    return path, [_whole(start + step * number) for number in range(count)]


def _value(text: str) -> Any:
    try:
        return _whole(float(text))
    except ValueError:
        return {"true": True, "false": False}.get(text, text)


def _whole(number: float) -> float:
    return int(number) if number.is_integer() else number


def _scene(path: Path) -> Scene:
    return _parsed(path, Scene.from_json)


def _style(options: argparse.Namespace) -> Style | None:
    return _parsed(options.style, Style.from_json) if options.style else None


def _parsed(path: Path, parse: Callable[[str], T]) -> T:
    """Parse the text of a file, and name the file where that fails."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
