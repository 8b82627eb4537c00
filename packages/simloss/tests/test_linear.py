"""linear_sim_loss equals sim_loss of the logits it never stores."""

import itertools

import pytest
import torch
from simloss import _linear
from simloss._modules import LinearSimLoss
from simloss.functional import linear_sim_loss, sim_loss
from torch.nn import functional as F


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(_linear, "_BLOCK_ELEMENTS", 30)


def setup(num_classes, dtype=torch.float32, with_bias=True):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(11, 4, generator=generator).to(dtype).requires_grad_()
    weight = torch.randn(num_classes, 4, generator=generator).to(dtype).requires_grad_()
    bias = torch.randn(num_classes, generator=generator).to(dtype).requires_grad_() if with_bias else None
    target = torch.randint(num_classes, (11,), generator=generator)
    target[3] = -100
    return hidden, weight, bias, target


@pytest.mark.usefixtures("small_blocks")
def test_equals_sim_loss(structured):
    c = structured.num_classes
    for with_bias, weighted, label_smoothing, reduction, similarity in itertools.product(
        [True, False], [True, False], [0.0, 0.1], ["mean", "none"], [structured]
    ):
        hidden, weight, bias, target = setup(c, with_bias=with_bias)
        class_weight = torch.linspace(0.5, 2, c) if weighted else None
        options = {"reduction": reduction, "label_smoothing": label_smoothing}
        inputs = [x for x in (hidden, weight, bias) if x is not None]
        actual = linear_sim_loss(hidden, weight, target, similarity, bias=bias, class_weight=class_weight, **options)
        expected = sim_loss(F.linear(hidden, weight, bias), target, similarity, weight=class_weight, **options)
        torch.testing.assert_close(actual, expected)
        upstream = torch.linspace(1, 2, actual.numel()).view(actual.shape)
        torch.testing.assert_close(
            torch.autograd.grad(actual, inputs, upstream), torch.autograd.grad(expected, inputs, upstream)
        )


@pytest.mark.usefixtures("small_blocks")
def test_backward_twice(structured):
    hidden, weight, bias, target = setup(structured.num_classes)
    loss = linear_sim_loss(hidden, weight, target, structured, bias=bias)
    first = [x.clone() for x in torch.autograd.grad(loss, (hidden, weight, bias), retain_graph=True)]
    torch.testing.assert_close(first, list(torch.autograd.grad(loss, (hidden, weight, bias))), rtol=0, atol=0)


def test_gradcheck(structured):
    hidden, weight, bias, target = setup(structured.num_classes, torch.double)
    assert torch.autograd.gradcheck(
        lambda h, w, b: linear_sim_loss(h, w, target, structured, bias=b), (hidden, weight, bias)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_autocast(structured, dtype):
    hidden, weight, bias, target = setup(structured.num_classes)
    expected = linear_sim_loss(hidden, weight, target, structured, bias=bias)
    half = linear_sim_loss(hidden.to(dtype), weight.to(dtype), target, structured, bias=bias.to(dtype))
    assert half.dtype == dtype
    with torch.autocast("cpu", dtype):
        mixed = linear_sim_loss(hidden, weight, target, structured, bias=bias)
    assert mixed.dtype == torch.float32
    for loss in (half, mixed):
        torch.testing.assert_close(loss.float(), expected, rtol=3e-2, atol=3e-2)
        assert all(g.isfinite().all() for g in torch.autograd.grad(loss, (hidden, weight, bias)))


def test_batches_of_sequences_and_module(structured):
    hidden, weight, bias, target = setup(structured.num_classes)
    sequences, labels = hidden[:10].reshape(2, 5, 4), target[:10].reshape(2, 5)
    loss = LinearSimLoss(structured, reduction="none")(sequences, weight, labels, bias)
    assert loss.shape == (2, 5)
    flat = linear_sim_loss(hidden[:10], weight, target[:10], structured, bias=bias, reduction="none")
    torch.testing.assert_close(loss.flatten(), flat)


def test_frozen_inputs_get_no_gradient(structured):
    hidden, weight, bias, target = setup(structured.num_classes)
    loss = linear_sim_loss(hidden.detach(), weight.detach(), target, structured, bias=bias)
    loss.backward()
    assert bias.grad is not None
    with torch.no_grad():
        torch.testing.assert_close(linear_sim_loss(hidden, weight, target, structured, bias=bias), loss.detach())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": torch.zeros(5, 3)}, r"weight: .*hidden \(5, 3\), weight \(9, 4\)"),
        ({"weight": torch.zeros(8, 4)}, r"weight: expected one row for each of the 9 classes"),
        ({"bias": torch.zeros(3)}, r"bias: .*\(9,\).*\(3,\)"),
        ({"target": torch.zeros(4).long()}, r"target: .*target \(4,\)"),
        ({"target": torch.zeros(5, 9)}, r"target: expected class indices"),
        ({"reduction": None}, r"reduction: "),
    ],
)
def test_wrong_arguments(structured, arguments, message):
    valid = {"hidden": torch.zeros(5, 4), "weight": torch.zeros(9, 4), "target": torch.zeros(5).long()}
    with pytest.raises(ValueError, match=message):
        linear_sim_loss(**{**valid, **arguments}, similarity=structured)
