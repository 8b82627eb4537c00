"""Against a slow float64 reference, pytorch-metric-learning and the numbers a hand can work out."""

import numpy as np
import pytest
import torch
from nrprecision import normalized_r_precision
from nrprecision._search import Search
from nrprecision.functional import map_at_r, precision_at_1, r_precision

DISTANCES = ["euclidean", "sqeuclidean", "cosine", "dot", "snr"]


def distances_from(embeddings, query, distance):
    x, items = embeddings[query].astype(np.float64), embeddings.astype(np.float64)
    if distance == "dot":
        return -(items * x).sum(axis=1)
    if distance == "cosine":
        return 1 - (items * x).sum(axis=1) / np.sqrt((x * x).sum()) / np.sqrt((items * items).sum(axis=1))
    if distance == "snr":
        return (items - x).var(axis=1) / x.var()
    return ((items - x) ** 2).sum(axis=1)


def slow_hits(embeddings, labels, distance="euclidean", max_k=None):
    """Hits and R of each query, one query at a time."""
    hits, draws = np.zeros((2, len(labels)))
    for query, label in enumerate(labels):
        others = np.arange(len(labels)) != query
        others &= np.array([other is not None for other in labels])
        same = others & np.array([other == label for other in labels])
        if label is None or not same.any():
            continue
        values = distances_from(embeddings, query, distance)
        places = same.sum() if max_k is None else min(same.sum(), max_k)
        last = np.sort(values[others])[places - 1]
        share = (places - (values[others] < last).sum()) / (values[others] == last).sum()
        hits[query] = (values[same] < last).sum() + share * (values[same] == last).sum()
        draws[query] = places
    return hits, draws


def hits_of(scores, draws):
    return np.nan_to_num(scores.per_query_r_precision) * draws


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hits_equal_the_reference(distance, dtype):
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=(150, 5)).astype(dtype)
    labels = {"two": rng.integers(0, 2, 150).tolist(), "nine": rng.integers(0, 9, 150).tolist()}
    labels["gaps"] = [None if rng.random() < 0.3 else value for value in labels["nine"]]
    scores = normalized_r_precision(embeddings, labels, distance=distance, block_size=40)
    for row, values in enumerate(labels.values()):
        hits, draws = slow_hits(embeddings, values, distance)
        np.testing.assert_allclose(hits_of(scores, draws)[row], hits, atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_hits_are_exact_with_duplicates_near_ties_and_an_offset(offset):
    rng = np.random.default_rng(2)
    n = 2000
    embeddings = rng.normal(size=(n, 16)).astype(np.float32)
    embeddings[500:1000] = embeddings[:500]
    embeddings[1000:1400] = np.nextafter(embeddings[:400], np.float32(9))
    embeddings[1400:1500] = 0
    embeddings += np.float32(offset)
    rng.shuffle(embeddings)
    labels = {"three": rng.integers(0, 3, n), "fifty": rng.integers(0, 50, n)}
    scores = normalized_r_precision(embeddings, labels)
    codes = np.stack(list(labels.values()))
    for query in range(0, n, 4):
        values = distances_from(embeddings, query, "euclidean")
        values[query] = np.inf
        ordered = np.sort(values)
        for row in range(2):
            same = codes[row] == codes[row, query]
            same[query] = False
            places = same.sum()
            last = ordered[places - 1]
            inside, tied = values < last, values == last
            hits = (same & inside).sum() + (same & tied).sum() * (places - inside.sum()) / tied.sum()
            assert scores.per_query_r_precision[row, query] * places == pytest.approx(hits, abs=1e-9)


def test_huge_outlier_and_tight_clusters_are_exact():
    rng = np.random.default_rng(3)
    embeddings = np.repeat(rng.normal(size=(6, 4)) * 100, 50, axis=0) + rng.normal(size=(300, 4)) * 1e-5
    embeddings[7] *= 1e6
    labels = rng.integers(0, 4, 300).tolist()
    hits, draws = slow_hits(embeddings, labels)
    np.testing.assert_allclose(hits_of(normalized_r_precision(embeddings, labels), draws)[0], hits, atol=1e-9)


def test_max_k_caps_the_depth():
    rng = np.random.default_rng(4)
    embeddings, labels = rng.normal(size=(90, 3)), rng.integers(0, 4, 90).tolist()
    hits, draws = slow_hits(embeddings, labels, max_k=5)
    scores = normalized_r_precision(embeddings, labels, max_k=5)
    np.testing.assert_allclose(hits_of(scores, draws)[0], hits, atol=1e-9)
    assert draws.max() == 5


def test_worked_example():
    scores = normalized_r_precision([[0.0], [1.0], [3.0], [4.5]], ["a", "a", "b", "a"])
    # R = 2 and p = 3/4 for the three queries of "a": mu = 1.5, sigma = sqrt(2 * 3/4 * 1/4), one hit each.
    assert scores.nr_precision[0] == pytest.approx((1 - 1.5) / np.sqrt(0.375))
    assert scores.r_precision[0] == pytest.approx(0.5)
    assert scores.expected[0] == pytest.approx(0.75)
    assert (scores.used[0], scores.excluded[0]) == (3, 1)
    assert np.isnan(scores.per_query[0]).tolist() == [False, False, True, False]
    # Without replacement: 2 of the 3 others, 2 of which are right: mean 4/3, variance 2 * 2/3 * 1/3 * 1/2.
    assert scores.z_exact[0] == pytest.approx((1 - 4 / 3) / np.sqrt(2 / 9))


@pytest.mark.parametrize("distance", ["euclidean", "cosine", "snr"])
def test_parity_with_pytorch_metric_learning(distance):
    calculators = pytest.importorskip("pytorch_metric_learning.utils.accuracy_calculator")
    inference = pytest.importorskip("pytorch_metric_learning.utils.inference")
    distances = pytest.importorskip("pytorch_metric_learning.distances")
    measure = {
        "euclidean": distances.LpDistance(normalize_embeddings=False),
        "cosine": distances.CosineSimilarity(),
        "snr": distances.SNRDistance(normalize_embeddings=False),
    }[distance]
    calculator = calculators.AccuracyCalculator(
        include=("r_precision", "precision_at_1", "mean_average_precision_at_r"),
        k="max_bin_count",
        knn_func=inference.CustomKNN(measure),
        kmeans_func=lambda *_: None,
    )
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(400, 16, generator=generator)
    labels = torch.randint(0, 7, (400,), generator=generator)
    peer = calculator.get_accuracy(embeddings, labels)
    assert r_precision(embeddings, labels, distance=distance)[0] == pytest.approx(peer["r_precision"], abs=1e-6)
    assert precision_at_1(embeddings, labels, distance=distance)[0] == pytest.approx(peer["precision_at_1"], abs=1e-6)
    ours = map_at_r(embeddings, labels, distance=distance)[0]
    assert ours == pytest.approx(peer["mean_average_precision_at_r"], abs=1e-6)


def test_callable_distance_equals_the_named_one():
    rng = np.random.default_rng(5)
    embeddings, labels = rng.normal(size=(80, 6)), rng.integers(0, 5, 80)

    def squared(queries, items):
        return ((queries[:, None] - items[None]) ** 2).sum(axis=-1)

    expected = normalized_r_precision(embeddings, labels)
    for values in (embeddings, torch.from_numpy(embeddings)):
        scores = normalized_r_precision(values, labels, distance=squared, block_size=17)
        np.testing.assert_allclose(scores.per_query, expected.per_query)


@pytest.mark.parametrize("distance", DISTANCES)
def test_dense_rows_equal_the_engine(distance):
    """The path that CUDA tensors take, run here on the CPU."""
    rng = np.random.default_rng(6)
    embeddings = rng.normal(size=(120, 4))
    embeddings[40:80] = embeddings[:40]
    labels = {"a": rng.integers(0, 4, 120).tolist(), "b": [None, 1, 2] * 40}
    search = Search(embeddings, labels, distance=distance)
    engine = search.hits(search.properties, search.depth)
    search.embeddings = torch.from_numpy(embeddings)
    np.testing.assert_allclose(search.hits(search.properties, search.depth), engine, atol=1e-9)


def test_the_same_pass_serves_several_label_sets():
    rng = np.random.default_rng(7)
    embeddings = rng.normal(size=(100, 4))
    labels = {"a": rng.integers(0, 3, 100), "b": rng.integers(0, 20, 100)}
    for score in (r_precision, precision_at_1, map_at_r):
        together = score(embeddings, labels)
        assert together.shape == (2,)
        np.testing.assert_allclose(together, [score(embeddings, column)[0] for column in labels.values()])
