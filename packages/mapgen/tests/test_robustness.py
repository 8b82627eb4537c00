"""Damaged scenes, styles, maps and sweeps are named."""

import json
from argparse import Namespace

import pytest
from mapgen import Style, read_map, width_sweep, write_sweep
from mapgen._cli import _scene, _style

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
