import subprocess
import sys
from pathlib import Path

import pytest
from cargen import CarProperties, IndexRenderer, Manifest, sample
from cargen._bodies import BODIES
from cargen._default import default_models, find_torcs, known_models, mesh_files

TORCS = ("car1-trb1", "car2-trb1", "car3-trb1", "car5-trb1", "car7-trb1", "car1-stock1")
PRINTED = """
import cargen
from cargen import CarProperties, IndexRenderer, Renderer, sample
print(*cargen.PROPERTY_VALUES["model"])
print(CarProperties().model)
print(*(car.model for car in sample(200)))
print(*(IndexRenderer().properties(index).model for index in range(200)))
print(IndexRenderer(values={"model": ["van"]}).properties(0).model)
"""


@pytest.fixture
def data_home(tmp_path, monkeypatch):
    """A home of data in which TORCS's cars lie where the documented command unpacks them."""
    for name in TORCS:
        folder = tmp_path / "cargen/usr/share/games/torcs/cars" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.acc").write_text("AC3Db")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def test_the_cars_of_torcs_are_the_default_where_they_are(data_home):
    done = subprocess.run([sys.executable, "-c", PRINTED], capture_output=True, text=True, check=True)
    values, default, sampled, drawn, van = done.stdout.splitlines()
    assert values.split() == [*TORCS]
    assert default == TORCS[0]
    assert {*sampled.split()} == {*TORCS}
    assert drawn == sampled
    assert van == "van"  # our own cars can be drawn, too


def test_all_six_must_be_there(data_home, monkeypatch):
    found = find_torcs()
    assert found is not None
    assert found.names == TORCS
    assert str(data_home) in found.folder
    monkeypatch.setattr("cargen._default.torcs_places", lambda: (data_home / "none", found.folder))
    assert find_torcs() == found
    Path(found.folder, "car7-trb1/car7-trb1.acc").unlink()
    assert find_torcs() is None
    with pytest.raises(FileNotFoundError, match=r"without car7-trb1/car7-trb1\.acc"):
        Manifest.torcs(found.folder)


@pytest.mark.parametrize("present", [False, True])
def test_our_own_cars_are_the_default_where_torcs_is_not(present, data_home, monkeypatch):
    found = find_torcs() if present else None
    monkeypatch.setattr("cargen._default.TORCS", found)
    monkeypatch.setattr("cargen._default.DEFAULT_MODELS", found.names if found else BODIES)
    assert default_models(None) == (TORCS if present else BODIES)
    assert known_models(None) == ((*TORCS, *BODIES) if present else BODIES)
    assert [car.name for car, _ in mesh_files(None, ["van", "car5-trb1"])] == (["car5-trb1"] if present else [])
    assert known_models(Manifest.torcs(find_torcs().folder)) == TORCS


def test_default_values_fit_together():
    assert CarProperties() in {CarProperties(model=name) for name in default_models(None)}
    assert {car.model for car in sample(200)} == {*default_models(None)}
    with pytest.raises(ValueError, match=r"values\['model'\]: expected some of .*sedan.*, got tank"):
        IndexRenderer(values={"model": ["tank"]})
