"""One table of all benchmarks: ``python -m tools.benchmarks [FILE ...]`` writes rows into BENCHMARKS.md and prints it.

A file is what ``packages/<name>/benchmarks/bench.py --json FILE`` wrote: a list of rows with the fields below, of one
package. Packages that no file names keep their rows, and the date and machine of those.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tools.workspace import ROOT

FIELDS = ["package", "case", "size", "ratio", "target", "peer"]
PLACE = ["package", "date", "machine"]
INTRODUCTION = """# Benchmarks

Each ratio is of times, rates or memory, ours and the peer's, measured in the same run; the target says which way is
better. `nox -s bench` measures all of it again and rewrites this page; `nox -s bench -- simloss` replaces the rows of
one package.
"""


def read_rows(file: Path) -> list[list[str]]:
    """Return the cells of the rows that a benchmark wrote.

    Raises:
        ValueError: there is no such file, or a row is not as described above.
    """
    if not file.is_file():
        raise ValueError(f"{file}: expected rows, got no such file; does the benchmark take --json?")
    rows = json.loads(file.read_text())
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{file}: expected a list of rows, got {rows!r}")
    return [_cells(row, file) for row in rows]


def _cells(row: Any, file: Path) -> list[str]:
    if not isinstance(row, dict) or sorted(row) != sorted(FIELDS):
        raise ValueError(f"{file}: expected a row with {', '.join(FIELDS)}, got {row!r}")
    ratio = row["ratio"]
    if not isinstance(ratio, (int, float)) or not math.isfinite(ratio):
        raise ValueError(f"{file}: expected a finite ratio, got {row!r}")
    target = re.fullmatch(r"(<=|>=) ([\d.]+)|", row["target"])
    if target is None or any("|" in str(value) for value in row.values()):
        raise ValueError(f"{file}: expected no | and a target such as '<= 1.5' or '', got {row!r}")
    cells = {**row, "ratio": f"{ratio:.3g}"}
    if target[1] and (ratio > float(target[2]) if target[1] == "<=" else ratio < float(target[2])):
        cells["target"] += ", missed"
    return [str(cells[field]) for field in FIELDS]


def machine() -> str:
    """Return the kind of this machine, and the versions that decide how fast it is."""
    file = Path("/proc/cpuinfo")
    listing = file.read_text() if file.is_file() else ""
    names = re.findall(r"^model name\s*: (.*)$", listing, flags=re.MULTILINE) or [platform.machine()]
    cores = set(re.findall(r"^physical id\s*: (\d+)$.*?^core id\s*: (\d+)$", listing, flags=re.MULTILINE | re.DOTALL))
    threads = os.cpu_count() or 1
    try:
        torch = f", torch {version('torch')}"
    except PackageNotFoundError:
        torch = ""
    return f"{names[0]}, {len(cores) or threads} cores, {threads} threads, Python {platform.python_version()}{torch}"


def update(page: str, rows: list[list[str]], date: str, place: str) -> str:
    """Return the page with the rows in the place of those of the same packages.

    Args:
        page: the page as it is; empty before the first run.
        rows: cells in the order of ``FIELDS``.
        date: when the rows were measured.
        place: where they were measured.
    """
    kept = [[cell.strip() for cell in line[1:-1].split("|")] for line in page.splitlines() if line.startswith("| ")]
    measured = {row[0] for row in rows}
    results = [row for row in kept if len(row) == len(FIELDS) and row[0] not in {"package", *measured}] + rows
    places = [row for row in kept if len(row) == len(PLACE) and row[0] not in {"package", *measured}]
    places += [[package, date, place] for package in measured]
    tables = [_table(FIELDS, sorted(results, key=lambda row: row[0])), _table(PLACE, sorted(places))]
    return "\n".join([INTRODUCTION, *tables])


def _table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |\n" for row in [head, *rows]]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|\n")
    return "".join(lines)


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Write measured rows into BENCHMARKS.md.")
    parser.add_argument("files", type=Path, nargs="*", help="what the benchmarks wrote with --json")
    options = parser.parse_args(arguments)
    page = root / "BENCHMARKS.md"
    try:
        rows = [row for file in options.files for row in read_rows(file)]
    except ValueError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    old = page.read_text() if page.is_file() else ""
    page.write_text(update(old, rows, str(datetime.datetime.now(tz=datetime.UTC).date()), machine()))
    print(page.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
