import math

import pytest
import torch
from aesthetic_pretext import BalancedSum, DynamicWeightAverage, LossSum, UncertaintyWeighting


def losses(*values):
    return {name: torch.tensor(value, requires_grad=True) for name, value in zip("abc", values)}


def test_balanced_sum_is_the_sum_of_exponentials():
    given = losses(30.0, 120.0)
    value = BalancedSum()(given)
    assert value.item() == pytest.approx(math.exp(0.6) + math.exp(2.4), rel=1e-6)
    value.backward()
    assert given["b"].grad.item() == pytest.approx(math.exp(2.4) / 50, rel=1e-5)


def test_balanced_sum_never_overflows():
    for value in (1e3, 1e6, 1e30):
        given = losses(value, 1.0)
        result = BalancedSum()(given)
        result.backward()
        assert result.isfinite()
        assert given["a"].grad.isfinite()
        assert given["a"].grad > given["b"].grad
    half = BalancedSum()({"a": torch.tensor(1000.0, dtype=torch.float16)})
    assert half.isfinite()


def test_uncertainty_weighting_learns_to_lower_the_weight_of_a_large_loss():
    balance = UncertaintyWeighting(["a", "b"])
    balance(losses(10.0, 0.1)).backward()
    assert balance.log_variances["a"].grad < 0 < balance.log_variances["b"].grad


def test_dynamic_weights_follow_the_slower_loss():
    balance = DynamicWeightAverage(["a", "b"], temperature=1.0)
    for a in (4.0, 1.0):
        assert balance.weights.tolist() == [1.0, 1.0]
        for _ in range(3):
            balance(losses(a, 2.0))
        balance.end_epoch()
    expected = torch.tensor([0.25, 1.0]).softmax(0) * 2
    assert torch.allclose(balance.weights, expected)
    copy = DynamicWeightAverage(["a", "b"])
    copy.load_state_dict(balance.state_dict())
    assert torch.equal(copy.weights, balance.weights)


@pytest.mark.parametrize("balance", [LossSum(), BalancedSum(), UncertaintyWeighting("a"), DynamicWeightAverage("a")])
def test_same_interface_and_errors(balance):
    assert balance(losses(0.5)).ndim == 0
    with pytest.raises(ValueError, match="losses: expected"):
        balance({})
    with pytest.raises(ValueError, match="losses: expected"):
        balance({"a": torch.zeros(2)})


def test_temperatures_are_positive():
    for kind in (BalancedSum, lambda t: DynamicWeightAverage("a", t)):
        with pytest.raises(ValueError, match="temperature: expected a positive number"):
            kind(0)
