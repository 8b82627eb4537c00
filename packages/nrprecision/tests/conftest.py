import numpy as np
import pytest
from matplotlib import pyplot
from nrprecision import sample_properties


@pytest.fixture
def properties():
    """Three independent properties of 120 items; one name would break HTML if it were not escaped."""
    values = {"car <b>": ["Enzo", "Evoque", "Tesla"], "rotation": range(8), "sun & sky": [0.0, 45.0, 90.0]}
    return sample_properties(values, n=120, seed=3)


@pytest.fixture
def embed(properties):
    """Embeddings of those items that encode the car strongly, the rotation by ``weight`` and the sun not at all."""
    cars = np.unique(properties["car <b>"])

    def build(weight=0.5, seed=0):
        parts = [
            2.0 * (properties["car <b>"][:, None] == cars),
            weight * np.eye(8)[properties["rotation"]],
            np.random.default_rng(seed).normal(0, 0.4, (120, 3)),
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    return build


@pytest.fixture
def axes():
    _, axes = pyplot.subplots()
    yield axes
    pyplot.close("all")
