"""Which mesh files are cars, and what their parts are made of."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ._checks import items, location, mapping
from ._core import atomic_path, type_error, value_error
from ._materials import MATERIALS
from ._mesh import Part, direction
from ._read import read_mesh
from ._wheels import wheels

_PATTERNS = "a list of patterns for each material"


@dataclass(frozen=True)
class Wheels:
    """Wheels for a mesh that has none.

    Args:
        axles: x of the front and of the rear axle, as in the mesh after scaling: x to the front.
        track: distance between the middles of left and right wheels in metres.
        radius: of the tyres in metres.
        width: of the tyres in metres.
        ground: height in the mesh at which they stand, in metres.
    """

    axles: tuple[float, float]
    track: float
    radius: float
    width: float = 0.24
    ground: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        object.__setattr__(self, "axles", tuple(items("axles", self.axles, "x of both axles")))
        sizes = (self.track, self.radius, self.width)
        numbers = (*self.axles, *sizes, self.ground)
        if len(self.axles) != 2 or not all(_is_number(number) for number in numbers) or min(sizes) <= 0:
            raise value_error("wheels", "two axles, and positive track, radius and width", numbers)


@dataclass(frozen=True)
class CarMesh:
    """One car of a manifest.

    Args:
        name: of the car model.
        file: ``.acc``, ``.ac``, ``.obj`` or ``.glb``, relative to the manifest.
        licence: of the file.
        scale: metres per unit of the file.
        up: axis of the file that points up, such as ``"y"`` or ``"-z"``.
        forward: axis of the file that points to the front of the car.
        materials: for each material patterns of part names (``read_mesh`` tells the names), such as
            ``{"paint": ["BODY*"], "glass": ["WI*"]}``; the first pattern that fits decides, other parts are ``rest``.
        rest: material of all other parts.
        wheels: to add; the mesh has its own by default.
    """

    name: str
    file: str
    licence: str
    scale: float = 1.0
    up: str = "y"
    forward: str = "x"
    materials: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rest: str = "trim"
    wheels: Wheels | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("name", "file", "licence"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise type_error(name, "a text that is not empty", getattr(self, name))
        if not _is_number(self.scale) or self.scale <= 0:
            raise value_error("scale", "a positive number", self.scale)
        mapping("materials", self.materials, "a mapping from material to patterns")
        for material in (*self.materials, self.rest):
            if material not in MATERIALS:
                raise value_error("materials", f"some of {', '.join(MATERIALS)}", material)
        for patterns in self.materials.values():
            if not all(isinstance(pattern, str) for pattern in items("materials", patterns, _PATTERNS)):
                raise type_error("materials", _PATTERNS, patterns)
        if not isinstance(self.wheels, Wheels | None):
            raise type_error("wheels", "Wheels or None", self.wheels)
        direction("up", self.up)
        direction("forward", self.forward)

    def load(self, folder: Path) -> list[Part]:
        """Return the car's parts, named by material: x to the front, y to the left, z up, metres, on z = 0."""
        parts = [part.oriented(up=self.up, forward=self.forward) for part in read_mesh(folder / self.file)]
        parts = [Part(self._material(part.name), part.vertices * self.scale, part.triangles) for part in parts]
        if not any(part.name == "paint" for part in parts):
            raise value_error("materials", f"a part of {self.file} that is paint", dict(self.materials))
        if self.wheels is not None:
            corners = [(x, side * self.wheels.track / 2) for x in self.wheels.axles for side in (1, -1)]
            added = wheels(corners, radius=self.wheels.radius, width=self.wheels.width)
            parts += [part.placed(offset=(0, 0, self.wheels.ground)) for part in added]
        vertices = np.concatenate([part.vertices for part in parts])
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        if not 1 < high[0] - low[0] < 20:
            raise value_error("scale", "a car 1 to 20 m long", f"{self.name}, {high[0] - low[0]:.3g} m")
        middle = (low + high) / 2
        return [part.placed(offset=(-middle[0], -middle[1], -low[2])) for part in parts]

    def _material(self, part: str) -> str:
        for material, patterns in self.materials.items():
            if any(fnmatchcase(part, pattern) for pattern in patterns):
                return material
        return self.rest


@dataclass(frozen=True)
class Manifest:
    """Car meshes below one folder.

    Args:
        cars: the car models.
        folder: where their files are.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> cars = [CarMesh("mini", "mini.obj", "CC0", scale=0.01, up="z", materials={"paint": ["*/body"]})]
        >>> path = Path(tempfile.mkdtemp()) / "cars.json"
        >>> Manifest(cars, path.parent).write(path)
        >>> Manifest.read(path).names
        ('mini',)
    """

    cars: Sequence[CarMesh]
    folder: str | os.PathLike[str] = "."

    def __post_init__(self) -> None:
        """Check the names."""
        object.__setattr__(self, "cars", tuple(items("cars", self.cars, "a sequence of CarMesh")))
        object.__setattr__(self, "folder", str(location("folder", self.folder)))
        for car in self.cars:
            if not isinstance(car, CarMesh):
                raise type_error("cars", "a sequence of CarMesh", car)
        if not self.cars or len({*self.names}) < len(self.cars):
            raise value_error("cars", "at least one car, each with a name of its own", self.names)

    def __hash__(self) -> int:
        """Return the hash that goes with the equality of the fields, of which one is no hashable type."""
        return hash((self.names, self.folder))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the car models."""
        return tuple(car.name for car in self.cars)

    def load(self) -> dict[str, list[Part]]:
        """Return the parts of each car, named by material."""
        return {car.name: car.load(Path(self.folder)) for car in self.cars}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the cars as JSON, to be read by ``read``; file names stay relative to the manifest's place."""
        document = {"cars": [{k: v for k, v in asdict(car).items() if v is not None} for car in self.cars]}
        with atomic_path(location("path", path)) as temporary:
            temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Manifest:
        """Return the manifest in a JSON file.

        Raises:
            ValueError: the file is no manifest.
        """
        path = location("path", path)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise value_error("path", "a manifest of cars in JSON", f"{path}: {error}") from error
        return cls._parsed(text, path.parent, str(path))

    @classmethod
    def torcs(cls, folder: str | os.PathLike[str]) -> Manifest:
        """Return six sports cars of the game TORCS (Free Art License), which cargen does not contain.

        They are the default models once Debian's ``torcs-data`` is installed (``/usr/share/games/torcs/cars``), or
        unpacked without root rights by ``apt-get download torcs-data`` and
        ``dpkg-deb -x torcs-data_*.deb ~/.local/share/cargen``.

        Args:
            folder: ``cars`` of TORCS, anywhere else.

        Raises:
            FileNotFoundError: the folder does not have all six.
        """
        folder = location("folder", folder)
        text = files("cargen").joinpath("torcs.json").read_text(encoding="utf-8")
        manifest = cls._parsed(text, folder, "torcs.json")
        if missing := [car.file for car in manifest.cars if not (folder / car.file).is_file()]:
            raise FileNotFoundError(f"folder: expected the cars of TORCS, got {folder} without {', '.join(missing)}")
        return manifest

    @classmethod
    def _parsed(cls, text: str, folder: Path, name: str) -> Manifest:
        try:
            return cls([_car(**entry) for entry in json.loads(text)["cars"]], folder)
        except (TypeError, LookupError, ValueError, RecursionError) as error:
            raise value_error("path", "a manifest of cars in JSON", f"{name}: {error}") from error


def _car(*, wheels: Mapping[str, Any] | None = None, **entry: Any) -> CarMesh:
    return CarMesh(**entry, wheels=Wheels(**wheels) if wheels else None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
