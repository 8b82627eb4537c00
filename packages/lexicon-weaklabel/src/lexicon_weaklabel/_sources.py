"""Files that lexica come from."""

from __future__ import annotations

import ast
import csv
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ._checks import check_number, check_path
from ._core import import_extra, type_error, value_error

# Table 15.1: votes for negative, neutral and positive.
TWITCH_EMOTES = {
    "FeelsBadMan": (71, 17, 19),
    "FeelsGoodMan": (1, 7, 98),
    "LUL": (11, 23, 72),
    "OMEGALUL": (17, 26, 62),
    "PogChamp": (1, 3, 101),
    "Jebaited": (25, 27, 37),
    "mcaT": (10, 34, 12),
    "forsenPls": (13, 26, 17),
    "PepoDance": (9, 26, 20),
    "RedCoat": (5, 46, 4),
    "jinnytHype": (7, 31, 17),
}


@contextmanager
def naming(path: str | os.PathLike[str], expected: str) -> Iterator[None]:
    """Name the file in every error that its content leads to."""
    try:
        yield
    # pyarrow reports a broken file with OSError, KeyError or its own ValueError, JSON a deep one with RecursionError.
    except (AttributeError, KeyError, OSError, RecursionError, RuntimeError, TypeError, ValueError) as error:
        if (os.fspath(path) in str(error) and ": expected " in str(error)) or (
            isinstance(error, OSError) and error.errno
        ):
            raise  # it names the file already, or is about a disk and no content
        raise value_error(os.fspath(path), expected, f"{type(error).__name__}: {error}") from error


def read_csv(path: str | os.PathLike[str], wanted: Sequence[str], delimiter: str) -> dict[str, list[str]]:
    """Return the wanted columns of a CSV file with a header."""
    check_path("path", path)
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise type_error("delimiter", "a string of one character", delimiter)
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        try:
            rows = [row for row in csv.reader(file, delimiter=delimiter, strict=True) if row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise value_error(str(path), "a CSV file in UTF-8", str(error)) from error
    header = rows[0] if rows else []
    if missing := [name for name in wanted if name not in header]:
        raise value_error(str(path), f"the columns {list(wanted)}", f"{header} without {missing}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise value_error(f"{path}, record {number}", f"{len(header)} fields", len(row))
    return {name: [row[header.index(name)] for row in rows[1:]] for name in wanted}


def to_numbers(path: str | os.PathLike[str], column: str, fields: Sequence[str]) -> NDArray[np.float64]:
    """Return the fields of a column as numbers."""
    try:
        return np.array([float(field) for field in fields])
    except ValueError as error:
        raise value_error(f"{path}, column {column}", "numbers", str(error)) from error


def smoothed(tokens: Sequence[str], votes: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """Return ``(votes + smoothing) / sum`` of each row."""
    check_number("smoothing", smoothing, "0 or more")
    if not 0 <= smoothing < math.inf:
        raise value_error("smoothing", "0 or more", smoothing)
    if not (votes >= 0).all():
        raise value_error("votes", "no negative numbers", f"{votes.min()}")
    counts = votes + smoothing
    totals = counts.sum(1, keepdims=True)
    if not totals.all():
        token = tokens[int(np.argmin(totals))]
        raise value_error("votes", "at least one vote per token, or smoothing > 0", f"none for {token!r}")
    return np.asarray(counts / totals)


def read_vader(
    path: str | os.PathLike[str] | None,
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return the tokens, their ratings per bin ``(n, 3)`` and their mean ratings divided by 4."""
    if path is None:
        package = import_extra("vaderSentiment", package="lexicon-weaklabel", extra="vader")
        path = Path(str(package.__file__)).with_name("vader_lexicon.txt")
    ratings: dict[str, NDArray[np.int64]] = {}
    means: dict[str, float] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            token, mean, _, listed = line.split("\t")
            ratings[token] = np.array(ast.literal_eval(listed), dtype=int)
            means[token] = float(mean)
        except (ValueError, SyntaxError) as error:
            expected = "token, mean, deviation and ratings between tabs"
            raise value_error(f"{path}, line {number}", expected, line) from error
    if not ratings:
        raise value_error(str(path), "at least one token", "none")
    votes = [[(row <= -2).sum(), (np.abs(row) <= 1).sum(), (row >= 2).sum()] for row in ratings.values()]
    return [*ratings], np.array(votes, dtype=float), np.array([*means.values()]) / 4
