"""Hostile arguments are used or refused by name, and damaged files are named."""

import nrprecision
import numpy as np
import pyarrow
import pytest
import torch
from nrprecision import _cli
from nrprecision.metrics import NormalizedRPrecision
from pyarrow import parquet

POINTS = torch.arange(24.0).reshape(12, 2) ** 1.3
LABELS = torch.arange(3).repeat_interleave(4)


def measured(embeddings, labels):
    metric = NormalizedRPrecision()
    metric.update(embeddings, labels)
    return metric.compute()


CALLS = {
    "normalized_r_precision": (
        lambda **arguments: nrprecision.normalized_r_precision(**arguments, progress=False),
        {
            "embeddings": POINTS, "properties": LABELS, "distance": "euclidean", "null": "binomial", "queries": 5,
            "max_k": 3, "block_size": 4, "seed": 0,
        },
    ),
    "permutations": (
        lambda permutations: nrprecision.normalized_r_precision(
            # Those of 10**30 would never end, and that is no mistake.
            POINTS, LABELS, permutations=permutations if permutations != 10**30 else 1, progress=False
        ),
        {"permutations": 1},
    ),
    "map_at_r": (
        lambda **arguments: nrprecision.map_at_r(**arguments, progress=False),
        {"embeddings": POINTS, "properties": LABELS, "distance": "cosine"},
    ),
    "sample_properties": (
        lambda values, seed: nrprecision.sample_properties(values, 5, seed),
        {"values": {"a": [1, 2]}, "seed": 0},
    ),
    "compare_models": (
        lambda **arguments: nrprecision.compare_models({"a": POINTS, "b": POINTS}, LABELS, progress=False, **arguments),
        {"groups": None, "level": 0.01},
    ),
    "NormalizedRPrecision": (measured, {"embeddings": POINTS, "labels": LABELS}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


def test_damaged_files_are_named(tmp_path, check_damaged):
    np.save(tmp_path / "embeddings.npy", POINTS.numpy())
    parquet.write_table(pyarrow.table({"a": [1, 2] * 3, "b": ["x", "y", "x"] * 2}), tmp_path / "labels.parquet")
    (tmp_path / "labels.csv").write_text("a,b\n" + "1,x\n2,y\n" * 3)
    readers = {"embeddings.npy": _cli._read_embeddings}
    for name in ("embeddings.npy", "labels.parquet", "labels.csv"):
        read = readers.get(name, lambda path: _cli._read_properties(path, None))
        check_damaged(lambda path=tmp_path / name, read=read: read(path), tmp_path / name, cuts=20, flips=100)
