"""Papers from files, tables and mappings."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._checks import as_list
from ._core import import_extra, type_error, value_error

Data = Any
"""A path to a .parquet, .csv or .jsonl file, a mapping of columns, or a table of pyarrow, pandas or polars."""


@dataclass(frozen=True)
class Papers:
    """The text of each field, one per paper, and the venue of each paper, or no venues."""

    texts: dict[str, list[str]]
    venues: list[str]

    def __len__(self) -> int:
        """Return the number of papers."""
        return len(next(iter(self.texts.values())))

    def take(self, rows: Iterable[int]) -> Papers:
        """Return some of the papers."""
        chosen = [int(row) for row in rows]
        texts = {field: [column[row] for row in chosen] for field, column in self.texts.items()}
        return Papers(texts, [self.venues[row] for row in chosen] if self.venues else [])


def read_papers(data: Data, fields: Sequence[str], label: str | None) -> Papers:
    """Read the columns of the fields and, if there is one, of the label.

    A text that is null is an empty one. A label that is null or empty is an error, and so is a missing column.
    """
    columns = _columns(data, [*fields, label] if label else [*fields])
    place = f"{data}, " if isinstance(data, (str, os.PathLike)) else ""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise value_error("data", "columns of one length", lengths)
    if not lengths[fields[0]]:
        raise value_error("data", "at least one paper", "none")
    texts = {field: [_text(value, field, row) for row, value in enumerate(columns[field])] for field in fields}
    venues = [_text(value, label, row) for row, value in enumerate(columns[label])] if label else []
    for row, venue in enumerate(venues):
        if not venue.strip():
            raise value_error(f"{place}column {label!r}", "a label for each paper", f"none in row {row}")
    return Papers(texts, venues)


def clean_text(text: str) -> str:
    """Replace lone surrogates, which no file and no browser takes, and keep the length."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(value: object, column: str, row: int) -> str:
    if isinstance(value, str):
        return clean_text(value)
    if value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType":
        return ""
    raise type_error(f"column {column!r}, row {row}", "a string or null", value)


def _columns(data: Data, names: list[str]) -> dict[str, list[object]]:
    if isinstance(data, (str, os.PathLike)):
        source = str(data)
        data = _read_file(Path(data))
    else:
        source = "data"
    # pyarrow and HuggingFace say column_names, pandas and polars columns, a mapping has only its keys.
    there = next((getattr(data, name) for name in ("column_names", "columns") if hasattr(data, name)), None)
    if there is None:
        if not isinstance(data, Mapping):
            raise type_error("data", "a path, a mapping of columns or a table", data)
        there = data.keys()
    there = list(there)
    for name in names:
        if name not in there:
            raise value_error(source, f"a column {name!r}", f"the columns {there}")
    columns: dict[str, list[object]] = {}
    for name in names:
        column = data[name]
        listed = column.to_pylist() if hasattr(column, "to_pylist") else column
        columns[name] = as_list(f"column {name!r}", listed, "a sequence of texts")
    return columns


def _read_file(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".parquet":
        parquet = import_extra("pyarrow.parquet", package="wheretosubmit", extra="parquet")
        try:
            table: Mapping[str, Any] = parquet.read_table(path)
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:  # pyarrow reports a broken file with either
            raise value_error(str(path), "a Parquet file", str(error)) from error
        return table
    readers = {".csv": _csv_records, ".jsonl": _json_records}
    if path.suffix not in readers:
        raise value_error(str(path), "a .parquet, .csv or .jsonl file", f"suffix {path.suffix!r}")
    try:
        records = list(readers[path.suffix](path))
    except (csv.Error, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise value_error(str(path), f"a {path.suffix} file in UTF-8", str(error)) from error
    there = dict.fromkeys(key for record in records for key in record)
    return {key: [record.get(key) for record in records] for key in there}


def _csv_records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        for number, row in enumerate(reader, start=2):
            if len(row) != len(header):
                raise value_error(f"{path}, record {number}", f"{len(header)} values", len(row))
            yield dict(zip(header, row))


def _json_records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise type_error(f"{path}, line {number}", "a JSON object", record)
                yield record
