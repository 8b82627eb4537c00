import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import cargen._cli
import numpy as np
import polars
import pytest
from cargen import CarProperties
from cargen._cli import main
from PIL import Image


@pytest.fixture
def command(fake, monkeypatch, tmp_path):
    """The command with a renderer that needs no Blender."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cargen._cli, "Renderer", lambda *_, **__: fake.draw)
    generate = cargen._cli.generate
    monkeypatch.setattr(
        cargen._cli, "generate", lambda *args, **options: generate(*args, **options, make_renderer=fake.make)
    )
    return main


def test_command_render(command, fake):
    arguments = ["--out", "car.png", "--mask", "mask.png", "--set", "rotation=90", "--set", "model=van"]
    assert command(["render", *arguments]) == 0
    expected = fake.draw(CarProperties(model="van", rotation=90))
    assert (np.asarray(Image.open("car.png")) == expected.image).all()
    assert (np.asarray(Image.open("mask.png")) == expected.mask).all()


def test_command_generate(command, capsys):
    arguments = ["--n", "5", "--out", "cars", "--workers", "1", "--set", "rotation=0,90", "--seed", "2"]
    assert command(["generate", *arguments]) == 0
    path, _, text = capsys.readouterr().out.partition(": ")
    assert text.startswith("5 images after ")
    assert command(["digest", "cars"]) == 0
    assert capsys.readouterr().out == cargen.digest("cars") + "\n"
    assert set(polars.read_parquet(path)["rotation"]) <= {0.0, 90.0}


def test_command_sheet(command):
    assert command(["sheet", "--out", "sheet.png", "--set", "sun_elevation=10"]) == 0
    assert np.asarray(Image.open("sheet.png")).shape[0] == 11 * (8 + 16 + 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render", "--out", "car.jpg"], "--out: expected a .png file, got car.jpg"),
        (["render", "--out", "car.png", "--mask", "m.gif"], "--mask: expected a .png file"),
        (["render", "--out", "none/car.png"], "No such file"),
        (["render", "--out", "car.png", "--set", "speed=1"], "--set: expected PROPERTY=VALUE with one of model"),
        (["render", "--out", "car.png", "--set", "rotation"], "--set: expected PROPERTY=VALUE"),
        (["render", "--out", "car.png", "--set", "rotation=fast"], "rotation: expected a number, got fast"),
        (["render", "--out", "car.png", "--set", "rotation=0,90"], "--set: expected one value, got rotation=0.0,90.0"),
        (["render", "--out", "car.png", "--set", "car_hue=2"], "car_hue: expected a number from 0 to below 1"),
        (["render", "--out", "car.png", "--meshes", "none.json"], "No such file"),
        (["render", "--out", "car.png", "--meshes", "broken.json"], "a manifest of cars in JSON"),
        (["render", "--out", "car.png", "--meshes", "."], "expected the cars of TORCS"),
        (["generate", "--out", "cars"], "required: --n"),
        (["generate", "--out", "cars", "--n", "0"], "n: expected a whole number, at least 1"),
        (["generate", "--out", "broken.json", "--n", "1", "--workers", "1"], "broken.json"),
        (["digest", "none"], "none"),
        (["sheet", "--out", "sheet.pdf"], "--out: expected a .png file"),
        ([], "required: {render,generate,digest,sheet}"),
    ],
)
def test_bad_commands_are_one_line(arguments, message, command, capsys):
    Path("broken.json").write_text("{")
    with pytest.raises(SystemExit) as stopped:
        command(arguments)
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert message in error
    assert error.count("\n") == 1


def test_the_command_is_installed():
    assert entry_points(group="console_scripts")["cargen"].value == "cargen._cli:main"
    help_text = subprocess.run([sys.executable, "-m", "cargen", "--help"], capture_output=True, text=True, check=True)
    assert all(word in help_text.stdout for word in ("render", "generate", "sheet"))
