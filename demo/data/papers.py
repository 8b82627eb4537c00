"""Papers and the venues they appeared at, from the public JSON lists of papercopilot/paperlists.

The lists state no licence, so neither they nor text from them are in this repository. To make the table, clone
https://github.com/papercopilot/paperlists (the numbers are from commit 33f9884) and run
``python -m demo.data.papers path/to/paperlists``.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from demo.data.cache import CACHE

VARIABLE = "PRIORKIT_PAPERS"
COLUMNS = ("title", "abstract", "keywords", "venue", "edition")
FEWEST, MOST, SHORTEST = 400, 1200, 40  # papers of a venue, and words of an abstract
NOT_THERE = {"reject", "withdraw", "desk reject"}


def papers_path() -> Path:
    """Return where the table is, or would be."""
    return Path(os.environ.get(VARIABLE) or CACHE / "papers.parquet")


def load_papers() -> dict[str, list[str | None]] | None:
    """Return the columns, or nothing when there is no table."""
    path = papers_path()
    return pq.read_table(path).to_pydict() if path.exists() else None


def make_table(lists: Path) -> pa.Table:
    """Draw up to 1,200 papers of each venue that has 400 with an abstract or more."""
    rows = []
    for folder in sorted(path for path in lists.iterdir() if path.is_dir()):
        papers = {}
        for file in sorted(folder.glob(f"{folder.name}[0-9]*.json")):
            for paper in json.loads(file.read_text(encoding="utf-8")):
                title, abstract = (" ".join((paper.get(key) or "").split()) for key in ("title", "abstract"))
                refused = (paper.get("status") or "").lower() in NOT_THERE
                if title and len(abstract.split()) >= SHORTEST and not refused:
                    papers[title.lower()] = (title, abstract, paper.get("keywords") or None, folder.name, file.stem)
        if len(papers) >= FEWEST:
            drawn = random.Random(0).sample(sorted(papers), min(MOST, len(papers)))
            rows += [papers[title] for title in drawn]
    return pa.table(dict(zip(COLUMNS, map(list, zip(*rows, strict=True)))))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python -m demo.data.papers PAPERLISTS, a clone of github.com/papercopilot/paperlists")
    table = make_table(Path(sys.argv[1]))
    target = papers_path()
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target, compression="zstd")
    print(f"{target}: {table.num_rows} papers of {len(table['venue'].unique())} venues")
