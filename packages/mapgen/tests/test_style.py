"""Every land cover and road of openstreetmap-carto, against the table extracted from its source."""

import csv
import sys
from pathlib import Path

import pytest
from mapgen import Area, Building, ClassStyle, Road, Scene, Style, Water, render

SOURCE = list(csv.DictReader((Path(__file__).parent / "style_source.csv").read_text().splitlines()))
SQUARE = [(-20, -20), (20, -20), (20, 20), (-20, 20)]
LINES = {"roads-fill-fill", "aeroways-fill", "piers-line", "water-lines", "landcover-line", "trees-canopy"}
# Layers without a feature of their own, and names that are no feature of OpenStreetMap's.
UNNAMED = {
    ("ocean", ""): "ocean",
    ("icesheet-poly", ""): "icesheet",
    ("bridge", ""): "bridge",
    ("landcover-line", ""): "cutline",
    ("buildings", ""): "building",
    ("roads-fill-fill", "railway_INT-spur-siding-yard"): "rail_siding",
    ("roads-fill-fill", "railway_INT-preserved-ssy"): "preserved_siding",
    ("roads-fill-fill", "railway_tram-service"): "tram_siding",
}


@pytest.fixture(scope="module")
def style():
    return Style.osm_carto()


def class_of(style, row):
    line = row["layer"] in LINES or row["layer"] == "roads-casing-casing"
    if (row["layer"], row["feature"]) in UNNAMED:
        return UNNAMED[row["layer"], row["feature"]]
    if row["layer"] == "buildings":
        return "major_building"
    for name, look in style.classes.items():
        if look.feature == row["feature"] and line == (look.kind in ("road", "waterway")):
            return name
    return None


def colours(row):
    """The colour itself, and what it becomes over neutral land."""
    rgb = [int(row["colour"][i : i + 2], 16) for i in (1, 3, 5)]
    opacity = float(row["opacity"])
    mixed = [int(c * opacity + n * (1 - opacity) + 0.5) for c, n in zip(rgb, (0xF2, 0xEF, 0xE9))]
    return {row["colour"], "#" + bytes(mixed).hex()}


def test_every_feature_of_the_source_is_a_class_of_its_colour(style, capsys):
    groups = {}
    for row in SOURCE:
        groups.setdefault((row["layer"], row["feature"]), []).append(row)
    # Two land covers have an outline only: there is no colour to take over.
    outlined = {
        key for key, rows in groups.items() if key[0] == "landcover-high-zoom" and all(r["width"] for r in rows)
    }
    assert outlined == {(key, name) for key, name in groups if name in ("amenity_parking_space", "man_made_works")}
    missing, wrong = [], []
    for key, rows in groups.items():
        if key in outlined:
            continue
        name = class_of(style, rows[0])
        if name is None:
            missing.append(key)
            continue
        look = style[name]
        wanted = look.casing if key[0] == "roads-casing-casing" else look.fill
        if wanted not in set.union(*map(colours, rows)):
            wrong.append((key, name, wanted))
    with capsys.disabled():
        sys.stdout.write(f"\n{len(groups)} features of the source, missing = {len(missing)}\n")
    assert not missing
    assert not wrong


def test_every_class_is_a_feature_of_the_source(style):
    known = {class_of(style, row) for row in SOURCE}
    assert set(style.classes) - known == {"neutral"}


def test_nominal_widths_are_those_of_the_casing_or_the_widest_line(style):
    for name, look in style.classes.items():
        rows = [row for row in SOURCE if class_of(style, row) == name and row["width"]]
        if look.kind in ("road", "waterway"):
            outer = [row for row in rows if look.casing in (None, row["colour"])]
            assert look.width_px in {float(row["width"]) for row in outer}, name
            if look.casing:
                inner = {float(row["width"]) for row in rows if row["colour"] == look.fill}
                assert round(look.width_px - 2 * look.casing_px, 6) in inner, name


def test_every_class_is_drawn_in_its_colour(style):
    for name, look in style.classes.items():
        make = {"land": Area, "pier": Area, "paved": Area, "water": Water, "building": Building}.get(look.kind)
        feature = make(name, SQUARE) if make else Road(name, width_px=20)
        image = render(Scene(size_px=32, land="neutral", features=[feature]))
        assert "#" + bytes(image[16, 16]).hex() == look.fill, name
        land = render(Scene(size_px=4, land=name))
        assert "#" + bytes(land[0, 0]).hex() == look.fill, name


def test_thesis_entities(style):
    expected = {
        "neutral": "#f2efe9", "residential": "#e0dfdf", "commercial": "#f2dad9", "industrial": "#ebdbe8",
        "park": "#c8facc", "forest": "#add19e", "water": "#aad3df", "motorway": "#e892a2", "trunk": "#f9b29c",
    }  # fmt: skip
    assert {name: style[name].fill for name in expected} == expected
    assert (style["trunk"].width_px, style["trunk"].casing, style["trunk"].casing_px) == (21, "#c84e2f", 1)


def test_custom_style_round_trip():
    style = Style({"grass": ClassStyle("land", "#00ff00"), "lane": ClassStyle("road", "#ffffff", width_px=4)})
    assert Style.from_json(style.to_json()) == style
    image = render(Scene(size_px=8, land="grass", features=[Road("lane")]), style=style)
    assert (image == 255).all(-1).sum() == 4 * 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "sea", "fill": "#000000"}, "kind: expected one of land, water"),
        ({"kind": "land", "fill": "red"}, "fill: expected a colour like"),
        ({"kind": "road", "fill": "#000000"}, "width_px: expected a width for roads"),
        ({"kind": "land", "fill": "#000000", "width_px": 3}, "none for others"),
        ({"kind": "road", "fill": "#000000", "width_px": -3}, "a number above 0, at most 4096, got -3"),
        ({"kind": "land", "fill": "#000000", "casing_px": float("nan")}, "casing_px: expected"),
    ],
)
def test_bad_looks(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClassStyle(**arguments)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 3}', '{"a": {"kind": "land", "colour": "#000000"}}', "{}"])
def test_bad_style_files(text):
    with pytest.raises(ValueError, match="expected"):
        Style.from_json(text)


def test_too_many_classes():
    with pytest.raises(ValueError, match="at most 256 classes and casings, got 300"):
        Style({str(number): ClassStyle("land", "#000000") for number in range(300)})
