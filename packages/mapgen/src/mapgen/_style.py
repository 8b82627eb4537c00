"""Colours and widths of the classes that a map may show."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._checks import check_choice, check_number, check_text, check_type
from ._core import type_error, value_error

Kind = Literal["land", "water", "waterway", "pier", "building", "paved", "road"]
MAX_PX = 4096  # of any width; fixed-point distances of the rasteriser stay within 32 bits up to here
KINDS: tuple[Kind, ...] = ("land", "water", "waterway", "pier", "building", "paved", "road")


@dataclass(frozen=True)
class ClassStyle:
    """How one class looks.

    Args:
        kind: ``"land"``, ``"water"``, ``"waterway"`` (a line), ``"pier"`` (an area above water), ``"building"``,
            ``"paved"`` (an area above buildings that roads run into) or ``"road"`` (any other line).
        fill: colour as ``"#rrggbb"``.
        casing: colour of the outline, or ``None`` for no outline.
        width_px: nominal width of a line, both casings included.
        casing_px: width of the outline on each side.
        feature: OpenStreetMap's ``key_value`` of this class, if it has one.
    """

    kind: Kind
    fill: str
    casing: str | None = None
    width_px: float | None = None
    casing_px: float = 0.0
    feature: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        check_choice("kind", self.kind, KINDS)
        for name, colour in (("fill", self.fill), ("casing", "#000000" if self.casing is None else self.casing)):
            if not re.fullmatch("#[0-9a-fA-F]{6}", check_text(name, colour, "a colour like '#f2efe9'")):
                raise value_error(name, "a colour like '#f2efe9'", repr(colour))
        if (self.width_px is None) == (self.kind in ("waterway", "road")):
            raise value_error("width_px", "a width for roads and waterways, and none for others", repr(self.width_px))
        if self.width_px is not None:
            object.__setattr__(self, "width_px", check_number("width_px", self.width_px, above=0, maximum=MAX_PX))
        object.__setattr__(self, "casing_px", check_number("casing_px", self.casing_px, minimum=0, maximum=MAX_PX))
        if self.feature is not None:
            check_text("feature", self.feature)


@dataclass(frozen=True)
class Style:
    """The classes of a map by name; ``Style.osm_carto()`` is the one of openstreetmap.org.

    Each class has its own label in label masks, its place in ``labels``, and so has each casing. Classes of one colour
    keep labels of their own.

    Args:
        classes: looks by name; at most 256 labels.

    Example:
        >>> style = Style({"grass": ClassStyle("land", "#00ff00"),
        ...                "lane": ClassStyle("road", "#ffffff", casing="#000000", width_px=9, casing_px=1)})
        >>> style.labels
        ('grass', 'lane', 'lane casing')
        >>> Style.osm_carto()["trunk"].fill
        '#f9b29c'
    """

    classes: Mapping[str, ClassStyle]
    labels: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Number the labels: the classes, then their casings."""
        if not isinstance(self.classes, Mapping) or not self.classes:
            raise type_error("classes", "a mapping of at least one name to its look", self.classes)
        for name, look in self.classes.items():
            check_text("classes", name, "names of classes")
            if not isinstance(look, ClassStyle):
                raise type_error(f"classes[{name!r}]", "a ClassStyle", look)
        labels = (*self.classes, *(f"{name} casing" for name, look in self.classes.items() if look.casing))
        if len(labels) > 256:
            raise value_error("classes", "at most 256 classes and casings", len(labels))
        object.__setattr__(self, "labels", labels)

    @staticmethod
    @cache
    def osm_carto() -> Style:
        """Return openstreetmap-carto at zoom 18: its land covers, waters, buildings, roads, rails and waterways.

        Colours and widths are those of version 5.7.0 (CC0). Its patterns, dashes and texts are not drawn: a footway is
        a solid line, and what is translucent (prison, military) has the colour that it has over neutral land.
        """
        with resources.files(__package__).joinpath("osm_carto.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return Style(
            {
                row["name"]: ClassStyle(
                    kind=row["kind"],  # type: ignore[arg-type]
                    fill=row["fill"],
                    casing=row["casing"] or None,
                    width_px=float(row["width_px"]) if row["width_px"] else None,
                    casing_px=float(row["casing_px"] or 0),
                    feature=row["feature"] or None,
                )
                for row in rows
            }
        )

    def __getitem__(self, name: str) -> ClassStyle:
        """Return the look of a class; an unknown one is a ``ValueError`` that lists the known ones."""
        return self.require("name", name)

    def names(self, *kinds: Kind) -> list[str]:
        """Return the names of the classes of these kinds, or of all."""
        wanted = [check_choice(f"kinds[{number}]", kind, KINDS) for number, kind in enumerate(kinds)] or KINDS
        return [name for name, look in self.classes.items() if look.kind in wanted]

    def require(self, argument: str, name: str, *kinds: Kind) -> ClassStyle:
        """Return the look of a class of these kinds (or of any), or raise an error that lists the known ones."""
        look = self.classes.get(check_text(argument, name, "the name of a class"))
        wanted = [check_choice(f"kinds[{number}]", kind, KINDS) for number, kind in enumerate(kinds)] or KINDS
        if look is None or look.kind not in wanted:
            raise value_error(argument, f"one of {', '.join(self.names(*kinds))}", repr(name))
        return look

    @cached_property
    def palette(self) -> NDArray[np.uint8]:
        """Colours of the labels, ``(labels, 3)``."""
        fills = [look.fill for look in self.classes.values()]
        casings = [look.casing for look in self.classes.values() if look.casing]
        return np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in fills + casings], dtype=np.uint8)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Number of each label."""
        return {name: number for number, name in enumerate(self.labels)}

    def to_json(self) -> str:
        """Return the style as JSON, to be read by ``from_json``."""
        return json.dumps({name: asdict(look) for name, look in self.classes.items()}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Style:
        """Return the style that ``to_json`` wrote."""
        try:
            document: dict[str, Any] = json.loads(text)
            return cls({name: ClassStyle(**look) for name, look in document.items()})
        except (AttributeError, TypeError, RecursionError, json.JSONDecodeError) as error:
            raise value_error("text", "a style in JSON", str(error)) from error


def style_or_default(style: Style | None) -> Style:
    """Return the style, or openstreetmap-carto for ``None``."""
    if style is None:
        return Style.osm_carto()
    return check_type("style", style, Style, "a Style")
