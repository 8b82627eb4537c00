import itertools
import json
import struct
import sys

import numpy as np
import pytest

FAKE = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from cargen import Rendering

def draw(properties):
    image = np.empty((8, 8, 3), dtype=np.uint8)
    image[:4], image[4:] = (np.multiply(rgb, 255) for rgb in (properties.car_rgb, properties.background_rgb))
    return Rendering(image, np.full((8, 8), int(properties.rotation / 2), dtype=np.uint8), np.ones((8, 8)))

def make():
    return draw

def slow():
    return lambda properties: time.sleep(0.01) or draw(properties)

def killed_once():
    def deadly(properties):
        note = Path(os.environ["KILLED_ONCE"])
        if properties.rotation == 90 and not note.exists():
            note.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return draw(properties)
    return deadly

def always_failing():
    def failing(properties):
        note = Path(os.environ["KILLED_ONCE"])
        note.write_text(note.read_text() + "x" if note.exists() else "x")
        raise ValueError("no such colour")
    return failing

def always_killed():
    return lambda properties: os.kill(os.getpid(), signal.SIGKILL)
"""

AC3D = """AC3Db
MATERIAL "m" rgb 1 1 1 amb 1 1 1 emis 0 0 0 spec 0 0 0 shi 0 trans 0
OBJECT world
kids 1
OBJECT group
name "all"
loc 10 0 0
kids 2
OBJECT poly
name "BODY"
data 5
hello
rot 0 0 1 0 1 0 -1 0 0
numvert 4
0 0 0 0 0 1
1 0 0 0 0 1
1 1 0 0 0 1
0 1 0 0 0 1
numsurf 2
SURF 0x10
mat 0
refs 4
0 0 0
1 0 0
2 0 0
3 0 0
SURF 0x2
mat 0
refs 2
0 0 0
1 0 0
kids 0
OBJECT poly
name "STRIP"
loc 0 0 5
numvert 4
0 0 0
0 1 0
1 0 0
1 1 0
numsurf 1
SURF 0x14
mat 0
refs 4
0 0 0 0 0
1 0 0 0 0
2 0 0 0 0
3 0 0 0 0
kids 0
"""


def pack_glb(document, binary):
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<2I", len(text), 0x4E4F534A) + text + struct.pack("<2I", len(binary), 0x004E4942) + binary
    return struct.pack("<4s2I", b"glTF", 2, 12 + len(chunks)) + chunks


def pytest_collect_file(file_path, parent):
    """On Python 3.13 the extra blender installs Blender, so its tests are tests like all others."""
    if file_path.name == "optional_blender.py" and sys.version_info[:2] == (3, 13):
        return pytest.Module.from_parent(parent, path=file_path)
    return None


@pytest.fixture
def fake(tmp_path_factory, monkeypatch):
    """A module with renderers that need no Blender; worker processes can import it."""
    folder = tmp_path_factory.mktemp("fake")
    (folder / "fake_cars.py").write_text(FAKE)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "fake_cars", raising=False)
    monkeypatch.setenv("KILLED_ONCE", str(folder / "killed"))
    import fake_cars

    return fake_cars


@pytest.fixture
def obj_file(tmp_path):
    """A car of two boxes in centimetres, z up, its front along -y."""

    def box(low, high):
        corners = [[(low, high)[bit >> axis & 1][axis] for axis in range(3)] for bit in range(8)]
        return [f"v {x} {y} {z}" for x, y, z in corners]

    faces = [(1, 2, 4, 3), (5, 6, 8, 7), (1, 2, 6, 5), (3, 4, 8, 7), (1, 3, 7, 5), (2, 4, 8, 6)]
    lines = ["o body", "usemtl red", *box((-90, -220, 20), (90, 220, 100))]
    lines += [f"f {' '.join(f'{corner}/1' for corner in face)}" for face in faces]
    lines += ["o cabin", "usemtl window", *box((-80, -100, 100), (80, 150, 150))]
    lines += [f"f {' '.join(str(corner - 9) for corner in face)}" for face in faces]
    path = tmp_path / "car.obj"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def glb_document():
    """A square of two triangles, below a turned and a moved node."""
    positions = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype="<f4").tobytes()
    corners = np.array([0, 1, 2, 0, 2, 3], dtype="<u2").tobytes()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"children": [1], "translation": [10, 0, 0]},
            {"name": "car", "mesh": 0, "rotation": [0, 0, 0.5**0.5, 0.5**0.5], "scale": [2, 2, 2]},
        ],
        "materials": [{"name": "red"}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0}, "indices": 1, "material": 0},
                    {"attributes": {}, "mode": 1},
                ]
            }
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(positions)},
            {"buffer": 0, "byteOffset": len(positions), "byteLength": len(corners)},
        ],
        "buffers": [{"byteLength": len(positions) + len(corners)}],
    }
    return document, positions + corners


@pytest.fixture
def meshes(tmp_path, obj_file, glb_document):
    """One file of each kind by its suffix."""
    ac3d, binary = tmp_path / "car.acc", tmp_path / "car.glb"
    ac3d.write_text(AC3D)
    binary.write_bytes(pack_glb(*glb_document))
    return {".acc": ac3d, ".obj": obj_file, ".glb": binary}


@pytest.fixture
def glb():
    """A function from a document and its binary data to a GLB file."""
    return pack_glb


@pytest.fixture
def check_sweep():
    """Check that any two values of a property are two pictures, and differ where that property shows alone."""

    def check(renderer, name, cars):
        pictures = [renderer(car) for car in cars]
        for first, second in itertools.combinations(pictures, 2):
            difference = np.abs(first.image.astype(int) - second.image).max(axis=-1)
            car = (first.mask == 255) & (second.mask == 255)
            assert difference.mean() > 0.3
            if name.startswith("background"):
                assert difference[first.mask == 0].min() > 0
                assert not difference[car].any()  # the background never tints the car
            if name.startswith(("car_", "sun")):
                assert (difference[car] > 0).mean() > 0.3
            if name.startswith("car_"):
                assert not difference[0].any()
            same_outline = name.startswith(("car_", "sun", "background"))
            assert (first.mask == second.mask).all() == same_outline

    return check
