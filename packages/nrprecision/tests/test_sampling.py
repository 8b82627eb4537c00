import warnings

import numpy as np
import pandas
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nrprecision import check_independence, sample_properties
from scipy.stats import chi2_contingency


def slow_association(first, second):
    """Bergsma's V and the chi-square p-value from the full contingency table."""
    table = np.array([[np.sum((first == a) & (second == b)) for b in np.unique(second)] for a in np.unique(first)])
    n = table.sum()
    chi2, p, freedom, _ = chi2_contingency(table, correction=False)
    phi2 = max(0, chi2 / n - freedom / (n - 1))
    rows, columns = (size - (size - 1) ** 2 / (n - 1) for size in table.shape)
    return np.sqrt(phi2 / min(rows - 1, columns - 1)), p


def test_sampling_is_uniform_and_keeps_values_and_order():
    values = {"model": ["Enzo", "Evoque"], "angle": range(0, 360, 45), "mixed": [1, "1", (2, 3), None]}
    sample = sample_properties(values, 8000, seed=1)
    assert list(sample) == list(values)
    for name, options in values.items():
        assert isinstance(sample[name], np.ndarray)
        counts = [sum(value == option for value in sample[name].tolist()) for option in options]
        assert sum(counts) == 8000
        assert max(counts) - min(counts) < 6 * np.sqrt(8000 / len(options))
    assert sample["angle"].dtype.kind == "i"


def test_sampling_follows_the_seed_and_a_new_property_moves_no_other():
    values = {"a": range(5), "b": range(7)}
    first, again = (sample_properties(values, 50, seed=4) for _ in range(2))
    longer, other = sample_properties({**values, "c": range(2)}, 50, seed=4), sample_properties(values, 50, seed=5)
    for name in values:
        np.testing.assert_array_equal(first[name], again[name])
        np.testing.assert_array_equal(first[name], longer[name])
        assert (first[name] != other[name]).any()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(20, 200), st.integers(0, 1000))
def test_association_equals_the_full_table(first_values, second_values, n, seed):
    generator = np.random.default_rng(seed)
    first = np.concatenate([generator.integers(0, first_values, n - 4), [0, 0, 1, 1]])
    second = np.concatenate([(first[: n - 4] + generator.integers(0, 2, n - 4)) % second_values, [0, 1, 0, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        table = check_independence({"first": first, "second": second})
    v, p = slow_association(first, second)
    assert table.cramers_v[0, 1] == pytest.approx(v, abs=1e-9)
    assert table.p_value[0, 1] == pytest.approx(p, abs=1e-12)
    np.testing.assert_array_equal(table.cramers_v, table.cramers_v.T)


def test_a_confounded_pair_is_named_and_no_other():
    sample = sample_properties({"car": range(6), "sun": range(3), "angle": range(8)}, 600, seed=0)
    paint = np.where(np.random.default_rng(0).random(600) < 0.5, sample["car"] % 3, sample["sun"])
    with pytest.warns(UserWarning, match="'car' and 'paint' are confounded") as caught:
        table = check_independence({**sample, "paint": paint})
    assert set(table.confounded) == {("car", "paint"), ("sun", "paint")}
    assert len(caught) == 1
    assert "angle" not in str(caught[0].message)
    for (first, second), sentence in zip(table.confounded, table.describe()):
        assert f"= {table.cramers_v[table.names.index(first), table.names.index(second)]:.2f})" in sentence


@pytest.mark.parametrize(("n", "sizes"), [(50, (2, 2, 3)), (60, (20, 2, 25)), (300, (40, 30, 8)), (5000, (4, 12, 3))])
def test_chance_alone_is_seldom_reported(n, sizes):
    """At the 1 % level the number of false alarms in 100 samples stays below 6 (99.9 % of binomial draws do)."""
    alarms = 0
    for seed in range(100):
        sample = sample_properties({str(i): range(size) for i, size in enumerate(sizes)}, n, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            alarms += bool(check_independence(sample).confounded)
    assert alarms < 6


def test_a_trace_of_association_in_many_items_is_not_reported():
    generator = np.random.default_rng(0)
    first = generator.integers(0, 4, 100_000)
    second = np.where(generator.random(100_000) < 0.03, first, generator.integers(0, 4, 100_000))
    table = check_independence({"first": first, "second": second})
    assert table.p_value[0, 1] < 1e-6
    assert table.confounded == ()


def test_missing_labels_leave_the_pair_and_frames_are_taken():
    first = ["a", "b", None, "a", "b", "a", "b", "a"] * 10
    second = ["x", "y", "x", None, "y", "x", "y", "x"] * 10
    kept = [(a, b) for a, b in zip(first, second) if a and b]
    tables = []
    for frame in (pandas.DataFrame, polars.DataFrame, dict):
        with pytest.warns(UserWarning, match="confounded"):
            tables.append(check_independence(frame({"first": first, "second": second})))
    with pytest.warns(UserWarning, match="confounded"):
        complete = check_independence({"first": [a for a, _ in kept], "second": [b for _, b in kept]})
    for table in tables:
        np.testing.assert_array_equal(table.cramers_v, complete.cramers_v)
    assert complete.cramers_v[0, 1] == pytest.approx(1)
    assert tables[0].to_frame().loc["first", "second"] == tables[0].cramers_v[0, 1]


def test_a_property_that_is_constant_within_a_pair_is_not_associated():
    table = check_independence({"first": [1, 1, 2, 2, 2, 2], "second": [None, None, "x", "x", "y", "y"]})
    assert table.cramers_v[0, 1] == 0
    assert table.p_value[0, 1] == 1
