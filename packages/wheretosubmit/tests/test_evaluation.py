from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wilcoxon
from wheretosubmit import Evaluation, stratified_split
from wheretosubmit._evaluation import evaluate_scores


def slow(scores, target):
    """Average over every order that sorts the scores."""
    orders = [o for o in permutations(range(len(scores))) if all(scores[a] >= scores[b] for a, b in pairwise(o))]
    places = [order.index(target) + 1 for order in orders]
    return [
        float(sum(map(f, places)) / len(places)) for f in (lambda p: p == 1, lambda p: p <= 5, lambda p: Fraction(1, p))
    ]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(0, 2), min_size=2, max_size=6), st.data())
def test_equals_the_average_over_all_orders(scores, data):
    target = data.draw(st.integers(0, len(scores) - 1))
    result = evaluate_scores([scores], [target])
    assert [result.accuracy, result.accuracy_at_5, result.mrr] == pytest.approx(slow(scores, target))


def test_equal_scores_are_the_random_baseline_of_table_8_1():
    result = evaluate_scores(np.zeros((3, 78)), [0, 5, 77])
    assert [round(value, 3) for value in result.to_dict().values()] == [0.013, 0.064, 0.063]


def test_p_values_are_scipys_on_reciprocal_ranks():
    generator = np.random.default_rng(0)
    target = generator.integers(0, 9, 200)
    good = evaluate_scores(generator.normal(size=(200, 9)) + 2 * np.eye(9)[target], target)
    bad = evaluate_scores(generator.normal(size=(200, 9)), target)
    result = Evaluation(good.hit, good.hit_at_5, good.reciprocal_rank, {"bad": bad, "same": good})
    expected = wilcoxon(good.reciprocal_rank, bad.reciprocal_rank).pvalue
    assert result.p_values == {"bad": pytest.approx(expected), "same": 1.0}
    lines = str(result).splitlines()
    assert lines[1].split() == ["model", *(f"{v:.3f}" for v in result.to_dict().values())]
    assert lines[2].split()[-1] == f"{expected:.2g}"


def test_bad_shapes():
    with pytest.raises(
        ValueError, match=r"target: expected one venue per row of scores, got scores \(2, 3\), target \(1,\)"
    ):
        evaluate_scores(np.zeros((2, 3)), [0])


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60), st.integers(0, 3))
def test_split_is_disjoint_complete_and_stratified(labels, seed):
    parts = stratified_split(labels, (0.6, 0.2, 0.2), seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    for label in set(labels):
        counts = [sum(labels[row] == label for row in part) for part in parts]
        assert counts == pytest.approx(np.array([0.6, 0.2, 0.2]) * labels.count(label), abs=1)
        assert counts[0] >= 1


def test_split_depends_on_the_seed_alone():
    labels = ["a", "b"] * 50
    first, again, other = (stratified_split(labels, seed=seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("fractions", [(), (0.5, 0.6), (1.2, -0.2)])
def test_bad_fractions(fractions):
    with pytest.raises(ValueError, match="fractions: expected positive numbers with the sum 1"):
        stratified_split(["a"], fractions)
