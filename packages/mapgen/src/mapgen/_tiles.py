"""Real places as scenes: GeoJSON files and OpenStreetMap extracts (extra ``osm``)."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import check_number, check_path
from ._core import import_extra, value_error
from ._features import MAX_M, Feature, Road
from ._scene import Scene
from ._style import Style, style_or_default
from ._tags import Classes, Tags

_METRES_PER_DEGREE = 6378137 * math.pi / 180
_MARGIN_M = 30.0  # features are cut this far outside a tile, so that no end and no outline shows on it
_SMALLEST_M2 = 0.01


@dataclass(frozen=True)
class _Entry:
    """One thing of a map: its geometry in metres, and how it becomes a feature."""

    geometry: Any
    template: Road | tuple[Any, str]


class Map:
    """A real place, from ``read_map``; it is cut into tiles.

    Attributes:
        longitude: of the origin.
        latitude: of the origin.
        bounds_m: left, top, right and bottom in metres from the origin, y down.
    """

    def __init__(self, entries: list[_Entry], longitude: float, latitude: float) -> None:
        """Index the entries, in the order in which they are drawn."""
        shapely = import_extra("shapely", package="mapgen", extra="osm")
        self.longitude, self.latitude = longitude, latitude
        self._entries = entries
        self._tree = shapely.STRtree([entry.geometry for entry in entries])
        self.bounds_m: tuple[float, float, float, float] = tuple(
            shapely.total_bounds([entry.geometry for entry in entries]).tolist()
        )

    def __len__(self) -> int:
        """Return the number of things on the map."""
        return len(self._entries)

    def scene(
        self, x_m: float, y_m: float, *, size_m: float = 80.0, size_px: int = 224, land: str = "neutral"
    ) -> Scene:
        """Return the tile with this centre, in metres from the origin, y down.

        Args:
            x_m: centre, to the right.
            y_m: centre, down.
            size_m: side in metres.
            size_px: side in pixels.
            land: class below everything else.
        """
        shapely = import_extra("shapely", package="mapgen", extra="osm")
        empty = Scene(size_m=size_m, size_px=size_px, land=land)
        check_number("x_m", x_m, minimum=-MAX_M, maximum=MAX_M)
        check_number("y_m", y_m, minimum=-MAX_M, maximum=MAX_M)
        half = size_m / 2
        tile = shapely.box(x_m - half, y_m - half, x_m + half, y_m + half)
        wider = tile.buffer(_MARGIN_M, join_style="mitre")
        features: list[Feature] = []
        for number in np.sort(self._tree.query(wider)):
            entry = self._entries[number]
            cut = entry.geometry.intersection(wider)
            if isinstance(entry.template, Road):
                features += _roads(entry.template, cut, tile, x_m, y_m)
            else:
                features += _surfaces(entry.template, cut, tile, x_m, y_m)
        return replace(empty, features=tuple(features))

    def locate(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return a place in metres from the origin, y down."""
        check_number("longitude", longitude, minimum=-180, maximum=180)
        check_number("latitude", latitude, minimum=-90, maximum=90)
        x, y = _project(np.array([[longitude, latitude]]), self.longitude, self.latitude)[0]
        return float(x), float(y)

    def tiles(self, *, size_m: float = 80.0, size_px: int = 224, land: str = "neutral") -> Iterator[Scene]:
        """Yield the tiles that cover the map, row by row from the upper left; tiles without anything are left out."""
        return self._tiles(Scene(size_m=size_m, size_px=size_px, land=land))

    def _tiles(self, like: Scene) -> Iterator[Scene]:
        size_m = like.size_m
        left, top, right, bottom = self.bounds_m
        rows, columns = (math.ceil(length / size_m - 1e-6) for length in (bottom - top, right - left))
        for row in range(rows):
            for column in range(columns):
                x, y = left + (column + 0.5) * size_m, top + (row + 0.5) * size_m
                scene = self.scene(x, y, size_m=size_m, size_px=like.size_px, land=like.land)
                if scene.features:
                    yield scene


def read_map(path: str | os.PathLike[str], *, style: Style | None = None) -> Map:
    """Read a GeoJSON file or an OpenStreetMap extract (extra ``osm``).

    Properties of GeoJSON features are read like OpenStreetMap's tags. What the style does not draw is left out, and so
    are tunnels and the sea, whose coastline alone is in an extract.

    Args:
        path: ``.geojson``, ``.json`` or what pyosmium reads, such as ``.osm.pbf`` and ``.osm``.
        style: whose classes are wanted; openstreetmap-carto by default.

    Raises:
        ValueError: the file is broken, or nothing in it is drawn by the style.
    """
    style, source = style_or_default(style), check_path("path", path)
    if not source.is_file():
        raise value_error("path", "a .geojson or .osm.pbf file", str(source))
    read = _read_geojson if source.suffix in (".geojson", ".json") else _read_osm
    shapely = import_extra("shapely", package="mapgen", extra="osm")
    classes = Classes(style)
    entries = []
    for geometry, tags, closed_way in read(source):
        line = geometry.geom_type.endswith("LineString")
        if closed_way and line == classes.is_area(tags):
            continue  # a closed way comes as a line and as an area
        template = classes.line(tags) if line else classes.surface(tags)
        if template is not None and not geometry.is_empty:
            entries.append(_Entry(geometry, template))
    if not entries:
        raise value_error("path", "a map with at least one area or road of the style", f"none in {source}")
    left, bottom, right, top = shapely.total_bounds([entry.geometry for entry in entries])
    longitude, latitude = (left + right) / 2, (bottom + top) / 2

    def metres(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return _project(points, longitude, latitude)

    order = list(style.classes)
    projected = [replace(entry, geometry=shapely.transform(entry.geometry, metres)) for entry in entries]
    # Small areas lie on top of large ones; of roads, those that come first in the style.
    projected.sort(key=lambda e: -order.index(e.template.name) if isinstance(e.template, Road) else -e.geometry.area)
    return Map(projected, float(longitude), float(latitude))


def _project(points: NDArray[np.float64], longitude: float, latitude: float) -> NDArray[np.float64]:
    """Return metres from the origin, x to the east and y to the south; exact enough for the extent of a city."""
    scale = np.array([math.cos(math.radians(latitude)), -1.0]) * _METRES_PER_DEGREE
    return (points - [longitude, latitude]) * scale


def _read_geojson(path: Path) -> Iterator[tuple[Any, Tags, bool]]:
    shapely = import_extra("shapely", package="mapgen", extra="osm")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for feature in document["features"] if document["type"] == "FeatureCollection" else [document]:
            if feature["geometry"] is None:
                continue
            geometry = shapely.from_geojson(json.dumps(feature["geometry"]))
            tags = {key: str(value) for key, value in (feature.get("properties") or {}).items() if value is not None}
            yield shapely.make_valid(geometry), tags, False
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, shapely.errors.GEOSException) as error:
        raise value_error(str(path), "GeoJSON", f"{type(error).__name__}: {error}") from error


def _read_osm(path: Path) -> Iterator[tuple[Any, Tags, bool]]:
    osmium = import_extra("osmium", package="mapgen", extra="osm")
    shapely = import_extra("shapely", package="mapgen", extra="osm")
    factory = osmium.geom.WKBFactory()
    try:
        for thing in osmium.FileProcessor(str(path)).with_areas().with_filter(osmium.filter.EmptyTagFilter()):
            tags = dict(thing.tags)
            if thing.is_area():
                area = shapely.from_wkb(factory.create_multipolygon(thing))
                yield shapely.make_valid(area), tags, thing.from_way()
            elif thing.is_way():
                # At its border an extract holds ways some of whose nodes it lacks.
                points = [(node.lon, node.lat) for node in thing.nodes if node.location.valid()]
                if len(points) > 1:
                    yield shapely.make_valid(shapely.linestrings(points)), tags, thing.is_closed()
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise value_error(str(path), "an OpenStreetMap file that pyosmium reads", str(error)) from error


def _parts(geometry: Any, kind: str) -> list[Any]:
    """Return the polygons or the lines of any geometry."""
    if geometry.geom_type == kind:
        return [geometry]
    return [part for child in getattr(geometry, "geoms", []) for part in _parts(child, kind)]


def _local(coordinates: Any, x_m: float, y_m: float) -> tuple[tuple[float, float], ...]:
    points = np.asarray(coordinates)[:, :2] - [x_m, y_m]
    return tuple((float(x), float(y)) for x, y in points)


def _roads(template: Road, geometry: Any, tile: Any, x_m: float, y_m: float) -> list[Feature]:
    lines = _parts(geometry, "LineString")
    return [replace(template, path_m=_local(line.coords, x_m, y_m)) for line in lines if line.intersects(tile)]


def _surfaces(template: tuple[Any, str], geometry: Any, tile: Any, x_m: float, y_m: float) -> list[Feature]:
    kind, name = template
    return [
        kind(
            name=name,
            outline_m=_local(polygon.exterior.coords[:-1], x_m, y_m),
            holes_m=tuple(_local(hole.coords[:-1], x_m, y_m) for hole in polygon.interiors),
        )
        for polygon in _parts(geometry, "Polygon")
        if polygon.area > _SMALLEST_M2 and polygon.intersects(tile)
    ]
