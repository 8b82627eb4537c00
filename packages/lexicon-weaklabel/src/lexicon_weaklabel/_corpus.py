"""Labels for Parquet files of any size: streamed, on all cores, resumable."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ._checks import check_count, check_path, check_type, checked_tuple
from ._core import atomic_path, value_error
from ._labeler import Labeler
from ._sources import naming

_ROWS = 1 << 16
# A worker process sets these once, at its start.
_labeler: Labeler[Any]
_columns: dict[str, str]
_done: Any
_MANIFEST = "_manifest.json"  # Parquet readers pass over names with an underscore


@dataclass
class CorpusSummary:
    """What a run over a corpus did.

    Attributes:
        messages: number of rows in all shards.
        covered: number of rows with a token of the lexicon.
        labels: number of rows per class; rows with a null text have none.
        shards: number of shards.
        found: number of shards that an earlier run had finished.
        seconds: duration of this run.
    """

    messages: int = 0
    covered: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    shards: int = 0
    found: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class _Shard:
    source: str
    row_group: int
    rows: int
    target: str


def label_corpus(
    labeler: Labeler[Any],
    sources: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    column: str = "text",
    prefix: str = "",
    processes: int | None = None,
    progress: bool | None = None,
) -> CorpusSummary:
    """Label Parquet files; each row group becomes one file of ``out``, with the input's columns and the labels.

    A file of ``out`` exists whole or not at all, so a run that was killed is continued by calling this again: finished
    row groups are kept. Memory depends on the size of a batch, not of the corpus.

    Args:
        labeler: a ``LexiconLabeler`` or ``AverageLabeler``.
        sources: Parquet files, or folders whose ``.parquet`` files are taken in the order of their names.
        out: folder to write to; it is made if need be.
        column: name of the column of texts.
        prefix: put before the names of the new columns.
        processes: number of processes; one per core by default.
        progress: ``True`` prints messages per second to standard error, ``None`` only when it is a terminal.

    Raises:
        ValueError: no Parquet files, no such column, or ``out`` holds labels of other sources or settings.
    """
    check_type("labeler", labeler, Labeler, "a LexiconLabeler or AverageLabeler")
    for source in checked_tuple("sources", sources, "a sequence of paths"):
        check_path("sources", source)
    check_path("out", out)
    if processes is not None:
        check_count("processes", processes)
    folder, start = Path(out), time.perf_counter()
    shards = _plan(labeler, [Path(source) for source in sources], folder, column, prefix)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, shards, {"labeler": labeler.fingerprint(), "column": column, "prefix": prefix})
    todo = [shard for shard in shards if not Path(shard.target).exists()]
    count = min(processes or os.cpu_count() or 1, max(1, len(todo)))
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", 0)
    with ProcessPoolExecutor(count, context, _start_worker, (labeler, column, prefix, done)) as pool:
        pending = {pool.submit(_label_shard, shard) for shard in todo}
        try:
            _watch(pending, done, sum(shard.rows for shard in todo), progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    summary = _summary(shards, prefix)
    summary.found = len(shards) - len(todo)
    summary.seconds = time.perf_counter() - start
    return summary


def _plan(labeler: Labeler[Any], sources: list[Path], folder: Path, column: str, prefix: str) -> list[_Shard]:
    files = [file for source in sources for file in (sorted(source.glob("*.parquet")) if source.is_dir() else [source])]
    if not files:
        raise value_error("sources", "Parquet files or folders with some", [str(source) for source in sources])
    groups = []
    for file in files:
        with naming(file, "a Parquet file"), pq.ParquetFile(file) as parquet:
            schema, metadata = parquet.schema_arrow, parquet.metadata
        labeler.output_schema(schema, column=column, prefix=prefix)
        groups += [(file, group, metadata.row_group(group).num_rows) for group in range(metadata.num_row_groups)]
    return [
        _Shard(str(file), group, rows, str(folder / f"part-{number:06d}.parquet"))
        for number, (file, group, rows) in enumerate(groups)
    ]


def _claim(folder: Path, shards: list[_Shard], settings: dict[str, str]) -> None:
    """Write down what the folder is for, or check that it is for the same, and remove what a killed run left."""
    inputs = [[Path(shard.source).name, shard.row_group, shard.rows] for shard in shards]
    manifest = json.dumps({**settings, "row_groups": inputs}, indent=1)
    path = folder / _MANIFEST
    if not path.exists():
        if any(folder.glob("*.parquet")):
            raise value_error("out", "an empty folder, or one of an unfinished run", str(folder))
        with atomic_path(path) as temporary:
            temporary.write_text(manifest, encoding="utf-8")
    elif path.read_text(encoding="utf-8", errors="replace") != manifest:
        raise value_error("out", "a folder of the same sources, lexicon and settings", f"{folder} of other ones")
    for leftover in folder.glob(".part-*"):
        leftover.unlink(missing_ok=True)


def _start_worker(labeler: Labeler[Any], column: str, prefix: str, done: Any) -> None:
    global _labeler, _columns, _done
    _labeler, _columns, _done = labeler, {"column": column, "prefix": prefix}, done
    pa.set_cpu_count(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _label_shard(shard: _Shard) -> None:
    with (
        naming(shard.source, "a Parquet file"),
        pq.ParquetFile(shard.source) as parquet,
        atomic_path(shard.target) as temporary,
    ):
        schema = _labeler.output_schema(parquet.schema_arrow, **_columns)
        with pq.ParquetWriter(temporary, schema) as writer:
            for batch in parquet.iter_batches(_ROWS, row_groups=[shard.row_group]):
                writer.write_batch(_labeler.label_batch(batch, **_columns))
                with _done.get_lock():
                    _done.value += batch.num_rows


def _watch(pending: set[Future[None]], done: Any, total: int, progress: bool | None) -> None:
    shown = sys.stderr.isatty() if progress is None else progress
    start = time.perf_counter()
    while pending:
        finished, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in finished:
            future.result()
        if shown:
            rate = done.value / (time.perf_counter() - start)
            sys.stderr.write(f"\r{done.value:,} of {total:,} messages, {rate:,.0f}/s ")
            sys.stderr.flush()
    if shown:
        sys.stderr.write("\n")


def _summary(shards: list[_Shard], prefix: str) -> CorpusSummary:
    summary = CorpusSummary(shards=len(shards))
    for shard in shards:
        with pq.ParquetFile(shard.target) as parquet:
            for batch in parquet.iter_batches(_ROWS, columns=[f"{prefix}label", f"{prefix}covered"]):
                summary.messages += batch.num_rows
                summary.covered += pc.sum(batch.column(f"{prefix}covered")).as_py() or 0
                for count in pc.value_counts(batch.column(f"{prefix}label")).to_pylist():
                    if count["values"] is not None:
                        summary.labels[count["values"]] += count["counts"]
    return summary
