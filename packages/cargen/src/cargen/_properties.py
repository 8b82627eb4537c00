"""The eleven properties of a car image, drawn independently or swept one at a time."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ._checks import items, mapping, whole_number
from ._core import type_error, value_error
from ._default import DEFAULT_MODELS

_ANGLES = tuple(float(angle) for angle in range(0, 360, 45))
_HUES = tuple(step / 10 for step in range(10))
_SHARES = tuple(step / 4 for step in range(9))

PROPERTY_VALUES: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "model": DEFAULT_MODELS,
        "rotation": _ANGLES,
        "car_hue": _HUES,
        "car_saturation": _SHARES,
        "car_value": _SHARES,
        "background_hue": _HUES,
        "background_saturation": _SHARES,
        "background_value": _SHARES,
        "camera_height": (0.5, 1.5, 2.5, 3.5),
        "sun_elevation": (0.0, 45.0, 90.0),
        "sun_rotation": _ANGLES,
    }
)

_DOMAINS: dict[str, tuple[float, float]] = {  # both ends belong to it, but for 360 degrees and hue 1, which are 0
    "rotation": (0, math.nextafter(360, 0)),
    "car_hue": (0, math.nextafter(1, 0)),
    "car_saturation": (0, 2),
    "car_value": (0, 2),
    "background_hue": (0, math.nextafter(1, 0)),
    "background_saturation": (0, 2),
    "background_value": (0, 2),
    "camera_height": (0.1, 20),
    "sun_elevation": (0, 90),
    "sun_rotation": (0, math.nextafter(360, 0)),
    "focal_length": (15, 300),
}


@dataclass(frozen=True)
class CarProperties:
    """What a car image shows: the eleven properties of Table 7.2, and two that the thesis leaves open.

    Both colours are ``rgb = hsv_to_rgb((hue + 0.5) mod 1, 0.5 saturation, 0.5 value)``.

    Args:
        model: name of the car: of the six of TORCS where its data are (see ``Manifest.torcs``), of the six parametric
            ones, or of a ``Manifest``; the first of ``PROPERTY_VALUES`` by default.
        rotation: of the car in degrees, counterclockwise seen from above; at 0 it faces the camera. [0, 360).
        car_hue: of the paint, [0, 1).
        car_saturation: of the paint, [0, 2].
        car_value: of the paint, [0, 2].
        background_hue: [0, 1).
        background_saturation: [0, 2].
        background_value: [0, 2].
        camera_height: above the ground in metres, 0.1 to 20; the camera always looks at the car.
        sun_elevation: above the horizon in degrees, [0, 90].
        sun_rotation: where the sun stands in degrees, as ``rotation``: at 0 behind the camera. [0, 360).
        focal_length: of the lens in millimetres on a frame of 36 mm, 15 to 300; the car keeps its size in the picture.
        backdrop: path of a photograph in place of the background colour.

    Raises:
        ValueError: a value outside its domain.
        TypeError: a value of another type.

    Example:
        >>> car = CarProperties(model="van", car_hue=0.5, car_saturation=2, car_value=1)
        >>> car.car_rgb
        (0.5, 0.0, 0.0)
        >>> CarProperties(sun_elevation=100)
        Traceback (most recent call last):
        ValueError: sun_elevation: expected a number from 0 to 90, got 100

    Reference: Section 7.1.3, Table 7.2.
    """

    model: str = DEFAULT_MODELS[0]
    rotation: float = 45.0
    car_hue: float = 0.5
    car_saturation: float = 1.5
    car_value: float = 1.5
    background_hue: float = 0.1
    background_saturation: float = 0.5
    background_value: float = 1.5
    camera_height: float = 1.5
    sun_elevation: float = 45.0
    sun_rotation: float = 45.0
    focal_length: float = 50.0
    backdrop: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if not isinstance(self.model, str):
            raise type_error("model", "the name of a car", self.model)
        for name, (low, high) in _DOMAINS.items():
            value = getattr(self, name)
            if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
                raise type_error(name, "a number", value)
            if not low <= value <= high:
                below = "" if float(high).is_integer() else "below "
                raise value_error(name, f"a number from {low:g} to {below}{math.ceil(high)}", value)
            object.__setattr__(self, name, float(value))
        if self.backdrop is not None and not isinstance(self.backdrop, str):
            raise type_error("backdrop", "the path of a photograph or None", self.backdrop)

    @property
    def car_rgb(self) -> tuple[float, float, float]:
        """Colour of the paint, each channel from 0 to 1 (sRGB)."""
        return _rgb(self.car_hue, self.car_saturation, self.car_value)

    @property
    def background_rgb(self) -> tuple[float, float, float]:
        """Colour of the background, each channel from 0 to 1 (sRGB)."""
        return _rgb(self.background_hue, self.background_saturation, self.background_value)


PROPERTY_NAMES = tuple(field.name for field in fields(CarProperties))


def _rgb(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    return colorsys.hsv_to_rgb((hue + 0.5) % 1, 0.5 * saturation, 0.5 * value)


def property_values(values: Mapping[str, Sequence[Any]] | None = None) -> dict[str, tuple[Any, ...]]:
    """Return Table 7.2 with the values of some properties replaced, checked one by one."""
    chosen = dict(PROPERTY_VALUES)
    given = {} if values is None else mapping("values", values, "a mapping from property to values")
    for name, choices in given.items():
        _check_name(name)
        listed = items(f"values[{name!r}]", choices, "a sequence of values")
        if not listed:
            raise value_error(f"values[{name!r}]", "at least one value", "none")
        chosen[name] = tuple(getattr(CarProperties(**{name: value}), name) for value in listed)
    return chosen


def sample_one(index: int, seed: int, values: Mapping[str, Sequence[Any]]) -> CarProperties:
    """Return the properties of one index, which do not depend on how many are drawn or by whom."""
    generator = np.random.default_rng([seed, index])
    return CarProperties(**{name: choices[int(generator.integers(len(choices)))] for name, choices in values.items()})


def sample(n: int, seed: int = 0, *, values: Mapping[str, Sequence[Any]] | None = None) -> list[CarProperties]:
    """Draw properties uniformly at random, each independently of the others.

    Args:
        n: how many; the first of ``sample(n, seed)`` do not depend on ``n``.
        seed: not negative; another seed draws others.
        values: what some properties may be, in place of the values of Table 7.2; a single value fixes a property.

    Example:
        >>> [car.camera_height for car in sample(3, seed=1, values={"model": ["suv"], "camera_height": [1, 2]})]
        [2.0, 1.0, 1.0]

    Reference: Section 7.1.3.
    """
    n, seed = whole_number("n", n, 0), whole_number("seed", seed, 0)
    chosen = property_values(values)
    return [sample_one(index, seed, chosen) for index in range(n)]


def sweep(name: str, values: Sequence[Any] | None = None, *, base: CarProperties | None = None) -> list[CarProperties]:
    """Change one property, everything else constant.

    Args:
        name: of the property.
        values: what it becomes, one car each; the values of Table 7.2 by default.
        base: all other properties.

    Example:
        >>> [car.rotation for car in sweep("rotation", [0, 90])]
        [0.0, 90.0]
    """
    _check_name(name)
    if values is None and name not in PROPERTY_VALUES:
        raise value_error("values", f"some, because Table 7.2 has no {name}", "None")
    if not isinstance(base, CarProperties | None):
        raise type_error("base", "CarProperties or None", base)
    choices = PROPERTY_VALUES[name] if values is None else items("values", values, "a sequence of values")
    return [replace(base or CarProperties(), **{name: value}) for value in choices]


def _check_name(name: str) -> None:
    if name not in PROPERTY_NAMES:
        raise value_error("property", f"one of {', '.join(PROPERTY_NAMES)}", repr(name))
