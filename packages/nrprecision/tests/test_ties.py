"""Tied distances count by expectation: no result depends on the order of rows."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nrprecision import normalized_r_precision
from nrprecision.functional import map_at_r, precision_at_1, r_precision


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_row_order_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 60))
    embeddings = rng.integers(0, 3, size=(n, int(rng.integers(1, 4)))).astype(np.float32)
    labels = rng.integers(0, 3, n)
    labels[:4] = [0, 0, 1, 1]
    order = rng.permutation(n)
    before = normalized_r_precision(embeddings, labels)
    after = normalized_r_precision(embeddings[order], labels[order])
    np.testing.assert_allclose(after.per_query, before.per_query[:, order], atol=1e-9)
    for score in (precision_at_1, map_at_r):
        np.testing.assert_allclose(score(embeddings[order], labels[order]), score(embeddings, labels), atol=1e-12)


def average_over_orders(score, query, distances, same):
    """Mean of ``score(relevance in order)`` over all orders of the other items that respect their distances."""
    others = [i for i in range(len(distances)) if i != query]
    orders = [
        o for o in itertools.permutations(others) if all(distances[a] <= distances[b] for a, b in itertools.pairwise(o))
    ]
    return np.mean([score([same[i] for i in order]) for order in orders])


def test_ties_are_the_mean_over_all_orders():
    points = np.array([0.0, 1, 1, 1, 1, 2, 2])
    labels = np.array([0, 0, 1, 0, 1, 0, 1])
    hits, precision = [], []
    for query in range(7):
        distances, same = abs(points - points[query]), labels == labels[query]
        places = same.sum() - 1

        def average_precision(relevance, places=places):
            return sum(r * sum(relevance[: i + 1]) / (i + 1) for i, r in enumerate(relevance[:places])) / places

        hits.append(average_over_orders(lambda r, places=places: sum(r[:places]) / places, query, distances, same))
        precision.append(average_over_orders(average_precision, query, distances, same))
    assert r_precision(points[:, None], labels)[0] == pytest.approx(np.mean(hits))
    assert map_at_r(points[:, None], labels)[0] == pytest.approx(np.mean(precision))


def test_a_collapsed_embedding_scores_as_chance():
    labels = np.repeat(np.arange(4), 30)
    scores = normalized_r_precision(np.ones((120, 8), np.float32), labels, null="hypergeometric")
    np.testing.assert_allclose(scores.per_query, 0, atol=1e-9)
    np.testing.assert_allclose(scores.r_precision, 29 / 119)


def test_the_query_is_excluded_by_index_and_its_duplicates_are_not():
    embeddings = np.repeat(np.arange(3.0), 2)[:, None]
    assert precision_at_1(embeddings, [0, 0, 1, 1, 2, 2])[0] == 1
    assert precision_at_1(embeddings, [0, 1, 1, 0, 0, 1])[0] == 0
