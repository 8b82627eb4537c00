"""Every argument of every public function is used, or refused by name; damaged files are named."""

import inspect
import io
import json
import math
import sys
from argparse import Namespace
from pathlib import Path

import mapgen
import numpy as np
import pytest
from mapgen import (
    Area,
    Building,
    ClassStyle,
    Response,
    Road,
    Scene,
    Style,
    Sweep,
    Water,
    linearise,
    probe,
    read_map,
    render,
    sweep,
    symmetry_test,
    width_sweep,
    write_sweep,
)  # fmt: skip
from mapgen._cli import _scene, _style
from mapgen.maplur import MapLUR, nn, train
from matplotlib import pyplot

GEOJSON = {
    "type": "Feature",
    "properties": {"landuse": "forest"},
    "geometry": {"type": "Polygon", "coordinates": [[[8, 50], [8.001, 50], [8.001, 50.001], [8, 50]]]},
}
OSM = (
    '<?xml version="1.0"?><osm version="0.6"><node id="1" lat="50.0" lon="8.0" version="1"/>'
    '<node id="2" lat="50.001" lon="8.001" version="1"/>'
    '<way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way></osm>'
)
SQUARE = [(-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0)]
HOLES = [[(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]]
SCENE = Scene(size_px=8, features=[Road("trunk", width_px=3)])
WIDTHS = sweep(SCENE, "roads[0].width_px", range(1, 8))
CURVE = Response(WIDTHS, np.log(np.arange(1.0, 8)))
IMAGES = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)

WRONG = [
    None, object(), "wrong", b"", [], {}, True, 0, -1, 2.5, math.nan, math.inf, 10**30, 1j,
    "", "x" * 10**5, "trunk\0", -1.5, -math.inf, 1e308, 5e-324, 2**31, -(10**30), (), (1, 2), [[]], [None], ["a", 1],
    {"a": 1}, {1, 2}, frozenset(), range(0), range(3), lambda *_: 3, Ellipsis, Path("none"), bytearray(3), 1 + 0j,
    np.float64("nan"), np.float32("inf"), np.int8(-1), np.uint8(3), np.bool_(True), np.array([]), np.array(3.0),
    np.zeros((3, 3)), np.array([np.nan, 1]), np.array(["a"]), np.array([None]), SCENE, WIDTHS, CURVE, SQUARE,
    [(0, 0), (9, 9), (9, 0), (0, 9)], [(0, 0)] * 4, [(0, 0), (math.nan, 1), (2, 2)],
    [(1e308, 0), (-1e308, 9), (0, 1e308)],
]  # fmt: skip


class Model:
    """Answers with the mean of an image."""

    def predict(self, rows):
        return rows.mean(1)


def brightness(images):
    return images.mean((1, 2, 3))


def drawn(**arguments):
    render(Scene(size_px=8, features=[Road(**arguments)]))


def surface(kind):
    return lambda **arguments: render(Scene(size_px=8, features=[kind(**arguments)]))


def scene_drawn(**arguments):
    render(Scene(**arguments))


def look(**arguments):
    style = Style({"lane": ClassStyle(**arguments)})
    Style.from_json(style.to_json())
    render(Scene(size_px=8, land="lane"), style=style)


def few(design):
    """A design whose numbers are few enough to draw."""

    def call(**arguments):
        for scene in design(**arguments).scenes[:2]:
            render(scene)

    return call


def town(folder):
    file = folder / "map.geojson"
    file.write_text(json.dumps(GEOJSON))
    return read_map(file)


def calls(folder):
    """Each public callable by name, and a valid value of each of its arguments."""
    place = town(folder)
    style = Style.osm_carto()
    numbers = iter(range(10**6))
    part = {"land": ["park", "water"], "roads[0].width_px": [1, 2]}
    return {
        "Area": (surface(Area), {"name": "park", "outline_m": SQUARE, "holes_m": HOLES}),
        "Water": (surface(Water), {"name": "water", "outline_m": SQUARE, "holes_m": HOLES}),
        "Building": (surface(Building), {"name": "building", "outline_m": SQUARE, "holes_m": HOLES}),
        "Road": (
            drawn,
            {
                "name": "trunk", "width_px": 21, "width_m": None, "angle": 0.0, "offset": 0.0, "casing": True,
                "path_m": SQUARE[:2],
            },
        ),
        "Road of metres": (drawn, {"name": "trunk", "width_m": 7.5, "angle": 30, "offset": 1}),
        "ClassStyle": (
            look,
            {
                "kind": "road", "fill": "#00ff00", "casing": "#000000", "width_px": 9.0, "casing_px": 1.0,
                "feature": "highway_lane",
            },
        ),
        "Style": (Style, {"classes": {"grass": ClassStyle("land", "#00ff00")}}),
        "Style.__getitem__": (style.__getitem__, {"name": "trunk"}),
        "Style.names": (lambda kinds: [*style.names(kinds), *style.names()], {"kinds": "road"}),
        "Style.require": (
            lambda kinds, **a: [style.require(**a), style.require("land", "park", kinds)],
            {"argument": "land", "name": "park", "kinds": "land"},
        ),
        "Style.from_json": (Style.from_json, {"text": style.to_json()}),
        "Scene": (scene_drawn, {"size_m": 80.0, "size_px": 8, "land": "park", "features": [Road("trunk")]}),
        "Scene.replace": (
            lambda path, value: render(SCENE.replace(path, value)), {"path": "roads[0].width_px", "value": 4},
        ),
        "Scene.insert": (lambda feature: render(SCENE.insert(feature)), {"feature": Road("trunk")}),
        "Scene.remove": (SCENE.remove, {"path": "roads[0]"}),
        "Scene.from_json": (Scene.from_json, {"text": SCENE.to_json()}),
        "Sweep": (Sweep, {"scenes": [SCENE] * 2, "factors": {"a": [1, 2]}}),
        "Sweep.images": (WIDTHS.images, {"style": style, "antialias": False}),
        "Sweep.labels": (WIDTHS.labels, {"style": style}),
        "Sweep.pairs": (lambda **a: next(iter(WIDTHS.pairs(**a))), {"style": style, "antialias": True}),
        "sweep": (sweep, {"scene": SCENE, "path": "roads[0].width_px", "values": [1, 2]}),
        "grid": (mapgen.grid, {"scene": SCENE, "factors": part}),
        "angle_sweep": (
            few(mapgen.angle_sweep), {"road": "trunk", "land": "park", "width_px": 21, "angles": [0, 45]},
        ),
        "width_sweep": (
            few(width_sweep), {"orientation": "vertical", "road": "trunk", "land": "park", "widths_px": [3, 9]},
        ),
        "distance_sweep": (
            few(mapgen.distance_sweep),
            {"direction": "right", "road": "trunk", "land": "park", "width_px": 21, "distances_px": [0, 1]},
        ),
        "interaction": (
            few(mapgen.interaction),
            {"direction": "top", "widths_px": [9], "distances_px": [0, 1], "road": "trunk", "land": "park"},
        ),
        "entity_grid": (mapgen.entity_grid, {}),
        "render": (render, {"scene": SCENE, "style": style, "antialias": False, "out": "array"}),
        "render_with_labels": (mapgen.render_with_labels, {"scene": SCENE, "style": style, "antialias": True}),
        "features": (mapgen.features, {"scene": SCENE, "classes": ["trunk", "park"], "style": style}),
        "probe": (
            probe,
            {
                "model": brightness, "sweep": WIDTHS, "style": style, "antialias": False, "batch_size": 4,
                "output": None, "preprocess": None, "progress": False,
            },
        ),
        "probe of one column": (
            lambda output: probe(lambda images: images.mean((1, 2)), WIDTHS, output=output), {"output": 1},
        ),
        "probe of an answer": (lambda answer: probe(lambda _: answer, WIDTHS), {"answer": np.arange(7.0)}),
        "probe of predictions": (lambda model: probe(model, WIDTHS), {"model": Model()}),
        "Response": (
            lambda **a: [Response(**a).best_fit, Response(**a).pearson, Response(**a).saturation_point()],
            {"sweep": WIDTHS, "output": np.arange(7.0)},
        ),
        "Response.at": (
            lambda **values: Response(mapgen.grid(SCENE, part), np.arange(4.0)).at(**values), {"land": "park"},
        ),
        "Response.saturation_point": (CURVE.saturation_point, {"tolerance": 0.05}),
        "Response.plot": (CURVE.plot, {"axes": None, "style": style}),
        "Response.to_html": (CURVE.to_html, {"title": "Answers"}),
        "Response.to_frame": (CURVE.to_frame, {}),
        "linearise": (linearise, {"response": CURVE}),
        "Transformation.__call__": (linearise(CURVE), {"values": [1.0, 2.0]}),
        "symmetry_test": (
            lambda **a: symmetry_test(**{**a, "permutations": _at_most(9, a["permutations"])}),
            {"responses": {"left": CURVE, "right": CURVE}, "permutations": 9, "seed": 0},
        ),
        "read_map": (read_map, {"path": folder / "map.geojson", "style": style}),
        "Map.scene": (
            lambda **a: render(place.scene(**a)),
            {"x_m": 0.0, "y_m": 0.0, "size_m": 80.0, "size_px": 8, "land": "park"},
        ),
        "Map.tiles": (lambda **a: next(place.tiles(**a)), {"size_m": 80.0, "size_px": 8, "land": "park"}),
        "Map.locate": (place.locate, {"longitude": 8.0, "latitude": 50.0}),
        "write_sweep": (
            lambda sweep, shard_size, **a: write_sweep(
                sweep, folder / str(next(numbers)), shard_size=shard_size, workers=1, **a
            ),
            {"sweep": WIDTHS, "style": style, "antialias": False, "shard_size": 5, "progress": False},
        ),
        "write_sweep to a folder": (lambda out: write_sweep(WIDTHS, out, progress=False), {"out": folder / "sweep"}),
        "write_sweep by workers": (
            lambda workers: write_sweep(WIDTHS, folder / str(next(numbers)), workers=workers, shard_size=9),
            {"workers": 1},
        ),
        "maplur.MapLUR": (MapLUR, {"size_px": 64}),
        "maplur.train": (
            lambda **a: train(_network(), **{**a, "epochs": _at_most(3, a["epochs"])}),
            {
                "images": IMAGES, "targets": [0.0, 1.0], "validation_images": IMAGES, "validation_targets": [0.0, 1.0],
                "epochs": 1, "batch_size": 2, "learning_rate": 1e-3, "patience": 1, "seed": 0, "progress": False,
            },
        ),
        "maplur.train of a model": (
            lambda model: train(model, IMAGES, [0, 1], IMAGES, [0, 1], epochs=1, batch_size=2),
            {"model": _network()},
        ),
    }  # fmt: skip


def _at_most(most, number):
    """A huge number of epochs or permutations is no mistake, only slow."""
    return min(most, number) if type(number) is int and number < 2**63 else number


def _network():
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 1))


# The sweep and map of a response are made by others; what a model or a preprocessing raises is its own.
OWN_ERRORS = {("probe", "preprocess")}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return calls(tmp_path_factory.mktemp("calls"))


def unclear_answers(function, valid, wrongs, skipped=()):
    """Return the number of calls with one wrong argument, and those neither served nor refused by name in one line."""
    function(**valid)
    cases = [(argument, wrong) for argument in valid if argument not in skipped for wrong in wrongs]
    unclear = []
    for argument, wrong in cases:
        try:
            function(**{**valid, argument: wrong})
        except (TypeError, ValueError, OSError) as error:
            refused = "expected" in str(error) and ", got " in str(error) and "\n" not in str(error)
            if not refused and not isinstance(error, OSError):
                unclear.append((argument, wrong, error))
    return len(cases), unclear


def test_every_argument_of_every_public_function_is_used_or_refused_by_name(table, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)  # some wrong paths become folders
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # for bars
    total, unclear = 0, []
    for name, (function, valid) in table.items():
        skipped = [argument for call, argument in OWN_ERRORS if call == name]
        count, found = unclear_answers(function, valid, WRONG, skipped)
        total += count
        unclear += [(name, *case) for case in found]
        pyplot.close("all")
    with capsys.disabled():
        sys.stdout.write(f"\n{total} hostile calls of {len(table)} functions, missing = {len(unclear)}\n")
    assert total > 7000
    assert not unclear


def public():
    """Yield the name of each public function, class and method, and its own arguments."""
    things = {name: getattr(mapgen, name) for name in mapgen.__all__} | {"maplur.MapLUR": MapLUR, "maplur.train": train}
    for name, thing in things.items():
        yield name, thing
        if inspect.isclass(thing) and not issubclass(thing, nn.Module):
            for method, function in vars(thing).items():
                called = getattr(thing, method) if isinstance(function, (classmethod, staticmethod)) else function
                shown = not method.startswith("_") or method == "__getitem__"
                if shown and (inspect.isfunction(called) or inspect.ismethod(called)):
                    yield f"{name}.{method}", called


def test_the_table_holds_every_public_argument(table, capsys):
    tested = {}
    for name, (_, valid) in table.items():
        tested.setdefault(name.split(" ")[0], set()).update(valid)
    tested["write_sweep"] |= {"out", "workers"}
    tested["Response.at"] = {"values"}
    missing = []
    for name, thing in public():
        if name == "Map":  # made by read_map
            continue
        wanted = {argument for argument in inspect.signature(thing).parameters if argument not in ("self", "cls")}
        missing += [(name, argument) for argument in wanted - tested.get(name, set())]
    with capsys.disabled():
        sys.stdout.write(f"\narguments of public functions, missing = {len(missing)}\n")
    assert not missing


def test_a_model_that_takes_a_wrong_argument_raises_its_own_error():
    with pytest.raises(ZeroDivisionError):
        probe(lambda _: 1 / 0, WIDTHS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scene(size_px=0), "size_px: expected a whole number from 1 to 4096, got 0"),
        (lambda: Scene(size_px=-224), "size_px: expected a whole number from 1 to 4096, got -224"),
        (lambda: Scene(size_m=0), "size_m: expected a number of at least 0.001, at most 1e"),
        (lambda: Road("trunk", width_px=0), "width_px: expected a number above 0, at most 4096, got 0"),
        (lambda: Road("trunk", width_px=10_000), "width_px: expected a number above 0, at most 4096, got 10000"),
        (lambda: drawn(name="trunk", offset=500), r"features\[0\]: expected a road that touches the tile"),
        (lambda: drawn(name="trnk"), r"features\[0\].name: expected one of .*motorway.*, got 'trnk'"),
        (lambda: render(Scene(land="lawn")), "land: expected one of .*park.*, got 'lawn'"),
        (lambda: Style.osm_carto()["lawn"], "name: expected one of neutral, .*, got 'lawn'"),
        (lambda: Area("park", [(0, 0), (9, 9), (9, 0), (0, 9)]), "outline_m: expected an outline that does not cross"),
        (lambda: Response(WIDTHS, np.zeros(3)), r"output: expected one number per scene, got output \(3,\), scenes"),
        (lambda: Response(WIDTHS, np.full(7, np.nan)), "output: expected finite numbers, got NaN"),
        (lambda: CURVE.at(width=3), "at: expected factors out of roads"),
        (lambda: CURVE.at(**{"roads[0].width_px": 99}), r"at: expected values out of \{'roads\[0\].width_px': \[1, 2"),
        (lambda: CURVE.at(**{"roads[0].width_px": 3}), "at: expected at least one factor that is left, got roads"),
        (lambda: probe(lambda x: x.mean((1, 2)), WIDTHS), r"model: expected one number per image, .* answer \(7, 3\)"),
        (lambda: probe(lambda x: x.mean((1, 2, 3)) * np.nan, WIDTHS), "model: expected finite answers, got nan"),
        (
            lambda: train(_network(), IMAGES, [0, 1], IMAGES, [0, 1], learning_rate=1e30, epochs=3),
            "learning_rate: expected a rate whose error stays finite",
        ),
        (
            lambda: train(nn.Sequential(nn.Flatten(), nn.Linear(192, 2)), IMAGES, [0, 1], IMAGES, [0, 1]),
            r"model: expected one answer per image, \(n, 1\), got images \(2, 3, 8, 8\), answer \(2, 2\)",
        ),
    ],
)
def test_messages(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float32])
def test_numbers_of_numpy_are_as_good_as_python_s(dtype):
    number = dtype(9)
    scene = Scene(size_px=64, features=[Road("trunk", width_px=number, angle=number, offset=number)])
    assert (render(scene) == render(Scene(size_px=64, features=[Road("trunk", 9, angle=9, offset=9)]))).all()
    assert Scene.from_json(scene.to_json()) == scene


def test_damaged_scenes_and_styles_are_named(town, tmp_path, check_damaged):
    scene, style = tmp_path / "scene.json", tmp_path / "style.json"
    scene.write_text(town.to_json())
    style.write_text(Style.osm_carto().to_json())
    check_damaged(lambda: _scene(scene), scene, cuts=20, flips=60)
    check_damaged(lambda: _style(Namespace(style=style)), style)


@pytest.mark.parametrize(("name", "text"), [("map.geojson", json.dumps(GEOJSON)), ("map.osm", OSM)])
def test_a_damaged_map_is_named(name, text, tmp_path, check_damaged):
    file = tmp_path / name
    file.write_text(text)
    check_damaged(lambda: read_map(file), file, cuts=20, flips=60)


def test_a_damaged_note_is_that_of_another_sweep(tmp_path):
    design = width_sweep(widths_px=[3])
    write_sweep(design, tmp_path / "out", progress=False)
    (tmp_path / "out" / "sweep.sha256").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="out: expected an empty folder, or one of the same sweep"):
        write_sweep(design, tmp_path / "out", progress=False)
