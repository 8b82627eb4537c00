"""Sweeps to folders: images, label masks and a manifest, in shards that survive a crash."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ._checks import check_flag, check_path, check_type, check_whole
from ._core import atomic_path, import_extra, track, value_error
from ._png import encode_pair, encode_png
from ._render import render, render_with_labels
from ._scene import Scene
from ._style import Style, style_or_default
from ._sweep import Sweep

_Task = tuple[Path, int, Sequence[Scene], Style, bool]


def write_sweep(
    sweep: Sweep,
    out: str | os.PathLike[str],
    *,
    style: Style | None = None,
    antialias: bool = False,
    shard_size: int = 500,
    workers: int = 1,
    progress: bool | None = None,
) -> Path:
    """Write a sweep to a folder, and go on where an interrupted run stopped (extra ``cli``).

    The folder gets ``images/000000.png``, ``labels/000000.png`` (indices into ``Style.labels``), ``style.json`` and,
    when all is there, ``manifest.parquet``: one row per image with its files, factors and scene. A shard counts as done
    when its file in ``shards`` exists, which is written last; a full disk leaves no shard half done. Images without
    antialiasing are palette files: ``Image.open(path).convert("RGB")`` reads either sort.

    Args:
        sweep: what to draw.
        out: folder, new or of the same sweep.
        style: colours and widths; openstreetmap-carto by default.
        antialias: whether borders are smooth.
        shard_size: images per shard.
        workers: processes; with more than one, a script needs the guard ``if __name__ == "__main__"``.
        progress: whether to show a bar; ``None`` in a terminal only.

    Returns:
        Path of the manifest.

    Raises:
        ValueError: the folder holds another sweep.
    """
    pyarrow = import_extra("pyarrow", package="mapgen", extra="cli")
    parquet = import_extra("pyarrow.parquet", package="mapgen", extra="cli")
    check_type("sweep", sweep, Sweep, "a Sweep")
    shard_size, workers = check_whole("shard_size", shard_size, minimum=1), check_whole("workers", workers, minimum=1)
    antialias = bool(check_flag("antialias", antialias))
    check_flag("progress", progress, optional=True)
    style, folder = style_or_default(style), check_path("out", out)
    texts = [scene.to_json() for scene in sweep.scenes]
    _claim(folder, style, {"antialias": antialias, "shard_size": shard_size, "scenes": texts, "style": style.to_json()})
    names = [f"{number:06d}.png" for number in range(len(sweep))]
    columns = {"image": [f"images/{name}" for name in names], "labels": [f"labels/{name}" for name in names]}
    table = pyarrow.table({**columns, **sweep.factors, "scene": texts})
    todo: list[_Task] = [
        (folder, start, sweep.scenes[start : start + shard_size], style, antialias)
        for start in range(0, len(sweep), shard_size)
        if not _shard(folder, start).exists()
    ]
    with _mapper(min(workers, len(todo))) as run:
        for start in track(run(_draw_shard, todo), "shards", total=len(todo), progress=progress):
            with atomic_path(_shard(folder, start)) as temporary:
                parquet.write_table(table.slice(start, shard_size), temporary)
    manifest = folder / "manifest.parquet"
    with atomic_path(manifest) as temporary:
        parquet.write_table(table, temporary)
    return manifest


def _claim(folder: Path, style: Style, settings: dict[str, Any]) -> None:
    """Make the folder, or check that it is one of the same sweep and remove what a killed run left unfinished."""
    fingerprint = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
    note = folder / "sweep.sha256"
    folder.mkdir(parents=True, exist_ok=True)
    # The note comes first: a run killed before it leaves nothing but the note's own temporary file.
    if any(not path.match(".sweep-*.sha256") for path in folder.iterdir()):
        found = note.read_text(errors="replace") if note.is_file() else "other files"
        if found != fingerprint:
            raise value_error("out", "an empty folder, or one of the same sweep", str(folder))
    for pattern in (".sweep-*.sha256", ".style-*.json", ".manifest-*.parquet", "shards/.??????-*.parquet"):
        for unfinished in folder.glob(pattern):
            unfinished.unlink()
    for path, text in ((note, fingerprint), (folder / "style.json", style.to_json())):
        with atomic_path(path) as temporary:
            temporary.write_text(text)
    for name in ("images", "labels", "shards"):
        (folder / name).mkdir(exist_ok=True)


def _shard(folder: Path, start: int) -> Path:
    return folder / "shards" / f"{start:06d}.parquet"


def _draw_shard(task: _Task) -> int:
    """Draw the images of one shard and return where it starts."""
    folder, start, scenes, style, antialias = task
    for number, scene in enumerate(scenes, start):
        if antialias:
            image, labels = render_with_labels(scene, style=style, antialias=True)
            files = encode_png(image), encode_png(labels)
        else:
            files = encode_pair(render(scene, style=style, out="labels"), style.palette)
        for kind, data in zip(("images", "labels"), files):
            with open(f"{folder}/{kind}/{number:06d}.png", "wb") as file:  # noqa: PTH123  half the time of a Path
                file.write(data)
    return start


@contextmanager
def _mapper(workers: int) -> Iterator[Any]:
    if workers < 2:
        yield map
        return
    # A fresh process inherits no threads; forked ones may hang after torch has started some.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        yield pool.map


def _end_with_parent() -> None:
    """Let this worker end when its parent is killed; it would wait for tasks for ever."""

    def wait() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
