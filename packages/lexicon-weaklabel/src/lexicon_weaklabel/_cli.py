"""The command ``lexicon-weaklabel``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from ._audit import relabelled
from ._core import Parser, value_error
from ._corpus import CorpusSummary, label_corpus
from ._labelers import AverageLabeler, LexiconLabeler
from ._lexicon import SENTIMENT, Lexicon
from ._sources import naming
from ._texts import to_arrow
from ._word2vec import read_word2vec, train_word2vec

_LEXICA = "vader, twitch, emoji:FILE.csv, votes:FILE.csv, FILE.csv (probabilities) or FILE.parquet (saved)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="lexicon-weaklabel", description="Weak labels from lexica, and models trained on them.")
    commands = parser.add_subparsers(required=True)

    label = commands.add_parser("label", help="label Parquet files; continues a run that was stopped")
    label.add_argument("sources", nargs="+", type=Path, help="Parquet files or folders of them")
    label.add_argument("--out", type=Path, required=True, help="folder of the labelled Parquet files")
    label.add_argument("--prefix", default="", help="put before the names of the new columns")
    label.add_argument("--method", choices=["distribution", "average"], default="distribution")
    label.add_argument("--processes", type=int, help="number of processes (default: one per core)")
    label.add_argument("--progress", action="store_true", default=None, help="show progress though not on a terminal")
    label.set_defaults(run=_label)

    train = commands.add_parser("train", help="label texts, hide signal tokens at random, train a TextCNN")
    train.add_argument("sources", nargs="+", type=Path, help="Parquet files, which must fit into memory")
    train.add_argument("--out", type=Path, required=True, help="folder of the model; continues a run that was stopped")
    train.add_argument("--vectors", type=Path, help="word2vec file (.bin or text); trained with gensim by default")
    train.add_argument("--dimensions", type=int, default=100, help="of the vectors trained (default: 100)")
    train.add_argument("--min-count", type=int, default=100, help="rarer words get no vector (default: 100)")
    train.add_argument("--mask", type=float, default=0.5, help="probability to hide a signal token (default: 0.5)")
    train.add_argument("--uncertain", choices=["target", "drop", "weight"], default="target")
    train.add_argument("--filters", type=int, default=182, help="of each width (default: 182)")
    train.add_argument("--dropout", type=float, default=0.27)
    train.add_argument("--static", action="store_true", help="do not train the vectors on")
    train.add_argument("--batch-size", type=int, default=2816)
    train.add_argument("--check-every", type=int, default=500, help="steps between two checks (default: 500)")
    train.add_argument("--patience", type=int, default=5, help="checks without improvement (default: 5)")
    train.add_argument("--max-checks", type=int, default=1000)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--device", default="cpu")
    train.set_defaults(run=_train)

    for command in (label, train):
        command.add_argument("--column", default="text", help="column of the texts (default: text)")
        command.add_argument(
            "--lexicon", action="append", metavar="LEXICON", help=f"{_LEXICA}; of several the first one wins"
        )
        command.add_argument("--classes", nargs="+", default=SENTIMENT, help="class columns of CSV files")
        command.add_argument(
            "--default", nargs="+", type=float, default=(0.25, 0.5, 0.25), help="probabilities without any signal"
        )
    return parser.run(arguments)


def _label(options: argparse.Namespace) -> None:
    if options.processes is not None and options.processes < 1:
        raise value_error("--processes", "at least 1", options.processes)
    lexicon = _lexicon(options)
    labeler = (
        AverageLabeler(lexicon, classes=lexicon.classes)
        if options.method == "average"
        else LexiconLabeler(lexicon, default=options.default)
    )
    summary = label_corpus(
        labeler,
        options.sources,
        options.out,
        column=options.column,
        prefix=options.prefix,
        processes=options.processes,
        progress=options.progress,
    )
    sys.stdout.write(_described(summary))


def _train(options: argparse.Namespace) -> None:
    from .neural import train_textcnn

    labeler = LexiconLabeler(_lexicon(options), default=options.default)
    texts = _texts(options.sources, options.column)
    labels = labeler.label(texts)
    options.out.mkdir(parents=True, exist_ok=True)
    emotes = sorted(getattr(labeler.tokenizer, "emotes", ()))
    if options.vectors:
        vectors = read_word2vec(options.vectors)
    else:
        sentences = [labeler.tokenizer(text)[0] for text in texts]
        settings = {"dimensions": options.dimensions, "min_count": options.min_count, "seed": options.seed}
        vectors = train_word2vec(sentences, **settings)
    names = ["mask", "uncertain", "filters", "dropout", "static", "batch_size", "check_every", "patience", "max_checks"]
    settings = {name: getattr(options, name) for name in [*names, "seed", "device"]}
    checkpoint = options.out / "checkpoint.safetensors"
    trained = train_textcnn(texts, labels, vectors, emotes=emotes, checkpoint=checkpoint, **settings)
    trained.model.save(options.out)
    checkpoint.unlink()
    predicted = trained.model.predict(texts)
    same = float((predicted == labels.label)[trained.held_out].mean())
    changed = relabelled(labels, predicted)
    sys.stdout.write(
        f"{len(texts):,} texts, {len(vectors.words):,} words; lowest validation loss {min(trained.losses):.4f} "
        f"at check {trained.best + 1} of {len(trained.losses)}\n{same:.1%} of the texts held out keep their label\n"
        f"{sum(changed.values()):,} of {int((~labels.covered).sum()):,} texts without signal get another label: "
        f"{', '.join(f'{name} {count:,}' for name, count in changed.items()) or 'none'}\n"
    )


def _texts(sources: Sequence[Path], column: str) -> list[str]:
    texts = []
    for source in sources:
        with naming(source, "a Parquet file"):
            table = pq.read_table(source)
        if column not in table.column_names:
            raise value_error("--column", f"one of {table.column_names}, as {source} has", column)
        texts += to_arrow(table[column]).drop_null().to_pylist()
    return texts


def _described(summary: CorpusSummary) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in summary.labels.most_common())
    return (
        f"{summary.messages:,} messages in {summary.shards} shards ({summary.found} found finished), "
        f"{summary.seconds:.1f} s\n{summary.covered:,} with signal tokens; {counts}\n"
    )


def _lexicon(options: argparse.Namespace) -> Lexicon:
    first, *others = [_read(name, options.classes) for name in options.lexicon or ["twitch", "vader"]]
    return first.merge(*others)


def _read(name: str, classes: Sequence[str]) -> Lexicon:
    kind, _, path = name.partition(":")
    if name == "vader":
        return Lexicon.from_vader()
    if name == "twitch":
        return Lexicon.twitch_emotes()
    if kind == "emoji":
        return Lexicon.from_emoji_ranking(path)
    if kind == "votes":
        return Lexicon.from_votes(path, classes=classes)
    if name.endswith(".csv"):
        return Lexicon.from_csv(name, classes=classes)
    if name.endswith(".parquet"):
        return Lexicon.load(name)
    raise value_error("--lexicon", _LEXICA, name)
