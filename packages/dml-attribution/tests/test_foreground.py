import numpy as np
import pytest
import torch
from dml_attribution import foreground_score, pointing_game, relevance_mass
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays


@settings(deadline=None)  # a busy machine is no failure
@given(arrays(np.float64, (4, 5), elements=st.floats(0, 1)), arrays(np.float64, (4, 5), elements=st.floats(0, 1)))
def test_against_loops(mask, attribution):
    height, width = mask.shape
    share = sum(mask[i, j] for i in range(height) for j in range(width)) / (height * width)
    total = sum(attribution[i, j] for i in range(height) for j in range(width))
    if total < 1e-300 or share > 1 - 1e-9:
        return
    mass = sum(mask[i, j] * attribution[i, j] for i in range(height) for j in range(width)) / total
    assert relevance_mass(mask, attribution) == pytest.approx(mass, abs=1e-9)
    assert foreground_score(mask, attribution) == pytest.approx((mass - share) / (1 - share), abs=1e-6)


def test_the_values_that_the_score_is_made_for():
    mask = torch.zeros(2, 6, 6)
    mask[0, :2, :3] = 1
    mask[1, 1:, 1:] = 1
    assert torch.allclose(foreground_score(mask, mask), torch.ones(2))
    assert torch.allclose(foreground_score(mask, torch.ones(2, 6, 6)), torch.zeros(2), atol=1e-6)
    assert (foreground_score(mask, 1 - mask) < 0).all()
    assert torch.allclose(foreground_score(mask, torch.zeros(2, 6, 6)), torch.zeros(2), atol=1e-6)
    assert foreground_score(torch.ones(6, 6), torch.rand(6, 6)) == 0
    assert foreground_score(torch.zeros(6, 6), torch.rand(6, 6)) == 0
    assert foreground_score(mask.bool().numpy(), mask.numpy()) == pytest.approx([1, 1])


def test_pointing_game():
    mask, attribution = np.zeros((7, 7)), np.zeros((7, 7))
    mask[3, 3], attribution[3, 5] = 0.6, 1.0
    assert [float(pointing_game(mask, attribution, tolerance=t)) for t in range(4)] == [0, 0, 1, 1]
    attribution[3, 3] = 1.0
    assert pointing_game(mask, attribution) == 0.5
    with pytest.raises(ValueError, match="tolerance: expected a whole number of at least 0, got -1"):
        pointing_game(mask, attribution, tolerance=-1)


@pytest.mark.parametrize("measure", [foreground_score, relevance_mass, pointing_game])
def test_bad_masks(measure):
    with pytest.raises(ValueError, match=r"attribution: expected two maps .* got mask \(4, 4\), attribution \(4, 5\)"):
        measure(mask=torch.ones(4, 4), attribution=torch.ones(4, 5))
    with pytest.raises(ValueError, match=r"mask: expected values in \[0, 1\], got 0 to 255"):
        measure(255 * torch.eye(4), torch.ones(4, 4))
    with pytest.raises(ValueError, match="attribution: expected values of at least 0"):
        measure(torch.eye(4), -torch.ones(4, 4))
