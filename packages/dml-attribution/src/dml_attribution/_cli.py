"""The command ``dml-attribution``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ._attribution import EmbeddingAttribution
from ._compare import compare_maps
from ._core import Parser, atomic_path, import_name, type_error, value_error
from ._distances import DISTANCES
from ._folder import read_maps, write_maps


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line: 0 is success, 1 some images could not be read, 2 bad input."""
    parser = Parser(prog="dml-attribution", description="Which pixels moved an embedding?")
    commands = parser.add_subparsers(required=True)
    maps = commands.add_parser("maps", help="write the attribution map of each image of a folder; run again to resume")
    maps.add_argument("images", type=Path, help="folder of images, searched with its subfolders")
    maps.add_argument("--model", required=True, metavar="MODULE:FACTORY", help="function that returns the "
                      "model, or an EmbeddingAttribution with transform=")  # fmt: skip
    maps.add_argument("--out", type=Path, required=True, help="folder for <image>.npy and <image>.png")
    maps.add_argument("--n-samples", type=int, default=50)
    maps.add_argument("--noise", type=float, default=0.15, help="share of each image's range")
    maps.add_argument("--order", choices=["text", "channel_first"], default="text")
    maps.add_argument("--seed", type=int, default=0, help="of the noise")
    maps.add_argument("--device", default="cpu")
    plain = maps.add_argument_group("for a factory that returns a plain model")
    plain.add_argument("--distance", choices=sorted(DISTANCES), default="euclidean")
    plain.add_argument("--size", type=int, default=224, help="the image's centre square is resized to this")
    plain.add_argument("--mean", type=float, nargs=3, default=[0.485, 0.456, 0.406], help="default: ImageNet's")
    plain.add_argument("--std", type=float, nargs=3, default=[0.229, 0.224, 0.225], help="default: ImageNet's")
    maps.set_defaults(run=_maps)
    compare = commands.add_parser("compare", help="compare models by the maps they were given")
    compare.add_argument("maps", nargs="+", metavar="NAME=FOLDER", help="folders written by 'maps', one per model")
    compare.add_argument("--out", type=Path, required=True, help="page to write")
    compare.add_argument("--json", type=Path, help="also write the numbers here")
    compare.add_argument("--group", action="append", default=[], metavar="GROUP=NAME,NAME", help="may be repeated")
    compare.add_argument("--metrics", nargs="+", default=["pearson", "jensen_shannon"], metavar="METRIC")
    compare.set_defaults(run=_compare)
    return parser.run(arguments)


def _maps(options: argparse.Namespace) -> int:
    attribution, transform = _load(options)
    names = ("model", "n_samples", "noise", "order", "seed", "device", "distance", "size", "mean", "std")
    settings = {name: getattr(options, name) for name in names}
    written, failed = write_maps(options.images, options.out, attribution, transform, settings)
    sys.stdout.write(f"{written} maps in {options.out}, {len(failed)} images could not be read\n")
    for name, reason in failed.items():
        sys.stderr.write(f"{name}: {reason}\n")
    return 1 if failed else 0


def _compare(options: argparse.Namespace) -> int:
    folders = {name: Path(folder) for name, folder in map(_named, options.maps)}
    if len(folders) < len(options.maps):
        raise value_error("maps", "a name of its own for each folder", options.maps)
    groups = {group: names.split(",") for group, names in map(_named, options.group)}
    comparison = compare_maps(read_maps(folders), names=list(folders), groups=groups, metrics=options.metrics)
    _write(options.out, comparison.to_html())
    if options.json:
        _write(options.json, json.dumps(comparison.to_dict(), indent=2) + "\n")
    sys.stdout.write(f"{comparison.n_images} images, {len(folders)} models: {options.out}\n")
    return 0


def _load(options: argparse.Namespace) -> tuple[EmbeddingAttribution, Callable[[Any], Tensor]]:
    """Return what the factory made as an attribution, and the transform of its images."""
    made = import_name("--model", options.model)()
    if isinstance(made, EmbeddingAttribution):
        if made.transform is None:
            raise value_error("--model", "an EmbeddingAttribution with transform=, to read the images", "one without")
        return made, made.transform
    if not isinstance(made, nn.Module):
        raise type_error("--model", "a factory of a torch.nn.Module or an EmbeddingAttribution", made)
    mean, std = (torch.tensor(values)[:, None, None] for values in (options.mean, options.std))

    def transform(picture: Any) -> Tensor:
        edge = min(picture.size)
        left, top = ((length - edge) // 2 for length in picture.size)
        square = picture.resize((options.size, options.size), box=(left, top, left + edge, top + edge))
        return (torch.from_numpy(np.array(square)).permute(2, 0, 1) / 255 - mean) / std

    model = made.to(options.device)
    return EmbeddingAttribution(model, distance=options.distance, mean=options.mean, std=options.std), transform


def _named(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    if not name or not value:
        raise value_error("argument", "NAME=VALUE", argument)
    return name, value


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
