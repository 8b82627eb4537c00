"""Hostile arguments are used or refused by name, and damaged meshes, manifests and folders are named."""

import os
import shutil
from contextlib import suppress
from dataclasses import asdict

import pytest
from cargen import (
    CarMesh,
    CarProperties,
    IndexRenderer,
    Manifest,
    Part,
    Wheels,
    contact_sheet,
    digest,
    generate,
    read_mesh,
    sample,
    sweep,
)

CORNERS = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
PART = Part("a", CORNERS, [[0, 1, 2]])
MESH = {"name": "box", "file": "car.obj", "licence": "CC0", "scale": 0.01, "up": "z", "forward": "-y"}


def few(n, **arguments):
    # 10**30 cars would never end, and that is no mistake.
    return sample(n if n != 10**30 else 2, **arguments)


def placed(**arguments):
    return PART.placed(**arguments)


def drawn(index, **arguments):
    return IndexRenderer(**arguments).properties(index)


CALLS = {
    "CarProperties": (CarProperties, asdict(CarProperties())),
    "sample": (few, {"n": 2, "seed": 0, "values": {"rotation": [0, 90]}}),
    "values of a sample": (
        lambda **values: sample(2, values=values),
        {"rotation": [0, 90], "model": ["suv"], "focal_length": [35], "backdrop": [None]},
    ),
    "sweep": (sweep, {"name": "rotation", "values": [0, 90], "base": CarProperties()}),
    "Part": (Part, {"name": "a", "vertices": CORNERS, "triangles": [[0, 1, 2]]}),
    "placed": (placed, {"scale": 2.0, "offset": (0, 0, 1)}),
    "oriented": (PART.oriented, {"up": "y", "forward": "x"}),
    "Wheels": (Wheels, {"axles": (1, -1), "track": 1.5, "radius": 0.3, "width": 0.2, "ground": 0.0}),
    "CarMesh": (CarMesh, {**MESH, "materials": {"paint": ["body/*"]}, "rest": "trim", "wheels": None}),
    "patterns": (lambda paint: CarMesh(**MESH, materials={"paint": paint}), {"paint": ["body/*"]}),
    "Manifest": (Manifest, {"cars": [CarMesh(**MESH)], "folder": "."}),
    "IndexRenderer": (
        drawn,
        {
            "index": 0, "seed": 0, "values": {"rotation": [0]}, "meshes": None, "quality": "photo", "size_px": 64,
            "threads": 1, "make_renderer": None,
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) == 14 * len(valid)


def test_hostile_paths_are_refused_by_name(check_arguments, obj_file, monkeypatch):
    monkeypatch.chdir(obj_file.parent)
    Manifest([CarMesh(**MESH)]).write("cars.json")

    def found(function):
        def call(path):
            with suppress(FileNotFoundError, IsADirectoryError):
                function(path)

        return call

    assert check_arguments(read_mesh, path=str(obj_file)) == 14
    assert check_arguments(found(Manifest.read), path="cars.json") == 14
    assert check_arguments(found(Manifest.torcs), path=".") == 14
    assert check_arguments(found(digest), path=".") == 14


def test_hostile_arguments_of_drawing_are_refused_by_name(check_arguments, fake):
    drawing = IndexRenderer(make_renderer=fake.make)
    assert check_arguments(lambda indices: [*drawing.rows(indices)], indices=[0, 1]) == 14
    assert check_arguments(drawing, batch={"id": [0, 1]}) == 14
    valid = {"renderer": fake.draw, "values": {"rotation": [0]}, "base": CarProperties()}
    assert check_arguments(contact_sheet, **valid) == 14 * len(valid)


def test_hostile_arguments_of_generate_are_refused_by_name(check_arguments, fake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nothing here must outlive a crash

    def made(n, workers, make_renderer, **arguments):
        # So many cars or processes would never end, and that is no mistake; nor is Blender, which may be missing.
        n, workers = 2 if n == 10**30 else n, 1 if workers == 10**30 else workers
        make_renderer = fake.make if make_renderer is None else make_renderer
        generate(n=n, workers=workers, make_renderer=make_renderer, progress=False, **arguments)
        shutil.rmtree(arguments["out"])

    valid = {
        "out": "cars", "n": 2, "seed": 0, "values": {"rotation": [0]}, "meshes": None, "quality": "photo",
        "size_px": 64, "workers": 1, "shard_size": 2, "make_renderer": fake.make,
    }  # fmt: skip
    assert check_arguments(made, **valid) == 14 * len(valid)


@pytest.mark.parametrize("suffix", [".acc", ".obj", ".glb"])
def test_a_damaged_mesh_is_named(suffix, meshes, check_damaged):
    file = meshes[suffix]
    check_damaged(lambda: read_mesh(file), file, cuts=20, flips=60)


def test_a_damaged_manifest_is_named(tmp_path, check_damaged):
    file = tmp_path / "cars.json"
    Manifest([CarMesh(**MESH, materials={"paint": ["body/*"]}, wheels=Wheels((1, -1), 1.5, 0.3))]).write(file)
    check_damaged(lambda: Manifest.read(file), file, cuts=20, flips=60)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"null", b"[" * 100_000])
def test_damaged_settings_are_those_of_another_run(data, fake, tmp_path):
    generate(tmp_path, n=1, make_renderer=fake.make)
    (tmp_path / "settings.json").write_bytes(data)
    with pytest.raises(ValueError, match="out: expected an empty folder, or one of the same run"):
        generate(tmp_path, n=1, make_renderer=fake.make)
