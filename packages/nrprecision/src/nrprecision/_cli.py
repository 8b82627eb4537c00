"""The command ``nrprecision``."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tokenize
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._core import Parser, atomic_path, import_extra, value_error
from ._distances import DISTANCES
from ._report import excluded_notes, report_html
from ._sampling import check_independence
from .functional import normalized_r_precision

_ALPHA = 0.01  # the published level


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="nrprecision", description="Which properties of its input does an embedding encode?")
    commands = parser.add_subparsers(required=True)
    report = commands.add_parser("report", help="score every property and write a page")
    report.add_argument("embeddings", type=Path, help=".npy file, (n, d); read memory-mapped")
    report.add_argument("properties", type=Path, help=".csv or .parquet file, one row per embedding, one column each")
    report.add_argument("--out", type=Path, required=True, help="page to write")
    report.add_argument("--json", type=Path, help="also write the numbers here")
    report.add_argument("--columns", nargs="+", metavar="NAME", help="score these columns only")
    report.add_argument("--distance", choices=DISTANCES, default="euclidean")
    report.add_argument("--null", choices=["binomial", "hypergeometric"], default="binomial")
    report.add_argument("--permutations", type=int, default=0, help="label permutations for a calibrated p-value")
    report.add_argument("--queries", type=int, help="score a random sample of this many queries")
    report.add_argument("--seed", type=int, default=0, help="of the sample and the permutations")
    report.set_defaults(run=_report)
    return parser.run(arguments)


def _report(options: argparse.Namespace) -> None:
    for path in filter(None, (options.out, options.json)):
        if not path.parent.is_dir() or path.is_dir():
            raise value_error(str(path), "a file in an existing folder", "none")
    embeddings = _read_embeddings(options.embeddings)
    properties = _read_properties(options.properties, options.columns)
    settings = {
        "distance": options.distance,
        "null": options.null,
        "permutations": options.permutations,
        "queries": options.queries,
        "seed": options.seed,
    }
    scores = normalized_r_precision(embeddings, properties, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the notes say the same
        notes = excluded_notes(scores) + check_independence(properties).describe()
    n, d = embeddings.shape
    summary = (
        f"{n} embeddings of dimension {d} from {options.embeddings.name}, {len(scores.queries)} queries; "
        + ", ".join(f"{option} {value}" for option, value in settings.items() if value is not None)
    )
    _write(
        options.out,
        report_html(scores, title="What does this embedding encode?", summary=summary, alpha=_ALPHA, notes=notes),
    )
    if options.json:
        document = {"n": n, "d": d, **settings, "properties": scores.to_dict(), "notes": notes}
        _write(options.json, json.dumps(document, indent=2, allow_nan=False) + "\n")
    for name, value in scores.ranking():
        sys.stdout.write(f"{value:10.3f}  {name}\n")


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _read_embeddings(path: Path) -> np.ndarray[Any, Any]:
    try:
        embeddings = np.lib.format.open_memmap(path, mode="r")
    # What numpy raises for a broken file depends on the place that is broken.
    except (EOFError, ValueError, tokenize.TokenError) as error:
        raise value_error(str(path), "a .npy file with numbers", str(error)) from error
    if embeddings.ndim != 2:
        raise value_error(str(path), "one array (n, d)", embeddings.shape)
    return embeddings


def _read_properties(path: Path, columns: list[str] | None) -> dict[str, list[Any]]:
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix not in readers:
        raise value_error(str(path), "a .csv or .parquet file", f"suffix {path.suffix!r}")
    names, values = readers[path.suffix](path)
    if len(set(names)) < len(names):
        raise value_error(str(path), "columns with different names", names)
    table = dict(zip(names, values))
    if unknown := [name for name in columns or [] if name not in table]:
        raise value_error("--columns", f"names out of {names}", unknown)
    return {name: table[name] for name in columns or names}


def _read_csv(path: Path) -> tuple[list[str], list[list[str | None]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            names, *rows = csv.reader(file, strict=True)
        except (csv.Error, ValueError) as error:
            raise value_error(str(path), "a CSV file in UTF-8 with a header", str(error) or "an empty file") from error
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise value_error(f"{path}, record {number}", f"{len(names)} fields", len(row))
    return names, [[row[i] or None for row in rows] for i in range(len(names))]


def _read_parquet(path: Path) -> tuple[list[str], list[list[Any]]]:
    parquet = import_extra("pyarrow.parquet", package="nrprecision", extra="cli")
    try:
        table = parquet.read_table(path)
        return table.column_names, [column.to_pylist() for column in table.columns]
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow reports a broken file with any of these
        raise value_error(str(path), "a Parquet file", str(error)) from error
