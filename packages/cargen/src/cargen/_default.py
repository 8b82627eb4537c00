"""The car models that are there without a manifest: six of the game TORCS where its data are, and six of our own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ._bodies import BODIES, parametric_car
from ._core import type_error
from ._manifest import CarMesh, Manifest
from ._mesh import Part


def torcs_places() -> tuple[Path, ...]:
    """Return where the meshes of Debian's ``torcs-data`` are looked for: unpacked by the user, then installed."""
    data = Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"))  # noqa: PTH111 - never raises
    return data / "cargen/usr/share/games/torcs/cars", Path("/usr/share/games/torcs/cars")


def find_torcs() -> Manifest | None:
    """Return the six cars of TORCS, or nothing where no place has all of them."""
    for place in torcs_places():
        try:
            return Manifest.torcs(place)
        except OSError:  # it is not there, or not for us
            continue
    return None


# Looked up once, so that all of a program draws from the same models.
TORCS = find_torcs()
DEFAULT_MODELS = TORCS.names if TORCS else BODIES


def load_cars(meshes: Manifest | None) -> dict[str, list[Part]]:
    """Return the parts of all cars of a manifest; without one, of all that can be drawn without one."""
    meshes = _checked(meshes)
    if meshes is not None:
        return meshes.load()
    return {name: parametric_car(name) for name in BODIES} | (TORCS.load() if TORCS else {})


def default_models(meshes: Manifest | None) -> tuple[str, ...]:
    """Return the models that are drawn where nobody chose any."""
    meshes = _checked(meshes)
    return DEFAULT_MODELS if meshes is None else meshes.names


def known_models(meshes: Manifest | None) -> tuple[str, ...]:
    """Return the models that can be drawn."""
    meshes = _checked(meshes)
    return tuple(dict.fromkeys((*DEFAULT_MODELS, *BODIES))) if meshes is None else meshes.names


def mesh_files(meshes: Manifest | None, models: Sequence[str]) -> list[tuple[CarMesh, Path]]:
    """Return the cars among these models that come from files, and the files."""
    source = TORCS if meshes is None else meshes
    if source is None:
        return []
    return [(car, Path(source.folder) / car.file) for car in source.cars if car.name in models]


def _checked(meshes: Manifest | None) -> Manifest | None:
    if not isinstance(meshes, Manifest | None):
        raise type_error("meshes", "a Manifest or None", meshes)
    return meshes
