"""A tile as data: what lies where, independent of how it is drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ._checks import check_number, check_text, check_values, check_whole
from ._core import type_error, value_error
from ._features import TYPES, Area, Building, Feature, Road, Water
from ._style import MAX_PX

_STEP = re.compile(r"(areas|waters|buildings|roads|features)\[(\d+)\](?:\.(\w+))?")


@dataclass(frozen=True)
class Scene:
    """A square tile.

    It is drawn in the order of a map: land, areas, waters, waterways, piers, buildings, then the casings of all roads,
    paved areas, and the roads; within a kind in the order of ``features``.

    Args:
        size_m: side in metres.
        size_px: side in pixels, at most 4096.
        land: class that covers the whole tile; also a road or water class (Table 6.2).
        features: areas, waters, buildings and roads.

    Example:
        >>> scene = Scene(land="park", features=[Road("trunk", width_px=21)])
        >>> Scene.from_json(scene.to_json()) == scene
        True
        >>> scene.replace("roads[0].width_px", 40).roads[0].width_px
        40
    """

    size_m: float = 80.0
    size_px: int = 224
    land: str = "neutral"
    features: Sequence[Feature] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "size_m", check_number("size_m", self.size_m, minimum=1e-3, maximum=1e6))
        object.__setattr__(self, "size_px", check_whole("size_px", self.size_px, minimum=1, maximum=MAX_PX))
        check_text("land", self.land, "the name of a class")
        object.__setattr__(self, "features", check_values("features", self.features, "a sequence of features"))
        for number, feature in enumerate(self.features):
            if type(feature) not in TYPES.values():
                raise type_error(f"features[{number}]", "an Area, Water, Building or Road", feature)

    @property
    def areas(self) -> tuple[Area, ...]:
        """The areas among the features."""
        return tuple(feature for feature in self.features if isinstance(feature, Area))

    @property
    def waters(self) -> tuple[Water, ...]:
        """The waters among the features."""
        return tuple(feature for feature in self.features if isinstance(feature, Water))

    @property
    def buildings(self) -> tuple[Building, ...]:
        """The buildings among the features."""
        return tuple(feature for feature in self.features if isinstance(feature, Building))

    @property
    def roads(self) -> tuple[Road, ...]:
        """The roads among the features."""
        return tuple(feature for feature in self.features if isinstance(feature, Road))

    @property
    def px_per_m(self) -> float:
        """Pixels per metre."""
        return self.size_px / self.size_m

    def insert(self, feature: Feature) -> Scene:
        """Return the scene with one more feature, on top of those of its kind."""
        return replace(self, features=(*self.features, feature))

    def replace(self, path: str, value: Any) -> Scene:
        """Return the scene with one value changed: a width, a position, a class.

        Args:
            path: ``"land"``, ``"size_px"``, ``"roads[0].width_px"``, ``"areas[1].name"``, ``"features[2]"``, ...
            value: the new value.
        """
        if isinstance(path, str) and path in ("size_m", "size_px", "land"):
            return replace(self, **{path: value})
        position, attribute = self._find(path)
        if attribute is None:
            return self._with(position, [value])
        changes = {attribute: value}
        if attribute in ("width_px", "width_m"):
            changes["width_m" if attribute == "width_px" else "width_px"] = None
        return self._with(position, [replace(self.features[position], **changes)])

    def remove(self, path: str) -> Scene:
        """Return the scene without one feature, such as ``"roads[0]"``."""
        position, attribute = self._find(path)
        if attribute is not None:
            raise value_error("path", "a feature such as 'roads[0]'", path)
        return self._with(position, [])

    def _with(self, position: int, features: list[Feature]) -> Scene:
        return replace(self, features=(*self.features[:position], *features, *self.features[position + 1 :]))

    def _find(self, path: str) -> tuple[int, str | None]:
        """Return the position in ``features`` and the attribute that a path names."""
        match = _STEP.fullmatch(path) if isinstance(path, str) else None
        if not match:
            wanted = "'land', 'size_m', 'size_px', 'roads[0]' or 'roads[0].width_px'"
            raise value_error("path", wanted, repr(path) if isinstance(path, str) else type(path).__name__)
        group, number, attribute = match[1], int(match[2]), match[3]
        positions = [i for i, feature in enumerate(self.features) if group in ("features", f"{feature.type}s")]
        if number >= len(positions):
            raise value_error("path", f"one of the {len(positions)} {group} of the scene", path)
        position = positions[number]
        known = [field.name for field in fields(self.features[position])]
        if attribute is not None and attribute not in known:
            raise value_error("path", f"one of {', '.join(known)}", path)
        return position, attribute

    def to_json(self) -> str:
        """Return the scene as JSON, to be read by ``from_json``."""
        features = [{"type": feature.type, **_without_defaults(feature)} for feature in self.features]
        document = {"size_m": self.size_m, "size_px": self.size_px, "land": self.land, "features": features}
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str) -> Scene:
        """Return the scene that ``to_json`` wrote.

        Raises:
            ValueError: the text is no JSON, or has fields that a scene does not know.
        """
        try:
            document = json.loads(text)
            if not isinstance(document, dict):
                raise value_error("text", "a scene in JSON", type(document).__name__)
            features = [_feature(dict(entry)) for entry in document.pop("features", [])]
            return cls(**document, features=tuple(features))
        except (AttributeError, TypeError, RecursionError, json.JSONDecodeError) as error:
            raise value_error("text", "a scene in JSON", str(error)) from error


def _without_defaults(feature: Feature) -> dict[str, Any]:
    return {
        field.name: value
        for field, value in zip(fields(feature), asdict(feature).values())
        if value != field.default or field.name == "name"
    }


def _feature(entry: dict[str, Any]) -> Feature:
    kind = entry.pop("type", None)
    if kind not in TYPES:
        raise value_error("type", f"one of {', '.join(TYPES)}", kind)
    return TYPES[kind](**entry)
