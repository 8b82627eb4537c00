"""OpenStreetMap's tags to the classes of a style."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._features import Area, Building, Road, Water
from ._style import Kind, Style

Tags = Mapping[str, str]
_SURFACES: dict[Kind, type[Area] | type[Building] | type[Water]] = {
    "land": Area, "water": Water, "pier": Area, "building": Building, "paved": Area
}  # fmt: skip
_SIDINGS = {"rail": "rail_siding", "preserved": "preserved_siding", "tram": "tram_siding"}
_LINK_WIDTH_PX = 13.0  # of motorway_link and the like at zoom 18
_MINOR_WIDTH_PX = 4.75  # of the service ways below
_MINOR = ("parking_aisle", "drive-through", "driveway")
# Closed ways with one of these keys are areas, unless the value is one of a line; others are lines but for a few.
_AREA_KEYS = {
    "aeroway", "amenity", "building", "golf", "historic", "landuse", "leisure", "man_made", "military", "natural",
    "office", "place", "power", "public_transport", "shop", "tourism", "water", "waterway", "wetland",
}  # fmt: skip
_LINES = {
    "leisure": ("track", "slipway"),
    "man_made": ("breakwater", "cutline", "embankment", "groyne", "pipeline"),
    "natural": ("cliff", "tree_row", "ridge"),
    "power": ("cable", "line", "minor_line"),
    "waterway": ("canal", "ditch", "drain", "river", "stream", "weir"),
}
_AREAS = {("highway", "services"), ("highway", "rest_area"), ("railway", "station")}
_MAJOR = {("amenity", "place_of_worship"), ("aeroway", "terminal"), ("public_transport", "station")}


class Classes:
    """What the tags of OpenStreetMap mean in a style."""

    def __init__(self, style: Style) -> None:
        """Index the classes by their features."""
        self._style = style
        self._lines = _by_feature(style, "road", "waterway")
        self._surfaces = _by_feature(style, *_SURFACES)
        own_keys = {feature.partition("_")[0] for feature in self._surfaces}
        self._area_keys = (own_keys | _AREA_KEYS) - {"highway", "railway"}

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
            name = siding if siding and siding in self._style.classes else name
            return Road(name, width_px=_width_px(value, tags) if key == "highway" else None)
        return None

    def surface(self, tags: Tags) -> tuple[type[Area] | type[Building] | type[Water], str] | None:
        """Return type and class of an area with these tags; ``None`` for what the style does not draw."""
        if tags.get("location") == "underground":
            return None
        if tags.get("building", "no") != "no" and "building" in self._surfaces:
            major = "major_building" in self._style.classes and not _MAJOR.isdisjoint(tags.items())
            return Building, "major_building" if major else self._surfaces["building"]
        for key, value in _pairs(tags):
            if name := self._surfaces.get(f"{key}_{value}"):
                return _SURFACES[self._style[name].kind], name
        return None

    def is_area(self, tags: Tags) -> bool:
        """Tell whether a closed way with these tags is an area, as openstreetmap-carto decides it."""
        if "area" in tags:
            return tags["area"] == "yes"
        return any(
            (key, value) in _AREAS or (key in self._area_keys and value != "no" and value not in _LINES.get(key, ()))
            for key, value in tags.items()
        )


def _by_feature(style: Style, *kinds: Kind) -> dict[str, str]:
    return {look.feature: name for name, look in style.classes.items() if look.feature and look.kind in kinds}


def _width_px(highway: str, tags: Tags) -> float | None:
    if highway.endswith("_link"):
        return _LINK_WIDTH_PX
    return _MINOR_WIDTH_PX if highway == "service" and tags.get("service") in _MINOR else None


def _pairs(tags: Tags) -> Iterator[tuple[str, str]]:
    """Yield the tags as the style's features name them."""
    if tags.get("natural") == "wetland":
        yield "wetland", tags.get("wetland", "wet_meadow")
    yield from tags.items()
