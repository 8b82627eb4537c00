import io
import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import mapgen._write
import numpy as np
import pytest
from mapgen import Scene, Style, entity_grid, render, width_sweep, write_sweep
from mapgen._cli import main
from mapgen._png import encode_pair, encode_png
from PIL import Image
from pyarrow import parquet

DESIGN = width_sweep(widths_px=range(3, 33, 3))


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_folder_holds_images_labels_and_manifest(tmp_path):
    manifest = parquet.read_table(write_sweep(DESIGN, tmp_path, shard_size=4)).to_pydict()
    style = Style.from_json((tmp_path / "style.json").read_text())
    assert manifest["width_px"] == list(DESIGN.factors["width_px"])
    for row, scene in enumerate(DESIGN.scenes):
        assert Scene.from_json(manifest["scene"][row]) == scene
        image = np.asarray(Image.open(tmp_path / manifest["image"][row]).convert("RGB"))
        labels = np.asarray(Image.open(tmp_path / manifest["labels"][row]))
        assert (image == render(scene)).all()
        assert (style.palette[labels] == image).all()
    assert len(list((tmp_path / "shards").iterdir())) == 3


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (64, 64), (1, 1, 3), (5, 2, 3), (224, 224, 3)])
def test_any_pixels_survive_a_png(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(encode_png(pixels)))) == pixels).all()


def test_a_palette_file_has_the_colours_and_the_labels():
    labels, palette = render(DESIGN.scenes[4], out="labels"), Style.osm_carto().palette
    picture, mask = (Image.open(io.BytesIO(data)) for data in encode_pair(labels, palette))
    assert (np.asarray(picture.convert("RGB")) == palette[labels]).all()
    assert (np.asarray(mask) == labels).all()


def test_workers_write_the_same_bytes(tmp_path):
    for workers in (1, 2):
        write_sweep(entity_grid(), tmp_path / str(workers), shard_size=12, workers=workers, antialias=True)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_an_interrupted_run_continues(tmp_path, monkeypatch):
    write_sweep(DESIGN, tmp_path / "whole", shard_size=3)
    draw, drawn = mapgen._write._draw_shard, []

    def fails_in_the_second_shard(task):
        if len(drawn) == 1:
            Path(task[0] / "images" / f"{task[1]:06d}.png").write_bytes(b"half")  # a crash inside a write
            raise OSError(28, "No space left on device")
        drawn.append(task[1])
        return draw(task)

    monkeypatch.setattr(mapgen._write, "_draw_shard", fails_in_the_second_shard)
    with pytest.raises(OSError, match="No space left"):
        write_sweep(DESIGN, tmp_path / "part", shard_size=3)
    assert not (tmp_path / "part" / "manifest.parquet").exists()
    assert [path.name for path in (tmp_path / "part" / "shards").iterdir()] == ["000000.parquet"]

    monkeypatch.setattr(mapgen._write, "_draw_shard", lambda task: drawn.append(task[1]) or draw(task))
    write_sweep(DESIGN, tmp_path / "part", shard_size=3)
    assert drawn == [0, 3, 6, 9]
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")
    write_sweep(DESIGN, tmp_path / "part", shard_size=3)
    assert len(drawn) == 4


def test_a_full_disk_leaves_no_shard_done(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_sweep(DESIGN, tmp_path / "out")
    assert not list(tmp_path.rglob("*.parquet"))


def test_folders_of_something_else_are_refused(tmp_path):
    write_sweep(DESIGN, tmp_path / "a")
    before = contents(tmp_path / "a")
    for other in ({"antialias": True}, {"shard_size": 2}):
        with pytest.raises(ValueError, match="out: expected an empty folder, or one of the same sweep"):
            write_sweep(DESIGN, tmp_path / "a", **other)
    with pytest.raises(ValueError, match="out: expected an empty folder"):
        write_sweep(entity_grid(), tmp_path / "a")
    with pytest.raises(ValueError, match="out: expected an empty folder"):
        write_sweep(DESIGN, Path(__file__).parent)
    with pytest.raises(ValueError, match="workers: expected a whole number of at least 1"):
        write_sweep(DESIGN, tmp_path / "b", workers=0)
    assert contents(tmp_path / "a") == before


def test_command_render(tmp_path, town):
    (tmp_path / "scene.json").write_text(town.to_json())
    files = [str(tmp_path / name) for name in ("scene.json", "image.png", "labels.png", "image.svg")]
    assert main(["render", files[0], "--out", files[1], "--labels", files[2]]) == 0
    assert (np.asarray(Image.open(files[1])) == render(town)).all()
    assert (np.asarray(Image.open(files[2])) == render(town, out="labels")).all()
    assert main(["render", files[0], "--out", files[1], "--antialias"]) == 0
    assert (np.asarray(Image.open(files[1])) == render(town, antialias=True)).all()
    assert main(["render", files[0]]) == 0
    assert (np.asarray(Image.open(tmp_path / "scene.png")) == render(town)).all()
    assert main(["render", files[0], "--out", files[3]]) == 0
    assert Path(files[3]).read_text() == render(town, out="svg")


def test_command_sweep(tmp_path, town, capsys):
    (tmp_path / "scene.json").write_text(town.to_json())
    arguments = [
        "--scene",
        str(tmp_path / "scene.json"),
        "--vary",
        "roads[1].width_px=4:8.5:2",
        "--vary",
        "land=park,water",
    ]
    assert main(["sweep", *arguments, "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    manifest = parquet.read_table(capsys.readouterr().out.strip()).to_pydict()
    assert manifest["roads[1].width_px"] == [4, 4, 6, 6, 8, 8]
    assert manifest["land"] == ["park", "water"] * 3
    assert main(["sweep", "--design", "entity", "--out", str(tmp_path / "entities"), "--workers", "1"]) == 0
    assert len(list((tmp_path / "entities" / "images").iterdir())) == 23


def test_command_probe(tmp_path, capsys, monkeypatch):
    (tmp_path / "redness.py").write_text("def make():\n    return lambda images: images[..., 0].mean((1, 2))\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    arguments = ["probe", "--model", "redness:make", "--design", "width-vertical"]
    assert main([*arguments, "--out", "page.html", "--json", "numbers.json"]) == 0
    numbers = json.loads(Path("numbers.json").read_text())
    expected = width_sweep().images()[..., 0].mean((1, 2))
    assert numbers["output"] == pytest.approx(expected.tolist())
    assert f"<td>{numbers['output'][7]:.6g}</td>" in Path("page.html").read_text()
    assert capsys.readouterr().out.splitlines()[0] == f"3\t{expected[0]:.6g}"
    assert main(["probe", "--model", "redness:make"]) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == [str(d) for d in range(91)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render", "none.json", "--out", "a.png"], "No such file"),
        (["render", "scene.json", "--out", "a.jpg"], "--out: expected a .png or .svg file, got a.jpg"),
        (["render", "scene.json", "--out", "a.png", "--labels", "b.jpg"], "--labels: expected a .png file"),
        (["render", "broken.json", "--out", "a.png"], "text: expected a scene in JSON"),
        (["render", "scene.json", "--out", "none/a.png"], "No such file"),
        (["render", "scene.json", "--out", "a.png", "--style", "scene.json"], "expected a style in JSON"),
        (["sweep", "--out", "x"], "--design: expected either --design, or --scene with --vary, got neither"),
        (["sweep", "--design", "entity", "--vary", "land=park", "--out", "x"], "--vary: expected a --scene to change"),
        (["sweep", "--scene", "scene.json", "--out", "x"], "at least one factor"),
        (["sweep", "--scene", "scene.json", "--vary", "land", "--out", "x"], "--vary: expected PATH=VALUES, got land"),
        (["sweep", "--scene", "scene.json", "--vary", "land=1:2:0", "--out", "x"], "START:STOP:STEP, the step not 0"),
        (
            ["sweep", "--scene", "scene.json", "--vary", "land=wod", "--out", "x", "--workers", "1"],
            "land: expected one of",
        ),
        (["sweep", "--scene", "scene.json", "--vary", "roads[0].width_px=3:1", "--out", "x"], "at least one value"),
        (
            ["sweep", "--design", "entity", "--out", "x", "--workers", "0"],
            "workers: expected a whole number of at least 1",
        ),
        (["probe", "--model", "nothing", "--design", "entity"], "--model: expected MODULE:NAME of something to import"),
        (["probe", "--model", "no_such:thing", "--design", "entity"], "No module named"),
        (
            ["probe", "--model", "json:thing", "--design", "entity"],
            "--model: expected MODULE:NAME of something to import",
        ),
        ([], "required: {render,sweep,probe}"),
    ],
)
def test_bad_commands_are_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("scene.json").write_text('{"features": [{"type": "road", "name": "trunk"}]}')
    Path("broken.json").write_text("{")
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert message in error
    assert error.count("\n") == 1


def test_the_command_is_installed():
    assert entry_points(group="console_scripts")["mapgen"].value == "mapgen._cli:main"
    help_text = subprocess.run([sys.executable, "-m", "mapgen", "--help"], capture_output=True, text=True, check=True)
    assert all(command in help_text.stdout for command in ("render", "sweep", "probe"))


def test_missing_pyarrow_names_the_extra(without, tmp_path):
    without("pyarrow")
    with pytest.raises(ImportError, match=r'pip install "mapgen\[cli\]"'):
        write_sweep(DESIGN, tmp_path)
