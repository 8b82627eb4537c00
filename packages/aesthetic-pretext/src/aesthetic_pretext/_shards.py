"""Variants of whole folders on disk, for training jobs that read rather than render."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from PIL import Image

from ._checks import local_path, one_of, seed_number, side, whole_number
from ._core import atomic_path, import_extra, track, value_error
from ._images import listed_files, load_image
from ._unfinished import end_with_parent, remove_unfinished
from ._variants import SIZE, VARIANTS, iterate_variants

Format: TypeAlias = Literal["webdataset", "parquet"]
Row: TypeAlias = dict[str, Any]
MANIFEST = "manifest.json"


class VariantRows:
    """Turn the row of a photograph into the rows of its 174 variants, as ``flat_map`` of Ray Data wants it.

    ``ray.data.from_items([{"path": path} for path in paths]).flat_map(VariantRows())``

    Args:
        size: side of the variants in pixels.
        seed: of noise and of the angle of motion.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.png"
        >>> Image.new("RGB", (30, 20), "olive").save(path)
        >>> rows = VariantRows(size=16)({"path": str(path)})
        >>> len(rows), rows[3]["distortion"], rows[3]["level"], rows[3]["image"][1:4]
        (174, 'jpeg_compression', 1, b'PNG')
    """

    def __init__(self, size: int = SIZE, seed: int = 0) -> None:
        self.size, self.seed = size, seed

    def __call__(self, row: Row) -> list[Row]:
        """Return rows with ``path``, ``distortion`` (None for a reference), ``level``, ``reference`` and PNG bytes.

        Raises:
            OSError: the file cannot be read as an image.
        """
        made = iterate_variants(load_image(row["path"]), VARIANTS, size=self.size, seed=self.seed)
        return [
            {
                "path": str(row["path"]),
                "distortion": variant.distortion,
                "level": variant.level,
                "reference": variant.reference,
                "image": _png(variant.image),
            }
            for variant in made
        ]


@dataclass(frozen=True)
class Shards:
    """What `make_variants` did.

    Attributes:
        files: all shards, in the order of their photographs.
        new: how many of them were made now.
        failed: photographs that cannot be read, with the reason.
    """

    files: list[Path] = field(repr=False)
    new: int
    failed: dict[str, str]


def make_variants(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    format: Format = "webdataset",
    photos_per_shard: int = 8,
    size: int = SIZE,
    seed: int = 0,
    num_workers: int | None = None,
    progress: bool | None = None,
) -> Shards:
    """Write all variants of the photographs of a folder; what was written before is kept.

    A shard exists whole or not at all, and its name depends on its photographs, size and seed, so a stopped run goes
    on where it was. ``manifest.json`` lists shards and photographs that failed.

    Args:
        source: folder of image files, or a list of files.
        out: folder for the shards, made if there is none.
        format: ``"webdataset"`` (tar of PNG and JSON) or ``"parquet"`` (extra ``parquet``).
        photos_per_shard: photographs per shard, each with 174 images.
        size: side of the variants in pixels.
        seed: of noise and of the angle of motion.
        num_workers: processes; all cores by default.
        progress: show a progress bar; by default in a terminal only.

    Returns:
        Shards and failures.

    Raises:
        ValueError: there is no image, an option does not fit, or ``manifest.json`` is damaged.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> Image.new("RGB", (30, 20), "olive").save(folder / "a.png")
        >>> make_variants(folder, folder / "shards", size=16, num_workers=1)
        Shards(new=1, failed={})
        >>> make_variants(folder, folder / "shards", size=16, num_workers=1)
        Shards(new=0, failed={})
    """
    one_of("format", format, tuple(WRITERS))
    whole_number("photos_per_shard", photos_per_shard, 1)
    if num_workers is not None:
        whole_number("num_workers", num_workers, 1)
    size, seed = side(size), seed_number(seed)
    if format == "parquet":
        import_extra("pyarrow", package="aesthetic-pretext", extra="parquet")
    paths = listed_files(source)
    folder = local_path("out", out)
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for number, first in enumerate(range(0, len(paths), photos_per_shard)):
        part = paths[first : first + photos_per_shard]
        suffix = {"webdataset": ".tar", "parquet": ".parquet"}[format]
        jobs.append((folder / f"variants-{number:06d}-{_digest(part, size, seed)}{suffix}", part, size, seed, format))
    remove_unfinished(folder / MANIFEST, *(job[0] for job in jobs))
    manifest = _manifest(folder / MANIFEST)
    todo = [job for job in jobs if not (job[0].is_file() and job[0].name in manifest)]
    for job, failed in zip(todo, track(_results(todo, num_workers), "shards", total=len(todo), progress=progress)):
        manifest[job[0].name] = failed
        with atomic_path(folder / MANIFEST) as temporary:
            temporary.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    every = {path: reason for job in jobs for path, reason in manifest[job[0].name].items()}
    return Shards([job[0] for job in jobs], len(todo), every)


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    """Return the finished shards of a folder, and the photographs of each that failed."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if not isinstance(found, dict) or not all(isinstance(failed, dict) for failed in found.values()):
            raise ValueError("other JSON")
    except (ValueError, RecursionError) as error:
        raise value_error(str(path), "the list of shards that make-variants wrote", str(error)) from error
    return found


def _results(
    jobs: list[tuple[Path, list[Path], int, int, Format]], num_workers: int | None
) -> Iterator[dict[str, str]]:
    workers = min(num_workers or os.cpu_count() or 1, max(1, len(jobs)))
    if workers == 1:
        yield from map(_make_shard, jobs)
        return
    # A forked process could inherit a lock that some thread of this one holds.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        yield from pool.map(_make_shard, jobs)


def _make_shard(job: tuple[Path, list[Path], int, int, Format]) -> dict[str, str]:
    """Write one shard; return the photographs that failed."""
    target, paths, size, seed, format_name = job
    rows: list[Row] = []
    failed = {}
    for path in paths:
        try:
            rows += VariantRows(size, seed)({"path": str(path)})
        except OSError as error:
            failed[str(path)] = str(error)
    with atomic_path(target) as temporary:
        WRITERS[format_name](temporary, rows)
    return failed


def _write_tar(path: Path, rows: list[Row]) -> None:
    with tarfile.open(path, "w") as archive:
        for number, row in enumerate(rows):
            labels = {name: row[name] for name in ("path", "distortion", "level", "reference")}
            for suffix, data in (("json", json.dumps(labels).encode()), ("png", row["image"])):
                member = tarfile.TarInfo(f"{number:06d}.{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def _write_parquet(path: Path, rows: list[Row]) -> None:
    arrow = import_extra("pyarrow", package="aesthetic-pretext", extra="parquet")
    parquet = import_extra("pyarrow.parquet", package="aesthetic-pretext", extra="parquet")
    kinds = {"path": "string", "distortion": "string", "level": "int8", "reference": "string", "image": "binary"}
    schema = arrow.schema([(name, getattr(arrow, kind)()) for name, kind in kinds.items()])
    parquet.write_table(arrow.Table.from_pylist(rows, schema=schema), path)


WRITERS: dict[str, Callable[[Path, list[Row]], None]] = {"webdataset": _write_tar, "parquet": _write_parquet}


def _png(image: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _digest(paths: list[Path], size: int, seed: int) -> str:
    """Return a hash of names, sizes and times of change of photographs and of the options."""
    stats = [(str(path), *((s.st_size, s.st_mtime_ns) if (s := _stat(path)) else ())) for path in paths]
    return hashlib.sha256(repr((stats, size, seed)).encode()).hexdigest()[:12]


def _stat(path: Path) -> os.stat_result | None:
    return path.stat() if path.exists() else None
