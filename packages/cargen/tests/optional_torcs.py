"""The default cars, six of the game TORCS, which Debian's torcs-data installs; run by ``nox -s optional``."""

import numpy as np
import pytest
from cargen import PROPERTY_VALUES, CarProperties, Renderer, sweep
from cargen._default import TORCS, torcs_places

SIDE = 64
if TORCS is None:
    pytest.fail(f"not run: no torcs-data, whose cars belong to {' or '.join(map(str, torcs_places()))}", pytrace=False)


@pytest.fixture(scope="module")
def renderer():
    return Renderer(size_px=SIDE)


def test_they_are_the_default():
    assert PROPERTY_VALUES["model"] == TORCS.names
    assert CarProperties().model in TORCS.names


@pytest.mark.parametrize("model", TORCS.names)
def test_whole_bodies_are_painted(model, renderer):
    for rotation in (20, 200):
        found = renderer(CarProperties(model=model, rotation=rotation, car_hue=0.5, car_saturation=2, car_value=2))
        red, green, blue = (found.image[found.mask == 255][:, channel].astype(int) for channel in range(3))
        assert (red > np.maximum(green, blue) + 40).mean() > 0.4


@pytest.mark.parametrize("model", TORCS.names)
def test_windows_are_glass(model):
    """Glass is what does not take the paint's colour and lets light through: there is some on each car."""
    glass = [part for part in TORCS.load()[model] if part.name == "glass"]
    assert sum(len(part.triangles) for part in glass) > 10


@pytest.mark.parametrize("name", PROPERTY_VALUES)
def test_each_value_of_a_property_changes_that_property_alone(name, renderer, check_sweep):
    check_sweep(renderer, name, sweep(name, base=CarProperties(rotation=30, car_hue=0.3, sun_elevation=30)))


def test_a_sun_at_the_horizon_lights_the_car_from_all_sides(renderer):
    for car in sweep("sun_rotation", base=CarProperties(car_saturation=0, car_value=2, sun_elevation=0)):
        found = renderer(car)
        assert found.image[found.mask == 255].mean() > 60
