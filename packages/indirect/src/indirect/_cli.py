"""The command ``indirect``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ._clip_encoders import OpenClipEncoder, SentenceTransformerEncoder
from ._core import Parser, atomic_path, value_error
from ._encoder import Encoder
from ._images import open_image
from ._indirect import InDiReCT
from ._offline import OfflineEncoder, build_offline_encoder
from ._page import result_page
from ._prompts import Prompts
from ._search import search
from ._store import EmbeddingStore
from ._transformers_encoder import TransformersEncoder

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_ENCODER_HELP = (
    "a file of 'indirect build-encoder', or classes:FILE (its images through the ImageNet classes), or "
    "open_clip:MODEL:WEIGHTS, transformers:FOLDER or sentence-transformers:FOLDER; local files only"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="indirect", description="Image search by a similarity notion that is written as text.")
    commands = parser.add_subparsers(required=True)

    build = commands.add_parser("build-encoder", help="make the offline encoder (extra 'offline')")
    build.add_argument("out", type=_new_path, help=".safetensors file to write")
    build.set_defaults(run=_build_encoder)

    fit = commands.add_parser("fit", help="learn a notion from prompts")
    fit.add_argument("prompts", type=Path, help=".txt (one aspect per line) or .csv (a column per slot)")
    fit.add_argument("--template", action="append", help="such as 'a {} car'; may be repeated; default: whole texts")
    fit.add_argument("--encoder", required=True, help=_ENCODER_HELP)
    fit.add_argument("--components", default="auto", help="dimensions of the new space, or 'auto' (default)")
    fit.add_argument("--seed", type=int, default=0, help="of the start")
    fit.add_argument("--solver", choices=["lbfgs", "adam"], default="lbfgs")
    fit.add_argument("--init", choices=["normal", "svd"], default="normal")
    fit.add_argument("-o", "--out", type=_new_path, required=True, help=".safetensors file to write")
    fit.set_defaults(run=_fit)

    embed = commands.add_parser("embed", help="embed images once, for all notions; resumes where it stopped")
    embed.add_argument("images", type=Path, nargs="+", help="image files, or folders to search for them")
    embed.add_argument("--encoder", required=True, help=_ENCODER_HELP)
    embed.add_argument("--dtype", choices=["float16", "float32"], default="float16")
    embed.add_argument("-o", "--out", type=_new_path, required=True, help="folder of the store")
    embed.set_defaults(run=_embed)

    find = commands.add_parser("search", help="find similar images and write a page with them")
    find.add_argument("query", type=Path, nargs="+", help="image files")
    find.add_argument("--notion", type=Path, required=True, help="file of 'indirect fit'")
    find.add_argument("--store", type=Path, required=True, help="folder of 'indirect embed'")
    find.add_argument("--encoder", required=True, help=_ENCODER_HELP)
    find.add_argument("-k", type=int, default=10, help="results per query")
    find.add_argument("-o", "--out", type=_new_path, required=True, help="page to write")
    find.set_defaults(run=_search)

    return parser.run(arguments)


def _new_path(text: str) -> Path:
    if not Path(text).absolute().parent.is_dir():  # said before the work, not after it
        raise argparse.ArgumentTypeError(f"expected a path in an existing folder, got {text}")
    return Path(text)


def _build_encoder(options: argparse.Namespace) -> None:
    build_offline_encoder(options.out)
    _say(f"wrote {options.out}: {OfflineEncoder(options.out).identity}")


def _fit(options: argparse.Namespace) -> None:
    prompts = Prompts.read(options.prompts, options.template or "{}")
    count = options.components
    if count != "auto":
        if not count.isdecimal():
            raise value_error("--components", "a number or 'auto'", count)
        count = int(count)
    notion = InDiReCT(
        count,
        random_state=options.seed,
        solver=options.solver,
        init=options.init,
        encoder=_encoder(options.encoder),
    ).fit(prompts)
    notion.save(options.out)
    _say(
        f"wrote {options.out}: {len(prompts)} prompts, {notion.n_components_} components, "
        f"loss {notion.loss_:.4f} after {notion.n_iter_} iterations"
    )


def _embed(options: argparse.Namespace) -> None:
    images = []
    for path in options.images:
        if path.is_dir():
            images += sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES)
        else:
            images.append(path)
    store = EmbeddingStore.build(options.out, images, _encoder(options.encoder), dtype=options.dtype)
    for name, reason in store.skipped:
        sys.stderr.write(f"skipped {name}: {reason}\n")
    _say(f"wrote {options.out}: {len(store)} images, {len(store.skipped)} skipped")


def _search(options: argparse.Namespace) -> None:
    encoder = _encoder(options.encoder)
    notion = InDiReCT.load(options.notion, encoder=encoder)
    store = EmbeddingStore(options.store)
    queries = notion.transform([open_image(path) for path in options.query])
    cosines, rows = search(queries.cpu(), notion.transform(store), options.k)
    found = [[(store.ids[row], cosine) for row, cosine in zip(*pair)] for pair in zip(rows.tolist(), cosines.tolist())]
    title = f"Similar in the sense of {options.notion.stem}"
    with atomic_path(options.out) as temporary:
        temporary.write_text(
            result_page(title, notion.prompts_ or [], [str(path) for path in options.query], found), encoding="utf-8"
        )
    for query, results in zip(options.query, found):
        for name, cosine in results:
            _say(f"{query}\t{cosine:.4f}\t{name}")


def _encoder(described: str) -> Encoder:
    kind, _, rest = described.partition(":")
    if kind == "open_clip":
        model, _, weights = rest.partition(":")
        return OpenClipEncoder(model, weights)
    if kind == "transformers":
        return TransformersEncoder(rest)
    if kind == "sentence-transformers":
        return SentenceTransformerEncoder(rest)
    if kind == "classes":
        return OfflineEncoder(rest, image_side="classes")
    return OfflineEncoder(described)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
