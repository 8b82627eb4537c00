import numpy as np
import pytest
from cargen import CarMesh, Manifest, Part, Wheels
from cargen._bodies import BODIES, parametric_car
from cargen._materials import MATERIALS


def test_parts_check_their_triangles():
    with pytest.raises(ValueError, match="triangles: expected indices of the 1 vertices of 'a'"):
        Part("a", [[0, 0, 0]], [[0, 0, 1]])
    with pytest.raises(ValueError, match="vertices: expected finite positions"):
        Part("a", [[0, 0, np.nan]], [[0, 0, 0]])


@pytest.mark.parametrize("up", ["x", "y", "z", "-x", "-y", "-z"])
@pytest.mark.parametrize("forward", ["x", "y", "z", "-x", "-y", "-z"])
def test_orientation_turns_and_never_mirrors(up, forward):
    part = Part("a", np.eye(3), [[0, 1, 2]])
    if up[-1] == forward[-1]:
        with pytest.raises(ValueError, match="forward: expected an axis across"):
            part.oriented(up=up, forward=forward)
        return
    turned = part.oriented(up=up, forward=forward).vertices
    sign = {True: -1, False: 1}
    assert turned["xyz".index(forward[-1])].tolist() == [sign[forward.startswith("-")], 0, 0]
    assert turned["xyz".index(up[-1])].tolist() == [0, 0, sign[up.startswith("-")]]
    assert np.linalg.det(turned) == pytest.approx(1)


def test_a_manifest_makes_cars(obj_file):
    car = CarMesh("box", obj_file.name, "CC0", 0.01, "z", "-y", {"paint": ["body/*"], "glass": ["*/window"]})
    manifest = Manifest([car], obj_file.parent)
    body, cabin = manifest.load()["box"]
    assert (body.name, cabin.name) == ("paint", "glass")
    vertices = np.concatenate([body.vertices, cabin.vertices])
    assert vertices.min(0) == pytest.approx([-2.2, -0.9, 0])
    assert vertices.max(0) == pytest.approx([2.2, 0.9, 1.3])
    assert cabin.vertices[:, 0].max() == pytest.approx(1.0)  # its longer end is the rear


def test_a_manifest_is_written_and_read(tmp_path):
    cars = [
        CarMesh("a", "a.glb", "CC0", up="z", rest="paint"),
        CarMesh("b", "b.acc", "MIT", wheels=Wheels((1, -1), 1.5, 0.3)),
    ]
    Manifest(cars, tmp_path).write(tmp_path / "cars.json")
    found = Manifest.read(tmp_path / "cars.json")
    assert found == Manifest(cars, tmp_path)
    assert hash(found) == hash(Manifest(cars, tmp_path))


@pytest.mark.parametrize(("axles", "radius"), [([1], 0.3), ([1, -1], 0), ([1, float("nan")], 0.3)])
def test_bad_wheels(axles, radius):
    with pytest.raises(ValueError, match="wheels: expected two axles, and positive track, radius and width"):
        Wheels(axles, track=1.5, radius=radius)


def test_wheels_are_added_below_a_mesh(obj_file):
    wheels = Wheels([1.3, -1.3], track=1.5, radius=0.3, ground=0.1)
    car = CarMesh("box", obj_file.name, "CC0", 0.01, "z", "-y", {"paint": ["body/*"]}, wheels=wheels)
    parts = Manifest([car], obj_file.parent).load()["box"]
    tyres = np.concatenate([part.vertices for part in parts if part.name == "tyre"])
    assert tyres[:, 2].min() == pytest.approx(0)
    assert tyres[:, 2].max() == pytest.approx(0.6)
    assert next(part for part in parts if part.name == "paint").vertices[:, 2].min() == pytest.approx(0.1)
    assert {part.name for part in parts} == {"paint", "trim", "tyre", "rim"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 0}, "scale: expected a positive number"),
        ({"scale": 1.0}, "scale: expected a car 1 to 20 m long, got box, 440 m"),
        ({"up": "w"}, "up: expected x, y, z, -x, -y or -z, got w"),
        ({"materials": {"gold": ["*"]}}, "materials: expected some of paint"),
        ({"materials": {"paint": ["nothing"]}}, "materials: expected a part of car.obj that is paint"),
    ],
)
def test_bad_cars(change, message, obj_file):
    entry = {"name": "box", "file": obj_file.name, "licence": "CC0", "scale": 0.01, "up": "z", "forward": "-y"}
    entry = {**entry, "materials": {"paint": ["body/*"]}, **change}
    with pytest.raises(ValueError, match=message):
        Manifest([CarMesh(**entry)], obj_file.parent).load()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"cars": []}',
        '{"cars": [{"name": "a"}]}',
        '{"cars": [{"colour": 1}]}',
        '{"cars": [{"name": "a", "file": "a.obj", "licence": "MIT", "materials": ["paint"]}]}',
        '{"cars": [{"name": "a", "file": "a.obj", "licence": "MIT", "materials": {"paint": "BODY*"}}]}',
        '{"cars": [{"name": "a", "file": "a.obj", "licence": "MIT", "wheels": {"axles": 1}}]}',
    ],
)
def test_bad_manifests(text, tmp_path):
    (tmp_path / "cars.json").write_text(text)
    with pytest.raises(ValueError, match=r"a manifest of cars in JSON, got .*cars.json"):
        Manifest.read(tmp_path / "cars.json")


def test_missing_meshes(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected the cars of TORCS, got .* without car1-trb1/car1-trb1\.acc"):
        Manifest.torcs(tmp_path)
    with pytest.raises(FileNotFoundError):
        Manifest([CarMesh("a", "none.obj", "CC0")], tmp_path).load()


def test_names_are_unique():
    car = CarMesh("a", "a.obj", "CC0")
    with pytest.raises(ValueError, match="each with a name of its own"):
        Manifest([car, car])


@pytest.mark.parametrize("name", BODIES)
def test_parametric_bodies_are_cars(name):
    parts = parametric_car(name)
    assert {part.name for part in parts} == set(MATERIALS)
    vertices = np.concatenate([part.vertices for part in parts])
    low, high = vertices.min(0), vertices.max(0)
    assert low[2] == pytest.approx(0)
    assert 3.9 < high[0] - low[0] < 5.6
    assert 1.2 < high[2] < 2.1
    assert low[1] == pytest.approx(-high[1])  # both sides are equal
    for part in parts:
        corners = part.vertices[part.triangles]
        assert np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() > 0


def test_the_six_bodies_differ():
    sizes = {tuple(np.concatenate([p.vertices for p in parametric_car(name)]).max(0).round(2)) for name in BODIES}
    assert len(sizes) == 6
