"""The command ``bgaugment``."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ._classical_masks import ClassicalMasks
from ._core import Parser, atomic_path, import_extra, import_name, shape_error, value_error
from ._gap import background_gap
from ._images import SUFFIXES, image_files, like, pillow, read_image
from ._mask import mask_array
from ._model_masks import ModelMasks, fingerprint, onnx_network
from ._pools import FolderPool, ImagePool
from ._procedural import ProceduralPool
from ._providers import AlphaMasks, FolderMasks, MaskProvider
from ._report import MaskReport, mask_report, sheet, thumbnail
from ._store import MaskStore
from .functional import replace_background


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line: 0 done, 1 done but for some images, 2 bad input."""
    parser = Parser(prog="bgaugment", description="Masks, background replacement, background bias.")
    commands = parser.add_subparsers(required=True)

    masks = _command(commands, "masks", "compute masks once and keep them", _masks)
    masks.add_argument("--out", type=_path, required=True, help="folder of the mask store")
    masks.add_argument(
        "--provider",
        default="classical",
        help="classical, alpha, folder:DIR, u2net:FILE.onnx, isnet:FILE.onnx or package:factory (default: classical)",
    )
    masks.add_argument("--batch-size", type=_whole(1), default=1, help="images per call (default: 1)")
    masks.add_argument(
        "--threads", type=_whole(0, 1024), default=0, help="of the network or OpenCV (default: 0, as many as they like)"
    )
    masks.add_argument("--shard", default="0/1", help="K/N: only every N-th image from the K-th (default: 0/1)")
    masks.add_argument("--report", type=_path, help="page on the quality of the masks to write")

    preview = _command(commands, "preview", "write a sheet of images with replaced backgrounds", _preview)
    preview.add_argument("--out", type=_path, required=True, help="PNG to write")
    preview.add_argument("--n", type=_whole(1), default=16, help="number of images (default: 16)")
    preview.add_argument("--size", type=_whole(1, 4096), default=160, help="of each in pixels (default: 160)")

    gap = _command(commands, "gap", "measure background bias; each subfolder of IMAGES is a class", _gap)
    gap.add_argument("--model", required=True, help="package:factory, which returns the model, or (model, transform)")
    gap.add_argument("--repeats", type=_whole(1), default=5)
    gap.add_argument("--batch-size", type=_whole(1), default=64)
    gap.add_argument("--device", default="cpu")

    for command in (preview, gap):
        command.add_argument("--masks", type=_path, required=True, help="folder of the mask store")
        command.add_argument("--pool", type=_path, help="folder of backgrounds (default: computed ones)")
        command.add_argument("--seed", type=_whole(0), default=0)

    return parser.run(arguments)


def _command(commands: Any, name: str, description: str, run: Callable[..., int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    parser.add_argument("images", type=_path, help="folder of images, searched with its subfolders")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)
    return parser


def _masks(options: argparse.Namespace) -> int:
    shard, shards = _shard(options.shard)
    files = image_files(options.images)[shard::shards]
    store = MaskStore(options.out)
    provider = _provider(options.provider, options.images, options.threads)
    computed = store.compute(files, provider, batch_size=options.batch_size)
    failed = computed.failed
    report: MaskReport | None = None
    if options.report:
        masked, damaged = _sifted([file for file in files if str(file) not in failed], store.load)
        failed |= damaged
        report = mask_report(masked, store.masks(masked)) if masked else None
    _print_failed(failed)
    result = {"new": computed.new, "found": computed.found, "failed": failed}
    if report:
        with atomic_path(options.report) as temporary:
            temporary.write_text(report.to_html(), encoding="utf-8")
        result["near_empty"], result["near_full"] = report.near_empty(), report.near_full()
    _print(result, f"{computed.new} new, {computed.found} found, {len(failed)} failed", options)
    return int(bool(failed))


def _preview(options: argparse.Namespace) -> int:
    if options.out.suffix.lower() not in SUFFIXES:
        raise value_error("--out", f"the name of an image file ({', '.join(sorted(SUFFIXES))})", str(options.out))
    store, pool = MaskStore(options.masks), _pool(options)
    files, failed = _usable(options.images, store)
    chosen = files[:: max(1, len(files) // options.n)][: options.n]
    rng = np.random.default_rng(options.seed)
    pictures = []
    for file in chosen:
        image = read_image(file)
        background = like(pool.draw(image.shape[:2], rng), image)
        replaced = replace_background(image, store.load(file), background)
        pictures.append(np.vstack([thumbnail(image, options.size), thumbnail(replaced, options.size)]))
    with atomic_path(options.out) as temporary:
        pillow().fromarray(sheet(pictures)).save(temporary)
    _print_failed(failed)
    _print({"images": [str(file) for file in chosen], "failed": failed}, f"wrote {options.out}", options)
    return int(bool(failed))


def _gap(options: argparse.Namespace) -> int:
    store, pool = MaskStore(options.masks), _pool(options)
    files, failed = _usable(options.images, store)
    if loose := [file.name for file in files if file.parent == options.images]:
        raise value_error("images", "a subfolder for each class", f"{loose[0]} outside of any")
    made = import_name("--model", options.model)()
    model, transform = made if isinstance(made, tuple) else (made, None)
    items = _Files(files, options.images)
    gap = background_gap(
        model,
        items,
        store.masks(files),
        pool,
        repeats=options.repeats,
        transform=transform,
        batch_size=options.batch_size,
        device=options.device,
        seed=options.seed,
    )
    _print_failed(failed)
    result = {"clean": gap.clean, "corrupted": gap.corrupted, "mean": gap.mean, "std": gap.std}
    _print({**result, "relative_drop": gap.relative_drop, "images": len(files), "failed": failed}, str(gap), options)
    return int(bool(failed))


class _Files(Sequence[Any]):
    """Image files as PIL images with the name of their first folder as class."""

    def __init__(self, files: Sequence[Path], root: Path) -> None:
        self.files, self.root = files, root

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Any, str]:  # type: ignore[override]
        file = self.files[index]
        return pillow().fromarray(read_image(file)), file.relative_to(self.root).parts[0]


def _usable(folder: Path, store: MaskStore) -> tuple[list[Path], dict[str, str]]:
    """Return the images of a folder that can be read and have masks, and why the others do not."""

    def read(file: Path) -> None:
        size, mask = read_image(file).shape[:2], mask_array(store.load(file))
        if mask.shape != size:
            raise shape_error("mask", "(h, w)", {"mask": mask.shape, "image": size})

    files, failed = _sifted(image_files(folder), read)
    if not files:
        raise value_error("images", f"images with masks in {store.folder}", next(iter(failed.values())))
    return files, failed


def _sifted(files: Sequence[Path], read: Callable[[Path], object]) -> tuple[list[Path], dict[str, str]]:
    good, failed = [], {}
    for file in files:
        try:
            read(file)
            good.append(file)
        except (OSError, KeyError, ValueError) as error:
            failed[str(file)] = str(error.args[0] if isinstance(error, KeyError) else error)
    return good, failed


def _provider(text: str, images: Path, threads: int) -> MaskProvider:
    kind, _, argument = text.partition(":")
    if threads:
        torch.set_num_threads(threads)
    if text == "classical":
        if threads:
            import_extra("cv2", package="bgaugment", extra="opencv").setNumThreads(threads)
        return ClassicalMasks()
    if text == "alpha":
        return AlphaMasks()
    if kind == "folder":
        return FolderMasks(argument, images=images)
    if kind in ("u2net", "isnet"):
        network = onnx_network(argument, threads=threads)
        return getattr(ModelMasks, kind)(network, name=f"{kind} {fingerprint(argument)}")  # type: ignore[no-any-return]
    provider: MaskProvider = import_name("--provider", text)()
    return provider


def _pool(options: argparse.Namespace) -> ImagePool:
    return ProceduralPool() if options.pool is None else FolderPool(options.pool)


def _whole(least: int, most: float = math.inf) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            limit = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"expected a whole number {limit}, got {text}")
        return int(text)

    return number


def _path(text: str) -> Path:
    if not text:  # the working directory, to a Path; to a shell, a variable that is not set
        raise argparse.ArgumentTypeError("expected a path, got nothing")
    return Path(text)


def _shard(text: str) -> tuple[int, int]:
    shard, _, shards = text.partition("/")
    if not (shard.isdecimal() and shards.isdecimal() and int(shard) < int(shards)):
        raise value_error("--shard", "K/N with K from 0 to N - 1", text)
    return int(shard), int(shards)


def _print_failed(failed: dict[str, str]) -> None:
    for place, reason in failed.items():
        print(f"skipped {place}: {reason.removeprefix(f'{place}: ')}", file=sys.stderr)  # noqa: T201


def _print(result: dict[str, Any], text: str, options: argparse.Namespace) -> None:
    print(json.dumps(result) if options.json else text)  # noqa: T201
