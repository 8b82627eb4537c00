"""Arguments, types, labels and errors."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from nrprecision import normalized_r_precision
from nrprecision.functional import map_at_r, precision_at_1, r_precision


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 4)).astype(np.float32), rng.integers(0, 3, 40)


def test_one_property_gives_length_one(data):
    scores = normalized_r_precision(*data)
    assert scores.names == ("label",)
    for field in ("nr_precision", "r_precision", "expected", "z_exact", "p_value", "maximum", "used", "missing"):
        assert getattr(scores, field).shape == (1,)
    assert scores.per_query.shape == scores.per_query_r_precision.shape == (1, 40)
    assert scores.nr_precision[0] == pytest.approx(scores.per_query.mean())


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.tolist(),
        lambda x: x.astype(np.float64),
        torch.from_numpy,
        lambda x: torch.from_numpy(x).requires_grad_(),
        np.asfortranarray,
        lambda x: np.concatenate([x, x], axis=1)[:, :4],
        lambda x: x.astype(">f4"),
    ],
)
def test_embeddings_of_any_type(data, convert):
    embeddings, labels = data
    np.testing.assert_allclose(
        normalized_r_precision(convert(embeddings), labels).per_query, normalized_r_precision(*data).per_query
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(data, dtype):
    half = torch.from_numpy(data[0]).to(dtype)
    expected = normalized_r_precision(half.float(), data[1]).per_query
    np.testing.assert_array_equal(normalized_r_precision(half, data[1]).per_query, expected)
    if dtype == torch.float16:
        np.testing.assert_array_equal(normalized_r_precision(half.numpy(), data[1]).per_query, expected)


def test_whole_numbers_are_embeddings_too(data):
    whole = (data[0] * 10).astype(np.int8)
    expected = normalized_r_precision(whole.astype(np.float64), data[1]).per_query
    for embeddings in (whole, torch.from_numpy(whole)):
        np.testing.assert_array_equal(normalized_r_precision(embeddings, data[1]).per_query, expected)


def test_input_is_not_modified_and_may_be_memory_mapped(data, tmp_path):
    path = tmp_path / "embeddings.npy"
    np.save(path, data[0])
    mapped = np.load(path, mmap_mode="r")
    expected = normalized_r_precision(*data)
    np.testing.assert_array_equal(normalized_r_precision(mapped, data[1]).per_query, expected.per_query)
    assert map_at_r(mapped, data[1])[0] == map_at_r(*data)[0]
    np.testing.assert_array_equal(np.load(path), data[0])


LABELS = [["a", "b", None] * 8, [1, 2, None] * 8, [1.5, 2.5, float("nan")] * 8, [True, False, None] * 8]


@pytest.mark.parametrize("labels", LABELS)
def test_labels_of_any_type_with_missing_ones(labels):
    embeddings = np.random.default_rng(1).normal(size=(24, 3))
    expected = normalized_r_precision(embeddings, {"x": [0, 1, None] * 8})
    assert (expected.missing[0], expected.used[0], expected.excluded[0]) == (8, 16, 8)
    variants = [
        {"x": labels},
        {"x": np.array(labels, dtype=object)},
        pd.DataFrame({"x": labels}),
        pd.DataFrame({"x": pd.Series(labels, dtype=object)}).convert_dtypes(),
        pd.DataFrame({"x": pd.Categorical(labels)}),
        pl.DataFrame({"x": labels}, nan_to_null=True),
    ]
    for properties in variants:
        scores = normalized_r_precision(embeddings, properties)
        assert scores.names == ("x",)
        np.testing.assert_allclose(scores.per_query, expected.per_query)


def test_dates_and_tensors_are_labels():
    embeddings = np.random.default_rng(1).normal(size=(24, 3))
    dates = np.array(["2020-01-01", "2021-01-01", "NaT"] * 8, dtype="datetime64[D]")
    expected = normalized_r_precision(embeddings, [0, 1, None] * 8).per_query
    np.testing.assert_allclose(normalized_r_precision(embeddings, dates).per_query, expected)
    np.testing.assert_allclose(normalized_r_precision(embeddings, pd.DataFrame({"x": dates})).per_query, expected)
    tensor = torch.tensor([0, 1, torch.nan] * 8, dtype=torch.bfloat16)
    np.testing.assert_allclose(normalized_r_precision(embeddings, tensor).per_query, expected)


def test_arrow_columns_keep_their_missing_labels():
    labels = ["a", "b", "a", None, "b", "a"]
    points = np.arange(12.0).reshape(6, 2)
    column = pa.chunked_array([pa.array(labels).dictionary_encode()])
    expected = normalized_r_precision(points, labels)
    assert expected.missing[0] == 1
    assert normalized_r_precision(points, column).to_dict() == expected.to_dict()


def test_missing_items_are_no_neighbours():
    rng = np.random.default_rng(2)
    embeddings, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60).astype(object)
    labels[rng.random(60) < 0.4] = None
    kept = np.array([label is not None for label in labels])
    alone = normalized_r_precision(embeddings[kept], list(labels[kept]))
    within = normalized_r_precision(embeddings, {"all": [0, 1] * 30, "some": labels})
    np.testing.assert_allclose(within.per_query[1, kept], alone.per_query[0])
    np.testing.assert_allclose(within.nr_precision[1], alone.nr_precision[0])


def test_queries_are_a_subset(data):
    everything = normalized_r_precision(*data)
    chosen = normalized_r_precision(*data, queries=[5, 3, 17])
    np.testing.assert_allclose(chosen.per_query, everything.per_query[:, [5, 3, 17]])
    drawn = normalized_r_precision(*data, queries=10, seed=3)
    assert len(set(drawn.queries.tolist())) == 10
    np.testing.assert_array_equal(normalized_r_precision(*data, queries=10, seed=3).queries, drawn.queries)
    np.testing.assert_allclose(drawn.per_query, everything.per_query[:, drawn.queries])
    np.testing.assert_allclose(
        normalized_r_precision(*data, queries=torch.tensor([5, 3, 17])).per_query, chosen.per_query
    )


@pytest.mark.parametrize("block_size", [1, 7, 40, 1000])
@pytest.mark.parametrize("score", [r_precision, precision_at_1, map_at_r])
def test_block_size_does_not_matter(data, score, block_size):
    np.testing.assert_allclose(score(*data, block_size=block_size), score(*data))


def test_similarity_order_follows_the_distance():
    embeddings = np.array([[1.0, 0.1], [10.0, 1.5], [1.2, 0.9], [0.1, 0.1]])
    labels = [0, 0, 1, 1]
    assert precision_at_1(embeddings, labels, distance="cosine", queries=[0])[0] == 1
    assert precision_at_1(embeddings, labels, distance="dot", queries=[0])[0] == 1
    assert precision_at_1(embeddings, labels, queries=[0])[0] == 0


def test_normalize_embeddings_makes_euclidean_cosine(data):
    normalized = normalized_r_precision(*data, normalize_embeddings=True)
    np.testing.assert_allclose(normalized.per_query, normalized_r_precision(*data, distance="cosine").per_query)


def test_moving_turning_and_stretching_change_nothing(data):
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    moved = 1e-3 * (data[0].astype(np.float64) @ turn) + 5
    np.testing.assert_allclose(
        normalized_r_precision(moved, data[1]).per_query, normalized_r_precision(*data).per_query
    )


def test_extreme_scales():
    embeddings = np.random.default_rng(0).normal(size=(40, 4))
    labels = np.random.default_rng(1).integers(0, 3, 40)
    expected = normalized_r_precision(embeddings, labels).per_query
    for scale in (1e-30, 1e30):
        np.testing.assert_array_equal(normalized_r_precision(embeddings * scale, labels).per_query, expected)


N = 12
GOOD = np.random.default_rng(0).normal(size=(N, 2))
TWO = [0, 1] * (N // 2)
NOT_3 = (np.arange(N) != 3)[:, None]


def broken(value):
    embeddings = GOOD.copy()
    embeddings[4, 1] = value
    return embeddings


@pytest.mark.parametrize(
    ("error", "message", "embeddings", "properties", "options"),
    [
        (ValueError, "embeddings: .*NaN or infinity in row 4", broken(np.nan), TWO, {}),
        (ValueError, "embeddings: .*NaN or infinity in row 4", torch.tensor(broken(np.inf)), TWO, {}),
        (ValueError, r"embeddings: expected \(n, d\).*\(12,\)", GOOD[:, 0], TWO, {}),
        (ValueError, r"embeddings: .*\(0, 2\)", GOOD[:0], [], {}),
        (ValueError, r"embeddings: .*\(1, 2\)", GOOD[:1], [0], {}),
        (ValueError, r"embeddings: .*\(12, 0\)", GOOD[:, :0], TWO, {}),
        (TypeError, "embeddings: expected real numbers, got str", [["a"], ["b"]], [0, 0], {}),
        (TypeError, "embeddings: expected real numbers", GOOD > 0, TWO, {}),
        (TypeError, "embeddings: expected real numbers", GOOD * 1j, TWO, {}),
        (TypeError, "embeddings: expected real numbers", torch.tensor(GOOD > 0), TWO, {}),
        (ValueError, r"labels \(11,\), embeddings \(12, 2\)", GOOD, TWO[:-1], {}),
        (ValueError, r"properties\['p'\]: .*labels \(12, 1\)", GOOD, {"p": np.array(TWO)[:, None]}, {}),
        (ValueError, r"properties\['p'\]: .*one value for all 12", GOOD, {"p": ["x"] * N}, {}),
        (ValueError, r"properties\['p'\]: .*two items share, got 12", GOOD, {"p": range(N)}, {}),
        (ValueError, "bin a continuous property first, got 12", GOOD, GOOD[:, 0], {}),
        (ValueError, "bin a continuous property first, got 7", GOOD, [*range(6), *[6.0] * 6], {}),
        (ValueError, r"properties\['p'\]: .*got 1 of 12", GOOD, {"p": [1, *[None] * 11]}, {}),
        (ValueError, "at least one property", GOOD, {}, {}),
        (TypeError, "array or a list of labels, got int", GOOD, 3, {}),
        (TypeError, "array or a list of labels, got str", GOOD, {"p": "abababababab"}, {}),
        (ValueError, "hashable labels", GOOD, [[0], [1]] * 6, {}),
        (ValueError, "distance: expected a function or one of euclidean", GOOD, TWO, {"distance": "l1"}),
        (ValueError, "null: expected 'binomial'", GOOD, TWO, {"null": "normal"}),
        (ValueError, "max_k: expected a positive", GOOD, TWO, {"max_k": 0}),
        (TypeError, "max_k: expected a positive whole number, got float", GOOD, TWO, {"max_k": 1.5}),
        (ValueError, "block_size", GOOD, TWO, {"block_size": -1}),
        (ValueError, "permutations", GOOD, TWO, {"permutations": -1}),
        (ValueError, "queries: expected a number from 1 to 12, got 13", GOOD, TWO, {"queries": 13}),
        (ValueError, "queries: expected row indices from 0 to 11, got 0 to 12", GOOD, TWO, {"queries": [0, 12]}),
        (ValueError, "queries: .*got -1 to 3", GOOD, TWO, {"queries": [-1, 3]}),
        (ValueError, "queries: expected a number or a list of row indices", GOOD, TWO, {"queries": [0.5]}),
        (ValueError, "queries: .*'label' with an item", GOOD, [*TWO[:-1], 7], {"queries": [N - 1]}),
        (ValueError, "rows with a nonzero value for .*got row 3", GOOD * NOT_3, TWO, {"distance": "cosine"}),
        (ValueError, "row 0 without", np.ones((N, 2)), TWO, {"distance": "snr"}),
        (ValueError, "normalize_embeddings=True, got row 0", np.zeros((N, 2)), TWO, {"normalize_embeddings": True}),
        (ValueError, r"distance: .*values \(12,\), block \(12, 12\)", GOOD, TWO, {"distance": lambda q, _: q[:, 0]}),
        (ValueError, "distance: expected finite", GOOD, TWO, {"distance": lambda q, g: q @ g.T * np.nan}),
    ],
)  # fmt: skip
def test_bad_input_is_named(error, message, embeddings, properties, options):
    with pytest.raises(error, match=message):
        normalized_r_precision(embeddings, properties, **options)
