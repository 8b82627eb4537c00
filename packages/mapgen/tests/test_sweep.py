import numpy as np
import pytest
from mapgen import (
    Road,
    Scene,
    Style,
    Sweep,
    angle_sweep,
    distance_sweep,
    entity_grid,
    features,
    grid,
    interaction,
    render,
    sweep,
    width_sweep,
)

STYLE = Style.osm_carto()


def test_entity_grid_is_table_6_2():
    design = entity_grid()
    cells = set(zip(design.factors["road"], design.factors["entity"]))
    assert len(design) == len(cells) == 23
    assert ("trunk", "motorway") not in cells
    assert ("no road", "motorway") in cells
    for scene, road, entity in zip(design.scenes, *design.factors.values()):
        labels = {STYLE.labels[label].removesuffix(" casing") for label in np.unique(render(scene, out="labels"))}
        assert labels == {entity, road} - {"no road"}


@pytest.mark.parametrize(("orientation", "axis"), [("vertical", 0), ("horizontal", 1)])
def test_width_sweep_widens_the_road_alone(orientation, axis):
    design = width_sweep(orientation)
    for width, labels in list(zip(design.factors["width_px"], design.labels()))[::11]:
        road = labels != STYLE.index["neutral"]
        assert (road.sum(1 - axis) == width).all()


def test_distance_sweep_moves_pixel_by_pixel():
    design = distance_sweep("left")
    assert design.factors["distance_px"] == tuple(range(91))
    images = design.images()
    for distance in (1, 45, 90):
        assert (np.roll(images[0], -distance, axis=1) == images[distance]).all()


def test_the_four_directions_are_turns_of_one_another():
    right, left, top, bottom = (distance_sweep(d, width_px=20).images() for d in ("right", "left", "top", "bottom"))
    assert (left == right[:, :, ::-1]).all()
    assert (top == left.transpose(0, 2, 1, 3)).all()
    assert (bottom == right.transpose(0, 2, 1, 3)).all()


def test_interaction_and_angles():
    both = interaction("top", [9, 21], [0, 5, 90])
    assert both.factors == {"width_px": (9, 9, 9, 21, 21, 21), "distance_px": (0, 5, 90, 0, 5, 90)}
    assert [scene.roads[0].offset for scene in both.scenes] == [0, -5, -90, 0, -5, -90]
    assert [scene.roads[0].angle for scene in angle_sweep(angles=(0, 30)).scenes] == [0, 30]
    assert len({scene.to_json() for scene in angle_sweep().scenes}) == 180


def test_grid_is_a_full_factorial():
    scene = Scene(features=[Road("trunk")])
    design = grid(
        scene, {"land": ["park", "water"], "roads[0].width_m": [5, 7], "roads[0].name": ["trunk", "motorway"]}
    )
    assert len({s.to_json() for s in design.scenes}) == len(design) == 8
    assert [s.land for s in design.scenes] == list(design.factors["land"])
    assert sweep(scene, "land", ["park"]).scenes[0].land == "park"
    assert len(list(design.pairs())) == 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grid(Scene(), {}), "at least one factor"),
        (lambda: sweep(Scene(), "land", []), "at least one factor with at least one value"),
        (lambda: sweep(Scene(), "size_px", [8, 16]).images(), r"scenes: expected one size_px for all, got \[8, 16\]"),
        (lambda: Sweep((Scene(),), {"a": (1, 2)}), r"factors\['a'\]: expected 1 values, one per scene, got 2"),
        (lambda: Sweep((), {}), "at least one scene"),
        (lambda: width_sweep("diagonal"), "orientation: expected one of vertical, horizontal, got 'diagonal'"),
        (lambda: distance_sweep("north"), "direction: expected one of right, left, bottom, top, got 'north'"),
        (lambda: width_sweep(widths_px=[0]), "width_px: expected a number above 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_land_use_features():
    scene = Scene(land="park", features=[Road("trunk", width_m=10, angle=90, offset=28)])
    found = features(scene)
    assert found["trunk_area_m2"] == pytest.approx(800)
    assert found["park_area_m2"] == pytest.approx(5600)
    assert found["trunk_length_m"] == pytest.approx(80)
    assert found["trunk_distance_m"] == pytest.approx(10)
    assert found["park_distance_m"] < 1
    assert found["forest_distance_m"] == pytest.approx(40 * 2**0.5)
    assert found["motorway_length_m"] == 0
    assert set(features(Scene())) == set(found)


def test_length_of_a_path_inside_the_tile():
    path = [(-100, 10), (0, 10), (30, 50), (30, 100)]
    found = features(Scene(features=[Road("trunk", path_m=path)]), classes=["trunk"])
    assert found["trunk_length_m"] == pytest.approx(40 + 50 * 0.75)
    assert found["trunk_distance_m"] == pytest.approx(10)
    diagonal = features(Scene(features=[Road("trunk", angle=45)]), classes=["trunk"])
    assert diagonal["trunk_length_m"] == pytest.approx(80 * 2**0.5)


def test_land_use_of_an_unknown_class():
    with pytest.raises(ValueError, match=r"classes\[0\]: expected one of neutral"):
        features(Scene(), classes=["wod"])
