import colorsys
import math

import numpy as np
import pytest
from cargen import PROPERTY_VALUES, CarProperties, sample, sweep
from hypothesis import given, settings
from hypothesis import strategies as st


def test_the_values_are_those_of_table_7_2():
    assert len(PROPERTY_VALUES) == 11
    assert math.prod(map(len, PROPERTY_VALUES.values())) == 3_023_308_800  # Section 7.1.3
    for name, values in PROPERTY_VALUES.items():
        assert [getattr(CarProperties(**{name: value}), name) for value in values] == [*values]


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(0, 1, exclude_max=True), st.floats(0, 2), st.floats(0, 2))
def test_colours(hue, saturation, value):
    expected = colorsys.hsv_to_rgb((hue + 0.5) % 1, 0.5 * saturation, 0.5 * value)
    car = CarProperties(car_hue=hue, car_saturation=saturation, car_value=value)
    background = CarProperties(background_hue=hue, background_saturation=saturation, background_value=value)
    assert car.car_rgb == background.background_rgb == expected
    assert all(0 <= channel <= 1 for channel in expected)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rotation", 360, "rotation: expected a number from 0 to below 360, got 360"),
        ("rotation", -45, "rotation: expected a number from 0"),
        ("car_hue", 1.0, "car_hue: expected a number from 0 to below 1"),
        ("background_saturation", 2.1, "background_saturation: expected a number from 0 to 2, got 2.1"),
        ("car_value", -0.1, "car_value: expected a number from 0 to 2"),
        ("camera_height", 0, "camera_height: expected a number from 0.1 to 20"),
        ("sun_elevation", 91, "sun_elevation: expected a number from 0 to 90"),
        ("sun_rotation", math.nan, "sun_rotation: expected a number"),
        ("focal_length", math.inf, "focal_length: expected a number from 15 to 300"),
    ],
)
def test_values_outside_their_domain(name, value, message):
    with pytest.raises(ValueError, match=message):
        CarProperties(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("rotation", "45"), ("car_hue", True), ("car_hue", None), ("model", 3), ("backdrop", 3)]
)
def test_values_of_another_type(name, value):
    with pytest.raises(TypeError, match=f"{name}: expected"):
        CarProperties(**{name: value})


def test_samples_are_uniform_and_independent():
    rows = sample(3000, seed=5)
    names = [*PROPERTY_VALUES]
    codes = np.array([[PROPERTY_VALUES[name].index(getattr(car, name)) for name in names] for car in rows])
    sizes = [len(PROPERTY_VALUES[name]) for name in names]
    for k, size in enumerate(sizes):
        expected = len(rows) / size
        counts = np.bincount(codes[:, k], minlength=size)
        assert ((counts - expected) ** 2 / expected).sum() < size - 1 + 5 * math.sqrt(2 * size)
        for other in range(k):
            pairs = np.bincount(codes[:, k] * sizes[other] + codes[:, other], minlength=size * sizes[other])
            expected = len(rows) / len(pairs)
            statistic, freedom = ((pairs - expected) ** 2 / expected).sum(), len(pairs) - 1
            assert statistic < freedom + 5 * math.sqrt(2 * freedom)


def test_a_sample_depends_on_index_and_seed_alone():
    assert sample(20, seed=3)[:7] == sample(7, seed=3)
    assert sample(20, seed=3) != sample(20, seed=4)
    assert sample(0) == []


def test_properties_can_be_fixed_and_extended():
    rows = sample(50, values={"rotation": [30], "focal_length": [35, 85], "model": ["a", "b"]})
    assert {car.rotation for car in rows} == {30.0}
    assert {car.focal_length for car in rows} == {35.0, 85.0}
    assert {car.model for car in rows} == {"a", "b"}


def test_a_sweep_changes_one_property():
    base = CarProperties(model="van", sun_elevation=10)
    for name, values in PROPERTY_VALUES.items():
        cars = sweep(name, base=base)
        assert [getattr(car, name) for car in cars] == [*values]
        others = {tuple(getattr(car, other) for other in PROPERTY_VALUES if other != name) for car in cars}
        assert len(others) == 1
    assert [car.focal_length for car in sweep("focal_length", [35, 85])] == [35.0, 85.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sweep("colour"), "property: expected one of model, rotation"),
        (lambda: sweep("focal_length"), "values: expected some, because Table 7.2 has no focal_length"),
        (lambda: sample(-1), "n: expected a whole number, at least 0, got -1"),
        (lambda: sample(2.5), "n: expected a whole number"),
        (lambda: sample(1, seed=-1), "seed: expected a whole number"),
        (lambda: sample(1, values={"speed": [1]}), "property: expected one of"),
        (lambda: sample(1, values={"rotation": []}), "at least one value"),
        (lambda: sample(1, values={"rotation": [400]}), "rotation: expected a number from 0 to below 360"),
    ],
)
def test_bad_requests(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_values_must_be_sequences():
    with pytest.raises(TypeError, match="expected a sequence of values, got str"):
        sample(1, values={"model": "sedan"})
