import json
import math

import numpy as np
import pytest
from mapgen import ClassStyle, Road, Style, read_map, render

DEGREE = 6378137 * math.pi / 180
STYLE = Style.osm_carto()


def degrees(points, latitude=60.0):
    """Longitude and latitude of points in metres, y down, around one place."""
    return [[25 + x / DEGREE / math.cos(math.radians(latitude)), latitude - y / DEGREE] for x, y in points]


def thing(kind, points, **tags):
    coordinates = [degrees([*points, points[0]])] if kind == "Polygon" else degrees(points)
    return {"type": "Feature", "properties": tags, "geometry": {"type": kind, "coordinates": coordinates}}


def square(half, x=0, y=0):
    return [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]


@pytest.fixture
def write(tmp_path):
    def to_file(*features):
        path = tmp_path / "map.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return path

    return to_file


@pytest.fixture
def place(write):
    return write(
        thing("Polygon", square(100), landuse="residential"),
        thing("Polygon", square(15, 10, 10), leisure="park"),
        thing("Polygon", square(5, -30, -30), building="yes"),
        thing("Polygon", square(5, 30, -30), building="church", amenity="place_of_worship"),
        thing("LineString", [(-100, 0), (100, 0)], highway="primary"),
        thing("LineString", [(0, -100), (0, 100)], highway="motorway_link"),
        thing("LineString", [(-100, -20), (100, -20)], highway="trunk", tunnel="yes"),
        thing("LineString", [(-100, 30), (100, 30)], railway="rail", service="siding"),
        thing("LineString", [(-100, 35), (100, 35)], power="line"),
    )


def test_tags_become_classes(place):
    place_map = read_map(place)
    scene = place_map.scene(0, 0)
    assert [area.name for area in scene.areas] == ["residential", "park"]  # the smaller one on top
    assert {building.name for building in scene.buildings} == {"building", "major_building"}
    assert {road.name: road.width_px for road in scene.roads} == {"rail_siding": None, "primary": None, "motorway": 13}
    assert len(place_map) == 7
    assert place_map.locate(25, 60) == pytest.approx((0, 0), abs=1e-6)


def test_positions_are_metres(place):
    labels = render(read_map(place).scene(0, 0), out="labels")
    names = np.array(STYLE.labels, dtype=object)[labels]
    assert names[112 + 28 * 2, 112 + 28 * 2] == "park"  # 20 m to the right and down, 2.8 px per metre
    assert names[112, 20] == "primary"
    assert names[112 - 84, 112 - 84] == "building"
    assert names[112 - 84, 112 + 84] == "major_building"
    assert (names[112, [0, 223]] == "primary").all()  # no end of a road on the tile


def test_tiles_cover_the_map(place):
    scenes = list(read_map(place).tiles(size_m=100, size_px=32))
    assert len(scenes) == 4
    assert all("residential" in {area.name for area in scene.areas} for scene in scenes)
    assert {road.name for scene in scenes for road in scene.roads} == {"primary", "motorway", "rail_siding"}


def test_neighbouring_tiles_continue_one_another(place):
    town = read_map(place)
    whole = render(town.scene(0, 0, size_m=160, size_px=320), out="labels")
    parts = [
        [render(town.scene(x, y, size_m=80, size_px=160), out="labels") for x in (-40, 40)] for y in (-40, 40)
    ]  # fmt: skip
    assert (np.block(parts) == whole).mean() > 0.9999


def test_holes_and_several_polygons(write):
    ring, hole = degrees([*square(30), square(30)[0]]), degrees([*square(10), square(10)[0]])
    far = degrees([*square(5, 35, 35), square(5, 35, 35)[0]])
    path = write(
        {"type": "Feature", "properties": {"natural": "water"},
         "geometry": {"type": "MultiPolygon", "coordinates": [[ring, hole], [far]]}}
    )  # fmt: skip
    scene = read_map(path).scene(*read_map(path).locate(25, 60))
    assert sum(len(water.holes_m) for water in scene.waters) == 1
    labels = render(scene, out="labels")
    assert STYLE.labels[labels[112, 112]] == "neutral"
    assert STYLE.labels[labels[112, 112 + 56]] == "water"


def test_self_intersecting_polygons_of_the_world_are_repaired(write):
    scene = read_map(write(thing("Polygon", [(-20, -20), (20, 20), (20, -20), (-20, 20)], leisure="park"))).scene(0, 0)
    assert len(scene.areas) == 2


def test_counterfactual_edits(place):
    scene = read_map(place).scene(0, 0)
    original = render(scene)
    for edited in (
        scene.insert(Road("trunk", angle=45)),
        scene.replace("roads[0].width_px", 40),
        scene.replace("roads[0].angle", 90).replace("roads[0].offset", 30),
        scene.remove("roads[0]"),
        scene.replace("areas[1].name", "forest"),
    ):
        changed = (render(edited) != original).any(-1)
        assert 0.005 < changed.mean() < 0.5
    recoloured = (render(scene.replace("areas[1].name", "forest")) != original).any(-1)
    assert (np.array(STYLE.labels, dtype=object)[render(scene, out="labels")][recoloured] == "park").all()


def test_own_style(write):
    style = Style({"ground": ClassStyle("land", "#000000"), "oaks": ClassStyle("land", "#00ff00", feature="tree_oak")})
    scene = read_map(write(thing("Polygon", square(20), tree="oak")), style=style).scene(0, 0, land="ground")
    assert render(scene, style=style)[112, 112].tolist() == [0, 255, 0]


def test_openstreetmap_files(tmp_path):
    """Three nodes and a way more than a tile needs; one node of the road is missing, as at an extract's border."""
    corners = degrees(square(30))
    nodes = "".join(f'<node id="{i}" version="1" lon="{x}" lat="{y}"/>' for i, (x, y) in enumerate(corners, 1))
    path = tmp_path / "map.osm"
    path.write_text(
        f'<osm version="0.6">{nodes}'
        '<way id="1" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>'
        '<tag k="landuse" v="forest"/></way>'
        '<way id="2" version="1"><nd ref="1"/><nd ref="3"/><nd ref="99"/><tag k="highway" v="trunk"/></way></osm>'
    )
    scene = read_map(path).scene(0, 0)
    assert [feature.name for feature in scene.features] == ["forest", "trunk"]
    labels = render(scene, out="labels")
    assert STYLE.labels[labels[112, 112]] == "trunk"
    assert STYLE.labels[labels[60, 160]] == "forest"


@pytest.mark.parametrize(
    ("tags", "feature"),
    [
        ({"highway": "footway"}, "road footway"),
        ({"highway": "footway", "area": "yes"}, "area footway_area"),
        ({"railway": "platform"}, "road railway_platform"),
        ({"railway": "platform", "public_transport": "platform"}, "area railway_platform_area"),
        ({"railway": "platform", "area": "yes", "location": "underground"}, None),
        ({"natural": "wood"}, "area wood"),
        ({"natural": "tree_row"}, "road tree_row"),
        ({"man_made": "pier"}, "area pier"),
        ({"waterway": "canal"}, "road canal"),
        ({"building": "yes", "area": "no"}, None),
    ],
)
def test_closed_ways_are_areas_or_lines(tmp_path, tags, feature):
    nodes = "".join(f'<node id="{i}" version="1" lon="{x}" lat="{y}"/>' for i, (x, y) in enumerate(degrees(square(30))))
    refs = "".join(f'<nd ref="{i}"/>' for i in (0, 1, 2, 3, 0))
    written = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    path = tmp_path / "map.osm"
    # A second way, so that the map is not empty when the first is not drawn.
    second = '<way id="2" version="1"><nd ref="0"/><nd ref="1"/><tag k="highway" v="trunk"/></way>'
    path.write_text(f'<osm version="0.6">{nodes}<way id="1" version="1">{refs}{written}</way>{second}</osm>')
    found = [f"{feature.type} {feature.name}" for feature in read_map(path).scene(0, 0).features]
    assert sorted(found) == sorted(filter(None, [feature, "road trunk"]))


def test_widths_that_depend_on_other_tags(write):
    ways = [{"highway": "service"}, {"highway": "service", "service": "driveway"}, {"highway": "primary_link"}]
    lines = [thing("LineString", [(-50, y), (50, y)], **tags) for y, tags in enumerate(ways)]
    roads = read_map(write(*lines)).scene(0, 0).roads
    assert sorted((road.name, road.width_px or 0) for road in roads) == [
        ("primary", 13), ("service", 0), ("service", 4.75)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected GeoJSON"),
        ("[1]", "expected GeoJSON"),
        ('{"type": "FeatureCollection"}', "expected GeoJSON, got KeyError: 'features'"),
        ('{"type": "Feature", "geometry": {"type": "Point"}}', "expected GeoJSON"),
        ('{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}', "expected GeoJSON"),
        ('{"type": "FeatureCollection", "features": []}', "expected a map with at least one area or road of the style"),
        ('{"type": "Feature", "geometry": null}', "expected a map with at least one"),
    ],
)
def test_broken_and_empty_files(tmp_path, text, message):
    path = tmp_path / "map.geojson"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_map(path)


def test_broken_extracts(tmp_path):
    (tmp_path / "map.osm.pbf").write_bytes(b"no map")
    with pytest.raises(ValueError, match="expected an OpenStreetMap file that pyosmium reads"):
        read_map(tmp_path / "map.osm.pbf")
    with pytest.raises(ValueError, match=r"path: expected a .geojson or .osm.pbf file"):
        read_map(tmp_path / "none.osm.pbf")


def test_missing_partners_name_the_extra(without, place):
    without("shapely")
    with pytest.raises(ImportError, match=r'pip install "mapgen\[osm\]"'):
        read_map(place)
