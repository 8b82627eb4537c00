"""What a chapter gets and what it returns; a new one is a file in ``demo/chapters`` and a name in its ``STORY``."""

from __future__ import annotations

import base64
import csv
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Settings:
    """How much a chapter computes: ``quick`` proves that it runs, ``full`` makes the numbers of the READMEs."""

    mode: Literal["quick", "default", "full"]


@dataclass(frozen=True)
class Picture:
    """A PNG image and what it shows."""

    png: str
    caption: str

    @classmethod
    def of(cls, figure: Figure, caption: str) -> Picture:
        """Draw a matplotlib figure."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=130)
        return cls(base64.b64encode(buffer.getvalue()).decode(), caption)


@dataclass(frozen=True)
class Table:
    """A Markdown table, and the note below it."""

    caption: str
    markdown: str


@dataclass
class Chapter:
    """One chapter of the report."""

    title: str
    question: str
    code: str
    thesis: str
    data: str
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


@contextmanager
def step(description: str) -> Iterator[None]:
    """Say what is being done and how long it took."""
    print(f"  {description} ...", end=" ", flush=True)
    start = time.perf_counter()
    yield
    print(f"{time.perf_counter() - start:.1f} s", flush=True)


def half_interval(values: ArrayLike) -> Any:
    """Return half of the 95 % t interval of the mean over seeds, the first axis of at least two."""
    table = np.asarray(values)
    return stats.t.ppf(0.975, len(table) - 1) * table.std(0, ddof=1) / len(table) ** 0.5


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table: the first column to the left, the others to the right."""
    widths = [max(3, *map(len, column)) for column in zip(header, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [[cell.ljust(width) for cell, width in zip(line, widths)] for line in [header, rule, *rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@contextmanager
def results_csv(name: str, *header: str) -> Iterator[Any]:
    """Yield the writer of ``demo/results/NAME.csv``, whose first line is written."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        yield writer
