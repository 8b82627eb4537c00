"""Pixels against a slow reference that looks at one pixel at a time."""

import hashlib
import itertools
import math
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapgen import Area, Building, Road, Scene, Style, Water, render, render_with_labels

STYLE = Style.osm_carto()
POSITIONS = st.integers(-600, 600).map(lambda number: number * 0.0997)  # no border meets the centre of a pixel


def inside_ring(x, y, ring):
    """Even-odd rule, one edge after the other."""
    inside = False
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1]):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def distance_to_path(x, y, path):
    best = math.inf
    for (x0, y0), (x1, y1) in itertools.pairwise(path):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        t = max(0, min(1, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length))
        best = min(best, math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)))
    return best


def slow_labels(scene):
    """Label of each pixel by the distance of its centre to everything, the topmost thing first."""
    names = np.empty((scene.size_px, scene.size_px), dtype=object)
    for row in range(scene.size_px):
        for column in range(scene.size_px):
            x = (column + 0.5) / scene.px_per_m - scene.size_m / 2
            y = (row + 0.5) / scene.px_per_m - scene.size_m / 2
            names[row, column] = slow_label(x, y, scene)
    return names


def slow_label(x, y, scene):
    kinds = {"road": [], "waterway": []}
    for road in scene.roads:
        kinds[STYLE[road.name].kind].append(road)
    for group in (kinds["road"], scene.buildings, kinds["waterway"], scene.waters, scene.areas):
        for inner in (True, False):
            for feature in reversed(group):
                name = in_road(x, y, feature, scene, inner) if feature.type == "road" else in_surface(x, y, feature)
                if name:
                    return name
    return scene.land


def in_surface(x, y, feature):
    rings = [list(ring) for ring in (feature.outline_m, *feature.holes_m)]
    if inside_ring(x, y, rings[0]) and not any(inside_ring(x, y, hole) for hole in rings[1:]):
        return feature.name
    return None


def in_road(x, y, road, scene, inner):
    look = STYLE[road.name]
    width = road.width_px or (road.width_m or 0) * scene.px_per_m or look.width_px
    casing = look.casing_px if road.casing and look.casing else 0
    reach = (width / 2 - (casing if inner else 0)) / scene.px_per_m
    if road.path_m is None:
        angle = math.radians(road.angle)
        distance = x * math.cos(angle) + y * math.sin(angle) - road.offset / scene.px_per_m
        hit = -reach <= distance < reach
    else:
        hit = distance_to_path(x, y, road.path_m) < reach
    return (road.name if inner or not casing else f"{road.name} casing") if hit else None


def names_of(labels):
    return np.array(STYLE.labels, dtype=object)[labels]


def agreement(scene):
    return (names_of(render(scene, out="labels")) == slow_labels(scene)).mean()


def test_labels_equal_the_slow_reference(town):
    features = [feature for feature in town.features if feature.name not in ("building", "stream")]
    river = Road("river", angle=80, offset=-20, width_px=3)
    assert agreement(Scene(size_px=61, land="residential", features=[*features, river])) == 1


@settings(max_examples=40, deadline=None)
@given(
    angle=st.integers(1, 3600).map(lambda number: number * 0.0997),
    offset=st.integers(-120, 120).map(lambda number: number * 0.0997),
    width=st.integers(31, 300).map(lambda number: number * 0.0997),
    casing=st.booleans(),
    size=st.integers(9, 25),
)
def test_any_straight_road_equals_the_slow_reference(angle, offset, width, casing, size):
    offset = offset * size / 40
    scene = Scene(size_px=size, features=[Road("trunk", width_px=width, angle=angle, offset=offset, casing=casing)])
    assert agreement(scene) >= 1 - 2 / size**2  # a border may pass within rounding of a pixel's centre


@pytest.mark.parametrize("size", [1, 2, 224, 255, 256, 257, 513])  # a row's number fits a byte up to 255
@pytest.mark.parametrize("angle", [0, 30, 90, 90.00001, 135, 180, 201.5, 270, 341.25])
def test_runs_of_rows_equal_the_distance_of_every_pixel(size, angle):
    x, y = round(math.cos(math.radians(angle)) * 2**16), round(math.sin(math.radians(angle)) * 2**16)
    middle = 2 * np.arange(size) + 1 - size
    for offset, width in ((0, 21), (0.4 * size, 7.3), (-0.3 * size, 1.2 * size)):
        distance = x * middle + y * middle[:, None] - round(offset * 2**17) + round(width / 2 * 2**17)
        inside = (distance >= 0) & (distance < round(width * 2**17))
        scene = Scene(size_px=size, features=[Road("trunk", width_px=width, angle=angle, offset=offset, casing=False)])
        assert ((render(scene, out="labels") != STYLE.index["neutral"]) == inside).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(POSITIONS, POSITIONS), min_size=3, max_size=3, unique=True), st.integers(5, 25))
def test_any_triangle_equals_the_slow_reference(corners, size):
    (x0, y0), (x1, y1), (x2, y2) = corners
    if abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)) < 1e-3:
        return
    scene = Scene(size_px=size, features=[Area("park", corners)])
    assert agreement(scene) >= 1 - 2 / size**2


@pytest.mark.parametrize("angle", [0, 90, 180, 270, -90, 360])
@pytest.mark.parametrize("width", [1, 2, 3, 20, 21, 223])
def test_w_pixels_wide_is_w_pixels(angle, width):
    labels = render(Scene(features=[Road("trunk", width_px=width, angle=angle, casing=False)]), out="labels")
    assert (labels == STYLE.index["trunk"]).sum() == width * 224


def test_moving_by_a_pixel_moves_by_a_pixel():
    at = [render(Scene(features=[Road("trunk", offset=offset)])) for offset in (0, 1, 30)]
    assert (np.roll(at[0], 1, axis=1) == at[1]).all()
    assert (np.roll(at[0], 30, axis=1) == at[2]).all()


@pytest.mark.parametrize(("angle", "sign", "side"), [(0, 1, "right"), (0, -1, "left"), (90, 1, "down"), (90, -1, "up")])
def test_offset_directions(angle, sign, side):
    labels = render(Scene(features=[Road("trunk", angle=angle, offset=sign * 60)]), out="labels")
    rows, columns = np.nonzero(labels)
    where = {
        "right": columns.min() > 112,
        "left": columns.max() < 112,
        "down": rows.min() > 112,
        "up": rows.max() < 112,
    }
    assert [name for name, there in where.items() if there] == [side]


def test_image_and_mask_agree_pixel_by_pixel(town):
    image, labels = render_with_labels(town)
    assert (STYLE.palette[labels] == image).all()
    assert len(np.unique(labels)) > 8
    assert (render(town) == image).all()
    assert (np.asarray(render(town, out="pil")) == image).all()


def test_smooth_image_agrees_away_from_borders(town):
    image, labels = render_with_labels(town, antialias=True)
    hard = STYLE.palette[labels]
    flat = np.ones(labels.shape, dtype=bool)
    for axis in (0, 1):
        for shift in (-1, 1):
            flat &= np.roll(labels, shift, axis) == labels
    flat[[0, -1]] = flat[:, [0, -1]] = False
    assert flat.mean() > 0.8
    assert (image[flat] == hard[flat]).mean() > 0.999
    assert (image != hard).any()


@pytest.mark.parametrize("feature", [
    Road("trunk", angle=33, width_px=17.3, casing=False),
    Road("trunk", width_px=17.3, offset=0.4, casing=False),
    Road("rail", width_px=9, path_m=[(-50, -20), (10, 5), (50, 0)]),
    Area("forest", [(-30, -31), (25, -20), (28, 30), (-3, 5)]),
    Water(outline_m=[(-30, -30), (30, -30), (30, 30), (-30, 30)], holes_m=[[(-10, -10), (10, -9), (0, 12)]]),
])  # fmt: skip
def test_smooth_coverage_equals_many_samples(feature):
    """One layer over white: its share of each pixel, against the share of 15 x 15 samples."""
    size, samples = 40, 15
    coarse = Scene(size_px=size, features=[feature])
    fine = Scene(size_px=size * samples, features=[feature])
    if feature.type == "road":
        fine = fine.replace("roads[0].width_px", feature.width_px * samples)
        fine = fine.replace("roads[0].offset", feature.offset * samples)
    wanted = (render(fine, out="labels") != 0).reshape(size, samples, size, samples).mean((1, 3))
    ground, colour = STYLE.palette[0].astype(float), STYLE.palette[STYLE.index[feature.name]].astype(float)
    channel = int(np.abs(colour - ground).argmax())
    got = (render(coarse, antialias=True)[..., channel] - ground[channel]) / (colour - ground)[channel]
    assert np.abs(got - wanted).max() < 0.16  # a corner of a slanted line
    assert np.abs(got - wanted).mean() < 0.006


def test_byte_identical_in_another_process(town):
    digest = hashlib.sha256(render(town).tobytes() + render(town, antialias=True).tobytes()).hexdigest()
    code = (
        "import hashlib,sys;from mapgen import Scene,render;s=Scene.from_json(sys.stdin.read());"
        "print(hashlib.sha256(render(s).tobytes()+render(s,antialias=True).tobytes()).hexdigest())"
    )
    again = subprocess.run(
        [sys.executable, "-c", code], input=town.to_json(), capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == digest


@pytest.mark.parametrize("angle", [0, 90])
def test_a_straight_path_equals_a_straight_road(angle):
    ends = [(0, -100), (0, 100)] if angle == 0 else [(-100, 0), (100, 0)]
    straight, path = Road("trunk", angle=angle, offset=7), Road("trunk", angle=angle, offset=7, path_m=ends)
    assert (render(Scene(features=[straight])) == render(Scene(features=[path]))).all()


def test_crossing_roads_run_into_one_another():
    labels = render(Scene(features=[Road("trunk"), Road("motorway", angle=90)]), out="labels")
    assert STYLE.labels[labels[112, 112]] == "motorway"
    assert STYLE.labels[labels[112, 101]] == "motorway"  # where the trunk road's casing would be
    assert STYLE.labels[labels[101, 112]] == "trunk"  # where the motorway's casing would be


def test_piers_lie_on_water_and_paved_areas_on_buildings_and_casings():
    square = [(-20, -20), (20, -20), (20, 20), (-20, 20)]
    pond, pier = Water(outline_m=square), Area("pier", square)
    assert STYLE.labels[render(Scene(features=[pier, pond]), out="labels")[112, 112]] == "pier"
    house, street, road = Building(outline_m=square), Area("pedestrian_area", square), Road("trunk")
    labels = render(Scene(features=[road, street, house]), out="labels")
    assert STYLE.labels[labels[112, 140]] == "pedestrian_area"
    assert [STYLE.labels[label] for label in labels[[112, 0], 101]] == ["pedestrian_area", "trunk casing"]
    assert STYLE.labels[labels[112, 112]] == "trunk"


def test_building_has_an_outline_without_gaps():
    square = Building(outline_m=[(-20, -20), (20, -20), (20, 20), (-20, 20)])
    labels = render(Scene(features=[square]), out="labels")
    outline = labels == STYLE.index["building casing"]
    assert outline.any(0).sum() == outline.any(1).sum() > 110
    assert STYLE.labels[labels[112, 112]] == "building"


def test_svg_holds_what_is_drawn(town):
    root = ET.fromstring(render(town, out="svg"))
    tags = [child.tag.split("}")[1] for child in root]
    assert root.attrib["viewBox"] == "0 0 224 224"
    assert tags.count("path") == 3
    assert tags.count("polyline") == 6  # the building's outline, the stream, two casings and two fills
    assert {child.attrib.get("stroke") for child in root} >= {"#f9b29c", "#c84e2f", "#aad3df"}
    changed = render(town.replace("roads[1].name", "motorway"), out="svg")
    assert "#e892a2" in changed
    assert "#f9b29c" not in changed


def test_inputs_outside_the_tile_and_unknown():
    with pytest.raises(ValueError, match=r"features\[0\]: expected a road that touches the tile of 224 pixels"):
        render(Scene(features=[Road("trunk", offset=150)]))
    with pytest.raises(ValueError, match=r"features\[0\]: expected a road that touches the tile"):
        render(Scene(features=[Road("trunk", path_m=[(70, 70), (90, 70)])]))
    with pytest.raises(ValueError, match=r"features\[0\].name: expected one of neutral, .*forest.*, got 'wod'"):
        render(Scene(features=[Area("wod", [(0, 0), (1, 0), (1, 1)])]))
    with pytest.raises(ValueError, match=r"features\[0\].name: expected one of .*motorway, trunk.*, got 'park'"):
        render(Scene(features=[Road("park")]))
    with pytest.raises(ValueError, match=r"land: expected one of neutral.*got 'trnk'"):
        render(Scene(land="trnk"))
    with pytest.raises(ValueError, match="out: expected one of array, pil, labels, svg"):
        render(Scene(), out="numpy")
    with pytest.raises(TypeError, match="scene: expected a Scene, got str"):
        render("scene.json")
    with pytest.raises(ValueError, match=r"features\[0\].width_m: expected at most 4096 pixels"):
        render(Scene(features=[Road("trunk", width_m=4000)]))


def test_a_road_wider_than_the_tile_covers_it():
    assert (render(Scene(features=[Road("trunk", width_px=4096)]), out="labels") == STYLE.index["trunk"]).all()
