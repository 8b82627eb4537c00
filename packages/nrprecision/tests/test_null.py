"""The null models, the maximum and the permutation test."""

import itertools

import numpy as np
import pytest
from nrprecision import normalized_r_precision
from nrprecision._null import binomial_moments, hypergeometric_moments


def test_hypergeometric_moments_equal_an_enumeration():
    for draws, count, total in [(1, 2, 3), (4, 5, 12), (3, 4, 9), (2, 6, 10)]:
        others = [1] * (count - 1) + [0] * (total - count)
        hits = [sum(drawn) for drawn in itertools.combinations(others, draws)]
        mean, deviation = hypergeometric_moments(np.array([draws]), np.array([count]), np.array([total]))
        assert mean[0] == pytest.approx(np.mean(hits))
        assert deviation[0] == pytest.approx(np.std(hits))


def test_binomial_moments_are_those_of_the_chapter():
    mean, deviation = binomial_moments(np.array([9]), np.array([10]), np.array([40]))
    assert mean[0] == pytest.approx(2.25)
    assert deviation[0] == pytest.approx(np.sqrt(9 * 0.25 * 0.75))


@pytest.mark.parametrize("values", [2, 10, 100])
def test_exact_null_has_mean_0_and_deviation_1_on_random_data(values):
    rng = np.random.default_rng(values)
    embeddings, labels = rng.normal(size=(1500, 8)), rng.integers(0, values, 1500)
    exact = normalized_r_precision(embeddings, labels, null="hypergeometric")
    assert exact.per_query.mean() == pytest.approx(0, abs=0.1)
    assert exact.per_query.std() == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(exact.z_exact, exact.nr_precision)
    published = normalized_r_precision(embeddings, labels)
    assert published.per_query.std() < exact.per_query.std()
    np.testing.assert_allclose(published.z_exact, exact.z_exact)
    assert not published.significant().any()


@pytest.mark.parametrize("null", ["binomial", "hypergeometric"])
def test_a_perfect_clustering_reaches_the_maximum(null):
    labels = np.repeat(np.arange(6), [10, 20, 30, 40, 50, 60])
    scores = normalized_r_precision(labels[:, None] + np.zeros((210, 3)), {"perfect": labels}, null=null)
    np.testing.assert_allclose(scores.nr_precision, scores.maximum)
    assert scores.r_precision[0] == 1
    assert scores.significant()[0]


def test_six_balanced_values_can_reach_more_than_six():
    """The variance printed in Eq. 7.3 in place of sigma would cap this value at 6 / 5."""
    labels = np.repeat(np.arange(6), 100)
    assert normalized_r_precision(labels[:, None] * 1.0, labels).nr_precision[0] > 20


def test_permutation_p_value_is_calibrated_and_finds_structure():
    rng = np.random.default_rng(0)
    labels = {"encoded": np.repeat([0, 1], 30), "noise": rng.integers(0, 3, 60)}
    embeddings = rng.normal(size=(60, 4)) + labels["encoded"][:, None]
    scores = normalized_r_precision(embeddings, labels, permutations=99, seed=1)
    assert scores.p_value[0] == pytest.approx(0.01)
    assert scores.p_value[1] > 0.05
    again = normalized_r_precision(embeddings, labels, permutations=99, seed=1)
    np.testing.assert_array_equal(again.p_value, scores.p_value)
    assert np.isnan(normalized_r_precision(embeddings, labels).p_value).all()
    p_values = [
        normalized_r_precision(rng.normal(size=(24, 2)), rng.permutation([0, 1] * 12), permutations=19, seed=s).p_value[
            0
        ]
        for s in range(60)
    ]
    assert np.mean(np.array(p_values) <= 0.2) == pytest.approx(0.2, abs=0.15)


def test_permutation_p_value_equals_shuffling_by_hand():
    rng = np.random.default_rng(4)
    embeddings, labels = rng.normal(size=(20, 2)), np.array([0, 1] * 10)
    scores = normalized_r_precision(embeddings, labels, permutations=30, seed=7)
    generator = np.random.default_rng([7, 1])
    shuffled = [normalized_r_precision(embeddings, generator.permutation(labels)).nr_precision[0] for _ in range(30)]
    assert scores.p_value[0] == (1 + (np.array(shuffled) >= scores.nr_precision[0] - 1e-9).sum()) / 31
