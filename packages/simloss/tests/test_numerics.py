"""Extreme logits, autocast and gradients checked numerically."""

import pytest
import torch
from simloss import OrdinalSimilarity, SparseSimilarity
from simloss.functional import sim_loss
from torch.autograd import gradcheck, gradgradcheck

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def forms(structured):
    return structured, structured.to_dense()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("autocast", [False, True])
def test_extreme_logits_are_finite_and_right(structured, dtype, soft, autocast):
    torch.manual_seed(0)
    c = structured.num_classes
    logits = (torch.randint(-1, 2, (30, c)) * 1e4).to(dtype).requires_grad_()
    target = torch.randn(30, c).softmax(1).to(dtype) if soft else torch.randint(c, (30,))
    for similarity in forms(structured):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = sim_loss(logits, target, similarity)
        precise = sim_loss(logits.double(), target.double() if soft else target, structured.to_dense().double())
        (gradient,) = torch.autograd.grad(loss, logits)
        assert gradient.isfinite().all()
        assert loss.dtype == (torch.promote_types(dtype, torch.float32) if autocast else dtype)
        torch.testing.assert_close(loss.double(), precise.detach(), rtol=1e-2, atol=1e-2)


def test_underflowing_rows_equal_float64_beside_ordinary_rows():
    torch.manual_seed(0)
    matrix = torch.rand(40, 40) * (torch.rand(40, 40) < 0.2)
    matrix.fill_diagonal_(1)
    logits = torch.randn(64, 40) * torch.tensor([1.0, 1000.0]).repeat(32).unsqueeze(1)
    target = torch.randint(40, (64,))
    for similarity in (matrix, SparseSimilarity.from_dense(matrix)):
        for soft in (False, True):
            wanted = torch.nn.functional.one_hot(target, 40).float() if soft else target
            x, precise = logits.clone().requires_grad_(), logits.double().requires_grad_()
            loss = sim_loss(x, wanted, similarity, reduction="none")
            log_p = precise.log_softmax(1).unsqueeze(1) + matrix.double().log()
            expected = -log_p.logsumexp(2)[range(64), target]
            torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(
                torch.autograd.grad(loss.sum(), x)[0].double(),
                torch.autograd.grad(expected.sum(), precise)[0],
                rtol=1e-4,
                atol=1e-5,
            )


def test_impossible_targets_are_those_of_cross_entropy():
    target = torch.tensor([2, 0, 0])
    rows = torch.tensor([[0.0, 1.0, -torch.inf], [-torch.inf, 1.0, 2.0], [-torch.inf, -torch.inf, 0.0]])
    expected = rows.clone().requires_grad_()
    losses = torch.nn.functional.cross_entropy(expected, target, reduction="none")
    losses.sum().backward()
    for similarity in forms(SparseSimilarity.from_dense(torch.eye(3))):
        logits = rows.clone().requires_grad_()
        ours = sim_loss(logits, target, similarity, reduction="none")
        ours.sum().backward()
        torch.testing.assert_close(ours, losses)
        torch.testing.assert_close(logits.grad, expected.grad)


@pytest.mark.parametrize("reduction_factor", [0.0, 0.2, 0.5])
def test_truncated_windows_lose_nothing(reduction_factor):
    torch.manual_seed(0)
    ordinal = OrdinalSimilarity(2000, reduction_factor)
    logits, target = torch.randn(8, 2000), torch.tensor([0, 1, 15, 1000, 1001, 1990, 1998, 1999])
    logits[3, 0] = 60  # all mass far from the target
    logits[4, 1500] = 1e4
    assert ordinal._near_rows(target, torch.float32)[0] is not None
    x, precise = logits.clone().requires_grad_(), logits.double().requires_grad_()
    loss = sim_loss(x, target, ordinal, reduction="none")
    distance = (torch.arange(2000) - target[:, None]).abs().double()
    log_s = torch.xlogy(distance, torch.tensor(reduction_factor, dtype=torch.double))
    expected = -(precise.log_softmax(1) + log_s).logsumexp(1)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(
        torch.autograd.grad(loss.sum(), x)[0].double(),
        torch.autograd.grad(expected.sum(), precise)[0],
        rtol=1e-4,
        atol=1e-6,
    )


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("scale", [1, 200])
def test_gradcheck(structured, soft, scale):
    torch.manual_seed(0)
    c = structured.num_classes
    logits = (scale * torch.randn(2, c, dtype=torch.double)).requires_grad_()
    target = torch.randn(2, c, dtype=torch.double).softmax(1) if soft else torch.randint(c, (2,))
    for similarity in forms(structured):
        loss = lambda x, s=similarity: sim_loss(x, target, s)  # noqa: E731
        assert gradcheck(loss, logits)
        if scale == 1:
            assert gradgradcheck(loss, logits)


def test_masked_logits():
    logits = torch.tensor([[0.0, -torch.inf, 1.0], [-torch.inf, 2.0, 1000.0]], requires_grad=True)
    target = torch.tensor([0, 1])
    loss = sim_loss(logits, target, torch.eye(3))
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, target))
    assert torch.autograd.grad(loss, logits)[0].isfinite().all()


def test_probabilities_of_zero_are_clamped():
    p = torch.tensor([[0.0, 1.0]], requires_grad=True)
    loss = sim_loss(p, torch.tensor([0]), torch.eye(2), from_probabilities=True)
    assert loss.item() == pytest.approx(87.336, abs=1e-2)
    assert torch.autograd.grad(loss, p)[0].isfinite().all()
