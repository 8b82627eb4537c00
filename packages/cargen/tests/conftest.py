import sys

import pytest

FAKE = """
import os, signal, sys
from pathlib import Path
import numpy as np
from cargen import Rendering

def draw(properties):
    image = np.empty((8, 8, 3), dtype=np.uint8)
    image[:4], image[4:] = (np.multiply(rgb, 255) for rgb in (properties.car_rgb, properties.background_rgb))
    return Rendering(image, np.full((8, 8), int(properties.rotation / 2), dtype=np.uint8), np.ones((8, 8)))

def make():
    return draw

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
