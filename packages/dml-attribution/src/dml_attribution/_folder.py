"""A folder of attribution maps: written image by image, so that a run can be resumed."""

from __future__ import annotations

import json
import re
import tokenize
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._attribution import EmbeddingAttribution
from ._core import atomic_path, import_extra, track, value_error
from ._figures import overlay

_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_SETTINGS = "settings.json"
_TEMPORARY = re.compile(r"\..+-[0-9a-f]{8}\.(npy|png|json)")  # what atomic_path writes to
_SHARED = ("n_samples", "noise", "order", "seed")  # what two models must agree on


def write_maps(
    images: Path,
    out: Path,
    attribution: EmbeddingAttribution,
    transform: Callable[[Any], Tensor],
    settings: Mapping[str, Any],
    *,
    progress: bool | None = None,
) -> tuple[int, dict[str, str]]:
    """Write ``<image>.npy`` (the map) and ``<image>.png`` (its overlay) for each image that has none yet.

    Hidden files and folders are left alone, but for what a killed run left half written in ``out``, which is removed.

    Returns:
        The number of maps in the folder, and the error per image that could not be read.
    """
    library = import_extra("PIL.Image", package="dml-attribution", extra="cli")
    found = (path for path in _visible(images, "*") if path.suffix.lower() in _SUFFIXES)
    paths = sorted(path for path in found if out not in path.parents)
    if not paths:
        raise value_error(str(images), f"a folder with images ({', '.join(_SUFFIXES)})", "none")
    _match_settings(out, settings)
    for path in out.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)
    failed: dict[str, str] = {}
    for path in track(paths, "maps", progress=progress):
        name = path.relative_to(images)
        drawing = out / f"{name}.png"
        if drawing.exists():  # it is written last
            continue
        try:
            with library.open(path) as file:
                picture = file.convert("RGB")
            inputs = transform(picture)[None]
        except (OSError, ValueError, SyntaxError, library.DecompressionBombError) as error:
            failed[str(name)] = str(error)
            continue
        values = attribution.attribute(
            inputs.to(settings["device"]),
            n_samples=settings["n_samples"],
            noise=settings["noise"],
            order=settings["order"],
            generator=torch.Generator().manual_seed(settings["seed"]),
            progress=False,
        )[0]
        array = values.float().cpu().numpy()
        drawing.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(out / f"{name}.npy") as temporary:
            np.save(temporary, array, allow_pickle=False)
        # What the model saw, back in [0, 1]: the file itself may be cropped differently.
        low, high = inputs.min(), inputs.max()
        shown = overlay((inputs[0] - low) / (high - low).clamp_min(1e-12), array)
        with atomic_path(drawing) as temporary:
            library.fromarray(shown).save(temporary)
    return len(paths) - len(failed), failed


def read_maps(folders: Mapping[str, Path]) -> Iterator[dict[str, Tensor]]:
    """Yield the maps ``(1, h, w)`` of each image under every model.

    Raises:
        ValueError: the folders hold maps of different images, or they were written with different settings.
    """
    first, *others = folders
    listed = {
        name: sorted(path.relative_to(folder) for path in _visible(folder, "*.npy")) for name, folder in folders.items()
    }
    shared = {name: _shared_settings(folder) for name, folder in folders.items()}
    for name in others:
        if listed[name] != listed[first]:
            differing = sorted(map(str, set(listed[name]) ^ set(listed[first])))
            raise value_error(str(folders[name]), f"maps of the images in {folders[first]}", f"not both of {differing}")
        if shared[name] != shared[first]:
            raise value_error(str(folders[name]), f"the settings of {folders[first]}, {shared[first]}", shared[name])
    for path in listed[first]:
        yield {name: _read_map(folder / path) for name, folder in folders.items()}


def _visible(folder: Path, pattern: str) -> Iterator[Path]:
    for path in folder.rglob(pattern):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _read_map(path: Path) -> Tensor:
    try:
        with path.open("rb") as file:
            values = np.load(file, allow_pickle=False)
        if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind != "f":
            raise ValueError("no (h, w) of floating-point numbers")
    # What numpy raises for a broken file depends on the place that is broken.
    except (EOFError, ValueError, tokenize.TokenError, zipfile.BadZipFile) as error:
        raise value_error(str(path), "a map written by 'dml-attribution maps'", str(error)) from error
    return torch.from_numpy(values)[None]


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise value_error(str(path), "settings in JSON", str(error)) from error
    if not isinstance(settings, dict) or not set(_SHARED) <= set(settings):
        raise value_error(str(path), f"settings with {', '.join(_SHARED)}", settings)
    return settings


def _match_settings(out: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings, or raise when the folder was begun with others."""
    path = out / _SETTINGS
    if path.exists():
        begun = _read_settings(path)
        if begun != settings:
            raise value_error("--out", f"a new folder, or the settings it was begun with, {begun}", dict(settings))
    else:
        out.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _shared_settings(folder: Path) -> dict[str, Any]:
    path = folder / _SETTINGS
    if not path.is_file():
        raise value_error(str(folder), "a folder written by 'dml-attribution maps'", f"no {_SETTINGS}")
    settings = _read_settings(path)
    return {key: settings[key] for key in _SHARED}
