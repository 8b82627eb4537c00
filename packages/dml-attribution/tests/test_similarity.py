import numpy as np
import pytest
import torch
from dml_attribution import difference_map, jensen_shannon, pearson, spearman, ssim
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.spatial.distance import jensenshannon
from skimage.metrics import structural_similarity

MEASURES = [pearson, spearman, jensen_shannon, ssim]


@pytest.fixture
def maps():
    random = np.random.default_rng(0)
    a = random.random((5, 16, 18))
    return a, np.clip(a + random.normal(0, 0.3, a.shape), 0, 1)  # clipping makes ties


def test_against_scipy_and_scikit_image(maps):
    a, b = maps
    pairs = [(x.ravel(), y.ravel()) for x, y in zip(a, b)]
    expected = {
        pearson: [stats.pearsonr(x, y)[0] for x, y in pairs],
        spearman: [stats.spearmanr(x, y)[0] for x, y in pairs],
        jensen_shannon: [jensenshannon(x, y, base=2) ** 2 for x, y in pairs],
        ssim: [
            structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0)
            for x, y in zip(a, b)
        ],
    }
    for measure, values in expected.items():
        np.testing.assert_allclose(measure(a, b, reduction="none"), values, atol=1e-10)
        mean = np.tanh(np.mean(np.arctanh(values))) if measure in (pearson, spearman) else np.mean(values)
        assert measure(a, b) == pytest.approx(mean, abs=1e-10)
        assert float(measure(a[0], b[0])) == pytest.approx(values[0], abs=1e-10)


@pytest.mark.parametrize("measure", MEASURES)
def test_you_get_the_type_you_gave(maps, measure):
    a, b = maps
    assert isinstance(measure(a, b, reduction="none"), np.ndarray)
    tensor = measure(torch.tensor(a).float(), torch.tensor(b).float(), reduction="none")
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor, measure(a, b, reduction="none"), atol=2e-5)
    np.testing.assert_allclose(measure(a[:, ::-1], b[:, ::-1]), measure(a[:, ::-1].copy(), b[:, ::-1].copy()))


@pytest.mark.parametrize("measure", MEASURES)
def test_equal_maps_are_finite(maps, measure):
    for a in (maps[0], torch.tensor(maps[0], dtype=torch.float32)):
        assert float(measure(a, a)) == pytest.approx(0 if measure is jensen_shannon else 1, abs=1e-6)
    assert float(pearson(maps[0], -maps[0])) == pytest.approx(-1, abs=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
@settings(deadline=None)  # a busy machine is no failure
@given(arrays(np.float32, (2, 2, 11, 12), elements=st.floats(0, 1, width=32)))
def test_bounded_and_symmetric(measure, drawn):
    a, b = drawn
    values = measure(a, b, reduction="none")
    assert np.isfinite(values).all()
    assert (np.abs(values) <= 1 + 1e-5).all()
    np.testing.assert_allclose(values, measure(b, a, reduction="none"), atol=1e-5)


def test_degenerate_maps():
    zero, other = torch.zeros(3, 3), torch.rand(3, 3)
    assert pearson(zero, other) == pearson(zero, zero) == spearman(zero, other) == 0
    assert jensen_shannon(zero, torch.ones(3, 3)) == 0
    one, another = torch.eye(9).reshape(9, 3, 3)[:2]
    assert jensen_shannon(one, another) == 1


def test_bad_maps(maps):
    a, b = maps
    with pytest.raises(TypeError, match="b: expected the type of a, ndarray, got Tensor"):
        pearson(a, torch.tensor(b))
    with pytest.raises(TypeError, match="a: expected a tensor or a numpy array, got list"):
        pearson([[1.0]], b)
    with pytest.raises(ValueError, match=r"b: expected two maps .* got a \(5, 16, 18\), b \(4, 16, 18\)"):
        pearson(a, b[:4])
    with pytest.raises(ValueError, match="reduction: expected 'mean' or 'none', got 'sum'"):
        pearson(a, b, reduction="sum")
    with pytest.raises(ValueError, match="b: expected values of at least 0, got negative ones"):
        jensen_shannon(a, -b)
    with pytest.raises(ValueError, match="a: expected maps of at least 11 x 11 pixels"):
        ssim(a[:, :10], b[:, :10])
    a[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="a: expected finite values"):
        spearman(a, b)


def test_difference(maps):
    a, b = maps
    np.testing.assert_array_equal(difference_map(a, b), a - b)
