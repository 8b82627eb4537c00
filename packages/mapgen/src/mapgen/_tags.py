"""OpenStreetMap's tags to the classes of a style."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._features import Area, Building, Road, Water
from ._style import Kind, Style

Tags = Mapping[str, str]
_SURFACES: dict[Kind, type[Area] | type[Building] | type[Water]] = {"land": Area, "water": Water, "building": Building}
_SIDINGS = {"rail": "rail_siding", "preserved": "preserved_siding", "tram": "tram_siding"}
_LINK_WIDTH_PX = 13.0  # of motorway_link and the like at zoom 18
_MAJOR = {("amenity", "place_of_worship"), ("aeroway", "terminal"), ("public_transport", "station")}


class Classes:
    """What the tags of OpenStreetMap mean in a style."""

    def __init__(self, style: Style) -> None:
        """Index the classes by their features."""
        self._style = style
        self._lines = _by_feature(style, "road", "waterway")
        self._surfaces = _by_feature(style, "land", "water", "building")

    def line(self, tags: Tags) -> Road | None:
        """Return a road without a course for a line with these tags; ``None`` for what the style does not draw.

        Tunnels are not drawn.
        """
        if tags.get("tunnel", "no") != "no":
            return None
        for key, value in _pairs(tags):
            name = self._lines.get(f"{key}_{value.removesuffix('_link')}")
            if name is None:
                continue
            siding = _SIDINGS.get(name) if "service" in tags else None
            link = key == "highway" and value.endswith("_link")
            name = siding if siding and siding in self._style.classes else name
            return Road(name, width_px=_LINK_WIDTH_PX if link else None)
        return None

    def surface(self, tags: Tags) -> tuple[type[Area] | type[Building] | type[Water], str] | None:
        """Return type and class of an area with these tags; ``None`` for what the style does not draw."""
        if tags.get("building", "no") != "no" and "building" in self._surfaces:
            major = "major_building" in self._style.classes and not _MAJOR.isdisjoint(tags.items())
            return Building, "major_building" if major else self._surfaces["building"]
        for key, value in _pairs(tags):
            if name := self._surfaces.get(f"{key}_{value}"):
                return _SURFACES[self._style[name].kind], name
        return None


def _by_feature(style: Style, *kinds: Kind) -> dict[str, str]:
    return {look.feature: name for name, look in style.classes.items() if look.feature and look.kind in kinds}


def _pairs(tags: Tags) -> Iterator[tuple[str, str]]:
    """Yield the tags as the style's features name them."""
    if tags.get("natural") == "wetland":
        yield "wetland", tags.get("wetland", "wet_meadow")
    yield from tags.items()
