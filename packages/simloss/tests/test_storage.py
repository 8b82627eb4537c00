"""Similarities survive a file, with the names and the order of their classes."""

import json

import pytest
import safetensors.torch
import simloss
import torch

DENSE = torch.tensor([[1.0, 0.25, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
NAMES = ["Müller", "b", "a"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_dense_survives(tmp_path, dtype):
    simloss.save_similarity(DENSE.to(dtype), tmp_path / "s.safetensors", class_names=NAMES)
    similarity, names = simloss.load_similarity(tmp_path / "s.safetensors")
    assert similarity.dtype == dtype
    assert torch.equal(similarity, DENSE.to(dtype))
    assert names == NAMES


def test_a_transposed_matrix_is_not_mixed_up(tmp_path):
    simloss.save_similarity(DENSE.T, tmp_path / "s.safetensors")
    similarity, names = simloss.load_similarity(str(tmp_path / "s.safetensors"))
    assert torch.equal(similarity, DENSE.T)
    assert names is None


@pytest.mark.parametrize("structured", [simloss.OrdinalSimilarity(3, 0.1), simloss.SparseSimilarity.from_dense(DENSE)])
def test_structured_survives(tmp_path, structured):
    simloss.save_similarity(structured, tmp_path / "s.safetensors", class_names=iter(NAMES))
    similarity, names = simloss.load_similarity(tmp_path / "s.safetensors")
    assert type(similarity) is type(structured)
    assert torch.equal(similarity.to_dense(), structured.to_dense())
    assert names == NAMES


def test_the_reduction_factor_survives_in_full_precision(tmp_path):
    simloss.save_similarity(simloss.OrdinalSimilarity(50_000, 1 / 3), tmp_path / "s.safetensors")
    similarity, _ = simloss.load_similarity(tmp_path / "s.safetensors")
    assert (similarity.num_classes, similarity.reduction_factor) == (50_000, 1 / 3)
    assert (tmp_path / "s.safetensors").stat().st_size < 500


def test_loading_to_a_device(tmp_path):
    simloss.save_similarity(DENSE, tmp_path / "s.safetensors")
    similarity, _ = simloss.load_similarity(tmp_path / "s.safetensors", device="meta")
    assert similarity.device.type == "meta"


def test_a_failed_save_leaves_the_old_file(tmp_path):
    file = tmp_path / "s.safetensors"
    simloss.save_similarity(DENSE, file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"class_names: expected one name for each of 3 classes, got 2 names"):
        simloss.save_similarity(DENSE, file, class_names=["a", "b"])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def written(file, header, **tensors):
    """Write a file as save_similarity would, with any header."""
    safetensors.torch.save_file(tensors, file, metadata=None if header is None else {"simloss": json.dumps(header)})


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "KeyError: 'simloss'"),
        ([], "TypeError"),
        ({}, "KeyError: 'kind'"),
        ({"kind": "new"}, "'dense', 'ordinal' or 'sparse', got 'new'"),
        ({"kind": "sparse"}, "KeyError: 'indices'"),
        ({"kind": "dense"}, "got others"),
        ({"kind": "ordinal", "num_classes": 3, "reduction_factor": 2}, "reduction_factor"),
        ({"kind": "ordinal", "num_classes": 3, "reduction_factor": 0.5, "class_names": ["a"]}, "class_names"),
        ({"kind": "ordinal", "num_classes": 3, "reduction_factor": 0.5, "class_names": 7}, "class_names"),
    ],
)
def test_a_foreign_file_is_an_error_that_names_it(tmp_path, header, reason):
    file = tmp_path / "foreign.safetensors"
    written(file, header, similarity=torch.tensor([[2.0]]))
    with pytest.raises(ValueError, match=r"foreign\.safetensors") as caught:
        simloss.load_similarity(file)
    assert reason.replace("got others", "similarities in [0, 1]") in str(caught.value)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: b"no tensors", lambda data: data[:-4]])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, damage):
    file = tmp_path / "damaged.safetensors"
    simloss.save_similarity(DENSE, file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"a file written by save_similarity, got '.*damaged\.safetensors'"):
        simloss.load_similarity(file)


@pytest.mark.parametrize("name", ["none.safetensors", "."])
def test_no_file_is_said_so(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="expected a file"):
        simloss.load_similarity(tmp_path / name)


def test_a_matrix_that_is_no_similarity_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match=r"similarities in \[0, 1\]"):
        simloss.save_similarity(DENSE * 3, tmp_path / "s.safetensors")
    assert not list(tmp_path.iterdir())
