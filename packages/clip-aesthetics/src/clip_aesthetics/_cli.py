"""The command ``clip-aesthetics``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch

from ._core import Parser, atomic_path, import_extra, import_name, value_error
from ._encoder import Encoder
from ._evaluate import evaluate
from ._gallery import gallery_html
from ._images import ImageBatches, image_files
from ._open_clip import OpenClipEncoder
from ._probe import LinearProbe
from ._prompts import Mode
from ._ratings import load_ratings
from ._scorer import PromptScorer
from ._scores import AestheticScores

_BATCH = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="clip-aesthetics", description="How aesthetic are photographs, as a CLIP model sees them?")
    commands = parser.add_subparsers(required=True)
    common = Parser(add_help=False)
    common.add_argument(
        "--encoder",
        required=True,
        metavar="FOLDER|MODULE:FUNCTION=PATH",
        help="folder of an open_clip model; or a function that makes an encoder from a path",
    )
    common.add_argument("--positive", nargs="+", default=["outstanding"], metavar="LABEL")
    common.add_argument("--negative", nargs="+", default=["horrible"], metavar="LABEL")
    common.add_argument("--mode", choices=get_args(Mode), default="fixed")
    common.add_argument("--contexts", type=Path, help="text file, one context per line (default: ImageNet's classes)")

    score = commands.add_parser("score", parents=[common], help="score photographs")
    score.add_argument("photos", type=Path, help="folder of images, or one image")
    score.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    score.add_argument("--html", type=Path, help="gallery to write, best photographs first")
    score.add_argument("--probe", type=Path, help="score with this fitted probe instead of prompts")
    score.set_defaults(run=_score)

    fit = commands.add_parser("fit", parents=[common], help="fit a linear probe to votes, such as AVA's")
    fit.add_argument("votes", type=Path, help="AVA.txt, or CSV: id and ten vote counts")
    fit.add_argument("images", type=Path, help="folder of the images, id + suffix")
    fit.add_argument("--test", type=Path, help="votes to evaluate on (default: those of the fit)")
    fit.add_argument("--suffix", default=".jpg")
    fit.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    fit.set_defaults(run=_fit)

    return parser.run(arguments)


def _score(options: argparse.Namespace) -> None:
    arrow = import_extra("pyarrow", package="clip-aesthetics", extra="cli")
    parquet = import_extra("pyarrow.parquet", package="clip-aesthetics", extra="cli")
    _check_writable(options.out, options.html)
    files = image_files(options.photos)
    encoder = _encoder(options.encoder)
    if options.probe:
        probe = LinearProbe.load(options.probe, encoder=encoder)
        rate, projected = probe.score, False
    else:
        rate, projected = _scorer(options, encoder).score, True
    batches = ImageBatches(files, _BATCH)
    positions, (embeddings,) = _encode(batches, encoder, [projected])
    scores = rate(embeddings)
    paths = [files[position] for position in positions]
    root = options.photos if options.photos.is_dir() else options.photos.parent
    names = [path.relative_to(root).as_posix() for path in paths]
    columns = {"path": names, "score": scores.values.tolist(), "aesthetic": scores.aesthetic.tolist()}
    if scores.closest:
        columns["closest"] = list(scores.closest)
    meaning = {"range": scores.range, "unit": scores.unit, "higher_is_better": True, "encoder": scores.encoder}
    table = arrow.table(columns).replace_schema_metadata({"clip_aesthetics": json.dumps(meaning)})
    with atomic_path(options.out) as temporary:
        parquet.write_table(table.take(scores.ranking()), temporary)
    if options.html:
        page = gallery_html(paths, names, scores, batches.skipped, title="Photographs by aesthetic score")
        with atomic_path(options.html) as temporary:
            temporary.write_text(page, encoding="utf-8")
    for reason in batches.skipped.values():
        sys.stderr.write(f"skipped: {reason}\n")
    sys.stdout.write(f"{len(names)} scored, {len(batches.skipped)} skipped\n")


def _fit(options: argparse.Namespace) -> None:
    _check_writable(options.out)
    encoder = _encoder(options.encoder)
    probe, scorer = LinearProbe(encoder), _scorer(options, encoder)
    train = load_ratings(options.votes, options.images, suffix=options.suffix)
    test = load_ratings(options.test, options.images, suffix=options.suffix) if options.test else train
    assert train.paths is not None
    assert test.paths is not None
    batches, ratings = ImageBatches(train.paths, _BATCH), train.mean
    for positions, images in batches:
        probe.partial_fit(encoder.encode_image(images, projected=False), ratings[positions])
    probe.save(options.out)
    tested = ImageBatches(test.paths, _BATCH)
    positions, (features, embeddings) = _encode(tested, encoder, [False, True])
    methods: dict[str, AestheticScores] = {"prompts": scorer.score(embeddings), "linear probe": probe.score(features)}
    # Where the same images are fitted and tested, each reason is said once.
    for reason in dict.fromkeys(
        [*train.skipped.values(), *test.skipped.values(), *batches.skipped.values(), *tested.skipped.values()]
    ):
        sys.stderr.write(f"skipped: {reason}\n")
    where = "test images" if options.test else "training images (no --test)"
    sys.stdout.write(f"{evaluate(methods, test.mean[positions])}\n{len(positions)} {where}\n")


def _encode(batches: ImageBatches, encoder: Encoder, projected: list[bool]) -> tuple[list[int], list[torch.Tensor]]:
    """Return the positions of the images that decode, and one matrix of embeddings for each kind."""
    found: list[int] = []
    parts: list[list[torch.Tensor]] = []
    for positions, images in batches:
        found += positions
        parts.append([torch.as_tensor(encoder.encode_image(images, projected=kind)) for kind in projected])
    if not found:
        raise value_error("photos", "at least one image that decodes", "; ".join(batches.skipped.values()))
    return found, [torch.cat(kind) for kind in zip(*parts)]


def _scorer(options: argparse.Namespace, encoder: Encoder) -> PromptScorer:
    contexts = options.contexts.read_text(encoding="utf-8").splitlines() if options.contexts else None
    return PromptScorer(encoder, options.positive, options.negative, mode=options.mode, contexts=contexts)


def _encoder(choice: str) -> Encoder:
    """Return the open_clip model of a folder, or what ``MODULE:FUNCTION=PATH`` makes of the path."""
    function, equals, path = choice.partition("=")
    if not equals or ":" not in function:
        return OpenClipEncoder(choice)
    encoder: Encoder = import_name("--encoder", function)(path)
    return encoder


def _check_writable(*paths: Path | None) -> None:
    for path in filter(None, paths):
        if not path.parent.is_dir() or path.is_dir():
            raise value_error(str(path), "a file in an existing folder", "none")
