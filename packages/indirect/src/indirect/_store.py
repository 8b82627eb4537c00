"""Image embeddings on disk, computed once, with the encoder that made them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._core import atomic_path, track, value_error
from ._encoder import Encoder
from ._images import open_image

_FORMAT = "indirect embedding store 1"
_SHARD = 256
_BLOCK = 65_536


class EmbeddingStore:
    """A folder with one row per image: a memory-mapped matrix, the ids, and the identity of the encoder.

    Iterating yields blocks of rows, so a store may be larger than memory.

    Args:
        folder: one that ``build`` has finished.

    Attributes:
        embeddings: memory-mapped ``(n, d)``, float16 or float32.
        ids: the path of each row's image, as given.
        skipped: ``(id, reason)`` of each image that did not decode.
        encoder_identity: name and fingerprints of weights and preprocessing.

    Raises:
        FileNotFoundError: no finished store there.
        ValueError: another kind of folder, or a damaged one.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        description = _read_json(self.folder / "store.json")
        if not isinstance(description, dict) or description.get("format") != _FORMAT:
            raise value_error(str(folder), f"a folder in the format {_FORMAT!r}", "another one")
        try:
            self.ids: list[str] = list(description["ids"])
            self.skipped: list[tuple[str, str]] = [(name, reason) for name, reason in description["skipped"]]
            self.encoder_identity: str = description["encoder"]
        except (KeyError, TypeError, ValueError) as error:
            raise value_error(str(folder), "store.json with ids, skipped and encoder", repr(error)) from error
        try:
            # Not np.load: it takes what begins like a zip archive for one, and leaves it open when it is none.
            self.embeddings: NDArray[Any] = np.lib.format.open_memmap(self.folder / "embeddings.npy", mode="r")
        except FileNotFoundError:
            raise
        # The parser of a damaged header raises whatever it met.
        except Exception as error:
            raise value_error(str(folder), "embeddings.npy with numbers", str(error)) from error
        if getattr(self.embeddings, "ndim", 0) != 2 or self.embeddings.dtype.kind != "f":
            raise value_error(str(folder), "embeddings.npy with floats (n, d)", repr(self.embeddings))
        if len(self.embeddings) != len(self.ids):
            raise value_error(str(folder), f"{len(self.ids)} rows, as many as ids", len(self.embeddings))

    @classmethod
    def build(
        cls,
        folder: str | os.PathLike[str],
        images: Sequence[str | os.PathLike[str]],
        encoder: Encoder,
        *,
        dtype: Literal["float16", "float32"] = "float16",
        projected: bool = True,
        progress: bool | None = None,
    ) -> EmbeddingStore:
        """Embed images into a folder; killed at any time, the same call goes on where it stopped.

        Args:
            folder: made if there is none.
            images: paths, which become the ids. Files that do not decode are listed in ``skipped``.
            encoder: embeds the images.
            dtype: of the stored rows.
            projected: as for ``encoder.encode_image``.
            progress: bar on standard error; ``None`` only in a terminal.

        Returns:
            The finished store.

        Raises:
            ValueError: no images, none that decodes, or a folder begun with other images, options or another encoder.
        """
        if dtype not in ("float16", "float32"):
            raise value_error("dtype", "'float16' or 'float32'", repr(dtype))
        names = [os.fspath(image) for image in images]
        if not names:
            raise value_error("images", "at least one path", names)
        identity = encoder.identity if projected else f"{encoder.identity}, before the map"
        folder = Path(folder)
        shards = folder / "shards"
        shards.mkdir(parents=True, exist_ok=True)
        _claim(folder / "plan.json", {"images": names, "encoder": identity, "dtype": dtype})
        if not (folder / "store.json").exists():
            starts = range(0, len(names), _SHARD)
            for start in track(starts, "embedding", progress=progress):
                report = shards / f"{start:09}.json"
                if not report.exists():
                    _embed_shard(report, names[start : start + _SHARD], encoder, dtype, projected)
            _join(folder, [shards / f"{start:09}.json" for start in starts], identity, dtype)
        shutil.rmtree(shards)
        for pattern in (".plan-????????.json", ".embeddings-????????.npy", ".store-????????.json"):
            for unfinished in folder.glob(pattern):  # by a killed run
                unfinished.unlink()
        return cls(folder)

    def __len__(self) -> int:
        """Return the number of embedded images."""
        return len(self.ids)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Iterate over blocks of rows."""
        return (self.embeddings[start : start + _BLOCK] for start in range(0, len(self), _BLOCK))

    def __repr__(self) -> str:
        """Return folder, shape and encoder."""
        return f"EmbeddingStore({str(self.folder)!r}: {self.embeddings.shape}, {self.encoder_identity})"


def _claim(path: Path, plan: dict[str, Any]) -> None:
    """Write what the folder is going to hold, or check that it is the same."""
    if not path.exists():
        _write_json(path, plan)
        return
    begun = _read_json(path)
    for name, value in plan.items():
        if begun[name] != value:
            raise value_error(name, f"what the store {path.parent} was begun with ({begun[name]!r})", value)


def _embed_shard(report: Path, names: list[str], encoder: Encoder, dtype: str, projected: bool) -> None:
    images, ids, skipped = [], [], []
    for name in names:
        try:
            images.append(open_image(name))
            ids.append(name)
        except (ValueError, OSError) as error:
            skipped.append((name, str(error)))
    if images:
        rows = encoder.encode_image(images, projected=projected).cpu().numpy().astype(dtype)
        if not np.isfinite(rows).all():
            raise value_error("dtype", "one that holds the embeddings ('float32')", dtype)
        with atomic_path(report.with_suffix(".npy")) as temporary:
            np.save(temporary, rows)
    # The report comes last: a shard without one is computed again.
    _write_json(report, {"ids": ids, "skipped": skipped})


def _join(folder: Path, reports: list[Path], identity: str, dtype: str) -> None:
    contents = [_read_json(report) for report in reports]
    ids = [name for content in contents for name in content["ids"]]
    skipped = [pair for content in contents for pair in content["skipped"]]
    if not ids:
        raise value_error("images", "at least one that decodes", f"{len(skipped)} that do not, the first {skipped[0]}")
    parts = [report.with_suffix(".npy") for report, content in zip(reports, contents) if content["ids"]]
    width = np.load(parts[0], mmap_mode="r").shape[1]
    with atomic_path(folder / "embeddings.npy") as temporary:
        matrix = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=(len(ids), width))
        row = 0
        for part in parts:
            rows = np.load(part)
            matrix[row : row + len(rows)] = rows
            row += len(rows)
        matrix.flush()
        del matrix
    _write_json(folder / "store.json", {"format": _FORMAT, "encoder": identity, "ids": ids, "skipped": skipped})


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise value_error(str(path), "JSON", str(error)) from error


def _write_json(path: Path, content: object) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
