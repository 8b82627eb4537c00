import numpy as np
import pyarrow as pa
import pytest
import torch
from indirect import InDiReCT, search


@pytest.fixture
def notion(texts):
    return InDiReCT(6, random_state=0).fit(texts)


def test_linear(notion, images):
    layer = notion.to_linear()
    expected = torch.nn.functional.normalize(layer(torch.tensor(images)), dim=1)
    np.testing.assert_allclose(expected.numpy(), notion.transform(images), atol=1e-6)


def test_onnx(notion, images, tmp_path):
    import onnxruntime as runtime

    notion.to_onnx(tmp_path / "notion.onnx")
    session = runtime.InferenceSession(str(tmp_path / "notion.onnx"), providers=["CPUExecutionProvider"])
    (projected,) = session.run(["projected"], {"embeddings": images})
    np.testing.assert_allclose(projected, notion.transform(images), atol=1e-5)


def test_faiss(notion, images):
    import faiss

    index = notion.to_faiss()
    index.add(5 * images)
    cosines, rows = index.search(images[:4], 5)
    expected = search(notion.transform(images[:4]), notion.transform(images), 5)
    np.testing.assert_allclose(cosines, expected[0], atol=1e-5)
    np.testing.assert_array_equal(rows[:, 0], range(4))
    assert notion.to_faiss(faiss.IndexHNSWFlat(6, 8)).d == 24
    with pytest.raises(ValueError, match="index: expected a FAISS index for 6 dimensions, got 7"):
        notion.to_faiss(faiss.IndexFlatIP(7))


def test_usearch(notion, images):
    index = notion.to_usearch(images.astype(np.float64))
    assert "F32" in str(index.dtype)
    found = index.search(notion.transform(images[:4]), 3)
    np.testing.assert_array_equal(found.keys[:, 0], range(4))


def test_arrow(notion, images):
    function = notion.to_arrow()
    expected = notion.transform(images[:3])
    lists = pa.array([images[0].tolist(), None, images[1].tolist(), images[2].tolist()], pa.list_(pa.float32()))
    fixed = lists.cast(pa.list_(pa.float32(), 24))
    for column in (
        lists,
        fixed,
        fixed.slice(0, 4),
        pa.chunked_array([lists[:2], lists[2:]]),
        lists.cast(pa.list_(pa.float64())),
    ):
        projected = function(column)
        assert projected.type == pa.list_(pa.float32(), 6)
        values = projected.to_pylist()
        assert values[1] is None
        np.testing.assert_allclose([values[0], values[2], values[3]], expected, atol=1e-6)
    np.testing.assert_allclose(function(lists.slice(2)).to_pylist(), expected[1:], atol=1e-6)
    assert len(function(lists[:0])) == 0
    assert function(lists[1:2]).to_pylist() == [None]
    with pytest.raises(ValueError, match=r"column: expected lists of 24 numbers, got lists of \[3\]"):
        function(pa.array([[1.0, 2, 3]]))
    with pytest.raises(ValueError, match="column: expected lists of numbers, got list<item: string>"):
        function(pa.array([["a"] * 24]))
    with pytest.raises(TypeError, match="column: expected an Arrow array, got list"):
        function([[1.0] * 24])


def test_search_is_exact(images):
    unit = images / np.linalg.norm(images, axis=1, keepdims=True)
    cosines, rows = search(images, images, 30)
    expected = np.sort(unit @ unit.T, axis=1)[:, ::-1]
    np.testing.assert_allclose(cosines, expected, atol=1e-6)
    assert rows.dtype == np.int64
    assert search(torch.tensor(images), images, 99)[1].shape == (30, 30)
