"""Many images to a folder: several processes, shards that survive a crash, the same files whoever draws them."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ._checks import location, whole_number
from ._core import atomic_path, import_extra, track, value_error
from ._default import mesh_files
from ._indices import Draw, IndexRenderer, encode_png
from ._manifest import Manifest
from ._render import blender_version


def generate(
    out: str | os.PathLike[str],
    *,
    n: int,
    seed: int = 0,
    values: Mapping[str, Sequence[Any]] | None = None,
    meshes: Manifest | None = None,
    quality: str = "preview",
    size_px: int = 224,
    workers: int = 1,
    shard_size: int = 20,
    progress: bool | None = None,
    make_renderer: Callable[[], Draw] | None = None,
) -> Path:
    """Render ``sample(n, seed)`` to a folder, and go on where an interrupted run stopped (extras ``blender``, ``cli``).

    The folder gets ``images/000000.png``, ``masks/000000.png``, ``settings.json`` and, when all is there,
    ``properties.parquet``: one row per image with its files and properties. A shard counts as done when its file in
    ``shards`` exists, which is written last; a full disk leaves no shard half done. When a worker process dies, its
    shards are drawn again. The files do not depend on the number of workers.

    Args:
        out: folder, new or of the same run.
        n: number of images.
        seed: of the properties.
        values: what some properties may be, see ``sample``.
        meshes: the car models; by default those of ``Renderer``.
        quality: ``"preview"`` or ``"photo"``.
        size_px: side of the square images.
        workers: processes; with more than one, a script needs the guard ``if __name__ == "__main__"``.
        shard_size: images per shard.
        progress: whether to show a bar with images per second and the time left; ``None`` in a terminal only.
        make_renderer: returns another function from properties to a ``Rendering``; called once in each process.

    Returns:
        Path of ``properties.parquet``.

    Raises:
        ValueError: the folder holds another run, or a value out of its domain.
        ChildProcessError: workers die again and again.
    """
    polars = import_extra("polars", package="cargen", extra="cli")
    n, workers, shard_size = (
        whole_number(name, number, 1) for name, number in (("n", n), ("workers", workers), ("shard_size", shard_size))
    )
    shard_size = min(shard_size, n)
    drawing = IndexRenderer(
        seed=seed,
        values={} if values is None else values,
        meshes=meshes,
        quality=quality,
        size_px=size_px,
        threads=max(1, (os.cpu_count() or 1) // workers),
        make_renderer=make_renderer,
    )
    folder = location("out", out)
    _claim(folder, _settings(drawing, n, shard_size))
    table = polars.DataFrame([_row(drawing, index) for index in range(n)], infer_schema_length=None)
    shards = [range(start, min(start + shard_size, n)) for start in range(0, n, shard_size)]
    todo = [shard for shard in shards if not _marker(folder, shard.start).exists()]
    finished = _in_processes(drawing, folder, todo, workers) if workers > 1 else _here(drawing, folder, todo)
    images = (index for shard in finished for index in shard)
    for index in track(images, "images", total=sum(map(len, todo)), progress=progress):
        if index % shard_size == 0:  # the first of a shard, of which all are drawn
            _write_table(_marker(folder, index), table.slice(index, shard_size))
    properties = folder / "properties.parquet"
    _write_table(properties, table)
    return properties


def _settings(drawing: IndexRenderer, n: int, shard_size: int) -> dict[str, Any]:
    """Return all that the files depend on."""
    settings = {"n": n, "shard_size": shard_size, "seed": drawing.seed, "values": drawing.values}
    settings |= {"quality": drawing.quality, "size_px": drawing.size_px, "cargen": version("cargen")}
    if drawing.make_renderer is None:
        settings["bpy"] = blender_version()
    settings["meshes"] = [
        asdict(car) | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for car, path in mesh_files(drawing.meshes, drawing.values["model"])
    ]
    return settings


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Make the folder, or check that it is one of the same run."""
    text = json.dumps(settings, indent=2) + "\n"
    note = folder / "settings.json"
    others = [path for path in folder.iterdir() if not path.match(".settings-*.json")] if folder.exists() else []
    if others and not (note.exists() and note.read_bytes() == text.encode()):
        raise value_error("out", "an empty folder, or one of the same run", str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(note) as temporary:  # the first that is there, so that a run killed at once can be gone on with
        temporary.write_text(text, encoding="utf-8")
    for name in ("images", "masks", "shards"):
        (folder / name).mkdir(exist_ok=True)
    for pattern in (".settings-*.json", ".properties-*.parquet", "shards/.*.parquet"):
        for unfinished in folder.glob(pattern):  # what a killed run was writing
            unfinished.unlink()


def _row(drawing: IndexRenderer, index: int) -> dict[str, Any]:
    """Return one row of ``properties.parquet``."""
    files = {"image": f"images/{index:06d}.png", "mask": f"masks/{index:06d}.png"}
    return files | asdict(drawing.properties(index))


def digest(folder: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the pixels that ``generate`` has written: all images in order, then all masks.

    Unlike the files themselves, pixels do not depend on the version of Pillow.

    Raises:
        FileNotFoundError: the folder has no finished run.
        ValueError: its table is not one of ``generate``.
    """
    polars = import_extra("polars", package="cargen", extra="cli")
    folder = location("folder", folder)
    try:
        table = polars.read_parquet(folder / "properties.parquet", columns=["image", "mask"])
    except polars.exceptions.PolarsError as error:
        raise value_error("folder", "one of a finished run", f"{folder}: {error}") from error
    total = hashlib.sha256()
    for kind in ("image", "mask"):
        for file in table[kind]:
            with Image.open(folder / file) as picture:
                total.update(np.asarray(picture).tobytes())
    return total.hexdigest()


def _write_table(path: Path, table: Any) -> None:
    content = io.BytesIO()  # polars has an error of its own for a full disk
    table.write_parquet(content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getvalue())


def _marker(folder: Path, start: int) -> Path:
    return folder / "shards" / f"{start:06d}.parquet"


def _here(drawing: IndexRenderer, folder: Path, todo: list[range]) -> Iterator[range]:
    for shard in todo:
        yield _draw_shard(drawing, folder, shard)


def _in_processes(drawing: IndexRenderer, folder: Path, todo: list[range], workers: int) -> Iterator[range]:
    """Yield shards as processes finish them; when a process dies, draw again what is not finished."""
    left, stuck = [*todo], 0
    while left:
        before = len(left)
        # Blender needs a fresh process: its threads do not survive a fork.
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_process)
        try:
            for future in as_completed([pool.submit(_draw_shard, drawing, folder, shard) for shard in left]):
                shard = future.result()
                yield shard
                left.remove(shard)
        except BrokenProcessPool as error:
            stuck = stuck + 1 if len(left) == before else 0
            if stuck == 2:
                raise ChildProcessError("three times in a row a worker died before any shard was done") from error
            warnings.warn(f"a worker died; {sum(map(len, left))} images are left", RuntimeWarning, stacklevel=3)
        finally:
            pool.shutdown(cancel_futures=True)


def _begin_process() -> None:
    """Let a new process end when the one that wants the images has ended."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _draw_shard(drawing: IndexRenderer, folder: Path, shard: range) -> range:
    """Draw the images and masks of one shard and return it."""
    for index in shard:
        _, rendering = drawing.draw(index)
        for kind, pixels in (("images", rendering.image), ("masks", rendering.mask)):
            (folder / kind / f"{index:06d}.png").write_bytes(encode_png(pixels))
    return shard
