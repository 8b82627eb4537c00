import pytest
from cargen import read_mesh
from cargen._read import _READERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_ac3d(meshes):
    body, strip = read_mesh(meshes[".acc"])
    assert (body.name, strip.name) == ("BODY", "STRIP")
    assert body.vertices.tolist() == [[10, 0, 0], [10, 0, 1], [10, 1, 1], [10, 1, 0]]
    assert body.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert strip.vertices[3].tolist() == [11, 1, 5]
    assert strip.triangles.tolist() == [[0, 1, 2], [3, 2, 1]]  # both turned the same way


def test_obj(obj_file):
    body, cabin = read_mesh(obj_file)
    assert (body.name, cabin.name) == ("body/red", "cabin/window")
    assert body.vertices.min(0).tolist() == [-90, -220, 20]
    assert cabin.vertices.max(0).tolist() == [80, 150, 150]
    assert len(body.triangles) == len(cabin.triangles) == 12


def test_glb(meshes):
    (part,) = read_mesh(meshes[".glb"])
    assert part.name == "car/red"
    assert part.vertices.round(6).tolist() == [[10, 0, 0], [10, 2, 0], [8, 2, 0], [8, 0, 0]]
    assert part.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["accessors"][0].update(count=10**9), "beyond the data"),
        (lambda d: d["accessors"][0].update(count=-1), "beyond the data"),
        (lambda d: d["accessors"][0].update(sparse={}), "no plain VEC3"),
        (lambda d: d["bufferViews"][0].update(byteOffset=-4), "beyond the data"),
        (lambda d: d["buffers"][0].update(uri="file:///etc/passwd"), "another file"),
        (lambda d: d["nodes"][1].update(children=[0]), "no tree"),
        (lambda d: d.update(extensionsRequired=["KHR_draco_mesh_compression"]), "KHR_draco_mesh_compression"),
        (lambda d: d["nodes"][1].update(mesh=7), "IndexError"),
        (lambda d: d.update(meshes=[]), "IndexError"),
        (lambda d: d["accessors"][1].update(componentType=5126), "whole .glb file"),
        (lambda d: d["nodes"][1].update(scale=["a", 1, 1]), "whole .glb file"),
        (lambda d: d["scenes"][0].update(nodes=[]), "none"),
    ],
)
def test_broken_glb(change, message, tmp_path, glb_document, glb):
    document, binary = glb_document
    change(document)
    path = tmp_path / "car.glb"
    path.write_bytes(glb(document, binary))
    with pytest.raises(ValueError, match=f"(?s){path.name}.*{message}|{message}.*{path.name}"):
        read_mesh(path)


def fault(path):
    """Return the message of the one error that a file may raise, or nothing where it is read."""
    try:
        read_mesh(path)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("suffix", [".acc", ".obj", ".glb"])
def test_truncated_files_are_errors_that_name_the_file(suffix, tmp_path, meshes):
    whole = meshes[suffix].read_bytes()
    path = tmp_path / f"part{suffix}"
    errors = 0
    for end in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        message = fault(path)
        errors += path.name in message
        assert not message or path.name in message
        assert message or suffix != ".glb"
    assert errors > 5


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_garbage_is_a_value_error(tmp_path, data):
    suffix = data.draw(st.sampled_from(sorted(_READERS)))
    words = [b"AC3Db\n", b"OBJECT poly\n", b"numvert 3\n", b"numsurf 1\nSURF 0x10\nrefs 3\n", b"kids -1\n", b"1 2 3\n"]
    words += [
        b"v 1 2 3\n",
        b"f 1 2 3\n",
        b"f -1 9 0\n",
        b"v nan inf 1\n",
        b"glTF\x02\0\0\0",
        b"\0\xff",
        b"kids 1e9\n",
        b"\n",
    ]
    path = tmp_path / f"garbage{suffix}"
    path.write_bytes(b"".join(data.draw(st.lists(st.sampled_from(words) | st.binary(max_size=6), max_size=30))))
    message = fault(path)
    assert not message or path.name in message


def test_other_files(tmp_path):
    with pytest.raises(ValueError, match=r"path: expected a file that ends in \.ac, \.acc, \.obj, \.glb"):
        read_mesh(tmp_path / "car.fbx")
    with pytest.raises(FileNotFoundError):
        read_mesh(tmp_path / "car.obj")
