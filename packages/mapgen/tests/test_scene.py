import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapgen import Area, Building, Road, Scene, Water, render

TRIANGLE = [(0, 0), (10, 0), (10, 10)]


def test_json_round_trip(town):
    again = Scene.from_json(town.to_json())
    assert again == town
    assert (render(again) == render(town)).all()
    assert Scene.from_json("{}") == Scene()


@settings(deadline=None)  # a busy machine is no failure
@given(
    angle=st.floats(-1e6, 1e6),
    offset=st.floats(-1e6, 1e6),
    casing=st.booleans(),
    widths=st.dictionaries(st.sampled_from(["width_px", "width_m"]), st.floats(1e-3, 4096), max_size=1),
)
def test_any_road_survives_json(angle, offset, casing, widths):
    scene = Scene(features=[Road("trunk", angle=angle, offset=offset, casing=casing, **widths)])
    assert Scene.from_json(scene.to_json()) == scene


def test_numbers_of_numpy_survive_json():
    scene = Scene(size_m=np.float32(80), features=[Road("trunk", width_px=np.int64(5), offset=np.float32(0.5))])
    assert Scene.from_json(scene.to_json()) == scene


def test_scenes_are_frozen_and_hashable(town):
    with pytest.raises(dataclasses.FrozenInstanceError):
        town.land = "park"
    assert len({town, Scene.from_json(town.to_json())}) == 1


def test_edits(town):
    assert town.insert(Road("motorway")).roads[-1].name == "motorway"
    assert town.remove("roads[1]").roads == (town.roads[0], town.roads[2])
    assert town.replace("areas[0].name", "park").areas[0].name == "park"
    assert town.replace("land", "park").land == "park"
    assert town.replace("size_px", 64).size_px == 64
    assert town.replace("features[1]", Road("trunk")).features[1] == Road("trunk")
    wide = town.replace("roads[2].width_px", 30).roads[2]
    assert (wide.width_px, wide.width_m) == (30, None)
    moved = town.replace("roads[2].offset", 20)
    changed = render(moved) != render(town)
    assert changed.any()
    assert not changed[:, :60].all()


def test_moving_a_path_moves_it_along_its_direction():
    path = [(-60, 0), (60, 0)]
    straight = render(Scene(features=[Road("trunk", path_m=path)]))
    lower = render(Scene(features=[Road("trunk", path_m=path, angle=90, offset=10)]))
    assert (np.roll(straight, 10, axis=0) == lower).all()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("roads[9].width_px", "expected one of the 3 roads of the scene"),
        ("roads[0].colour", "expected one of name, width_px"),
        ("width", "'roads\\[0\\].width_px', got 'width'"),
        (3, "got int"),
    ],
)
def test_bad_paths(town, path, message):
    with pytest.raises(ValueError, match=message):
        town.replace(path, 1)


def test_remove_needs_a_feature(town):
    with pytest.raises(ValueError, match="expected a feature"):
        town.remove("roads[0].width_px")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Scene(size_px=0), ValueError, "size_px: expected a whole number from 1 to 4096, got 0"),
        (lambda: Scene(size_px=-4), ValueError, "got -4"),
        (lambda: Scene(size_px=2.5), ValueError, "got 2.5"),
        (lambda: Scene(size_px=10_000), ValueError, "got 10000"),
        (lambda: Scene(size_m=0), ValueError, "size_m: expected a number of at least 0.001, at most 1e.06, got 0"),
        (lambda: Scene(size_m=float("nan")), ValueError, "got nan"),
        (lambda: Scene(land=3), TypeError, "land: expected the name of a class, got int"),
        (lambda: Scene(features=["road"]), TypeError, r"features\[0\]: expected an Area, Water, Building or Road"),
        (lambda: Road("trunk", width_px=0), ValueError, "width_px: expected a number above 0, at most 4096, got 0"),
        (lambda: Road("trunk", width_px=10_000), ValueError, "got 10000"),
        (lambda: Road("trunk", width_px="wide"), TypeError, "width_px: expected a number, got str"),
        (lambda: Road("trunk", width_px=3, width_m=3), ValueError, "expected one width, in pixels or in metres"),
        (lambda: Road("trunk", angle=float("inf")), ValueError, "angle: expected a finite number, got inf"),
        (lambda: Road("trunk", casing=1), TypeError, "casing: expected True or False, got int"),
        (lambda: Road("trunk", path_m=[(0, 0)]), ValueError, "path_m: expected at least 2 points"),
        (lambda: Road("trunk", path_m=[(1, 1), (1, 1)]), ValueError, "points that differ"),
        (lambda: Area("park", [(0, 0), (1, 1)]), ValueError, "outline_m: expected at least 3 points"),
        (lambda: Area("park", [(0, 0), (9, 9), (9, 0), (0, 9)]), ValueError, "an outline that does not cross itself"),
        (lambda: Area("park", [(0, 0), (9, 9), (9, 0), (0, 0)]), ValueError, "an open ring"),
        (lambda: Area("park", [(0, 0), (9, float("nan")), (9, 0)]), ValueError, "of finite numbers"),
        (lambda: Area("park", TRIANGLE, holes_m=[[(0, 0)]]), ValueError, r"holes_m\[0\]: expected at least 3"),
        (lambda: Area("park", "abc"), ValueError, "outline_m: expected"),
        (Water, ValueError, "outline_m: expected at least 3"),
        (lambda: Building("building", 3), ValueError, "outline_m: expected points"),
        (lambda: Scene.from_json("{"), ValueError, "text: expected a scene in JSON"),
        (lambda: Scene.from_json("[]"), ValueError, "text: expected a scene in JSON"),
        (lambda: Scene.from_json('{"colour": 3}'), ValueError, "unexpected keyword argument 'colour'"),
        (lambda: Scene.from_json('{"features": [{"type": "tree"}]}'), ValueError, "type: expected one of area, water"),
        (lambda: Scene.from_json(json.dumps({"features": [{"type": "road"}]})), ValueError, "missing 1 required"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
