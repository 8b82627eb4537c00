import pytest
import torch
from clip_aesthetics import EMDLoss, NIMAHead, emd_loss, mean_score
from hypothesis import given, settings
from hypothesis import strategies as st


def slow_emd(p, q, r):
    total, below_p, below_q = 0.0, 0.0, 0.0
    for a, b in zip(p, q):
        below_p, below_q = below_p + a, below_q + b
        total += abs(below_p - below_q) ** r
    return total / len(p), (total / len(p)) ** (1 / r)


@pytest.mark.parametrize("r", [1.0, 2.0, 3.0])
def test_equals_loops(draw, r):
    p, q = draw(6, 10).double().softmax(1), draw(6, 10, seed=1).double().softmax(1)
    means, roots = zip(*(slow_emd(a, b, r) for a, b in zip(p.tolist(), q.tolist())))
    torch.testing.assert_close(EMDLoss(r=r, reduction="none")(p, q), torch.tensor(roots, dtype=torch.float64))
    assert EMDLoss(r=r)(p, q).item() == pytest.approx(sum(roots) / 6)
    assert EMDLoss(r=r, reduction="sum")(p, q).item() == pytest.approx(sum(roots))
    assert EMDLoss(r=r, form="global")(p, q).item() == pytest.approx((sum(means) / 6) ** (1 / r))


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_forms_differ_as_jensen_says(seed):
    generator = torch.Generator().manual_seed(seed)
    p, q = torch.rand(2, 5, 10, generator=generator).softmax(2)
    assert emd_loss(p, q) <= emd_loss(p, q, form="global") + 1e-6
    torch.testing.assert_close(emd_loss(p[:1], q[:1]), emd_loss(p[:1], q[:1], form="global"))
    assert emd_loss(p, p) == 0


@pytest.mark.parametrize("form", ["sample", "global"])
def test_gradient(draw, form):
    logits = draw(3, 5).double().requires_grad_()
    target = draw(3, 5, seed=1).double().softmax(1)
    assert torch.autograd.gradcheck(lambda x: emd_loss(x.softmax(1), target, form=form), logits)
    same = target.clone().requires_grad_()
    emd_loss(same, target, form=form).backward()
    assert (same.grad == 0).all()


def test_half_precision_is_computed_in_single(draw):
    p, q = draw(3, 5).softmax(1), draw(3, 5, seed=1).softmax(1)
    loss = emd_loss(p.half(), q.half())
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, emd_loss(p, q), atol=1e-3, rtol=1e-3)


def test_bad_arguments_are_named(draw):
    p = draw(3, 5).softmax(1)
    with pytest.raises(ValueError, match=r"target: expected \(n, k\) like input, got input \(3, 5\), target \(3, 4\)"):
        emd_loss(p, p[:, :4])
    with pytest.raises(ValueError, match="form: expected 'sample' or 'global', got batch"):
        EMDLoss(form="batch")(p, p)
    with pytest.raises(ValueError, match="reduction: expected"):
        EMDLoss(form="global", reduction="none")(p, p)
    with pytest.raises(ValueError, match=r"r: expected a finite number of at least 1, got 0\.5"):
        EMDLoss(r=0.5)(p, p)


@pytest.mark.slow
def test_compiles(draw):
    p, q = draw(3, 5).softmax(1), draw(3, 5, seed=1).softmax(1)
    compiled = torch.compile(EMDLoss(), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(p, q), emd_loss(p, q))


def test_head_gives_distributions(draw):
    head = NIMAHead(4, num_scores=7)
    output = head.eval()(draw(3, 4))
    torch.testing.assert_close(output.sum(1), torch.ones(3))
    assert output.shape == (3, 7)
    assert head[0].p == 0.75


def test_mean_score_of_shares_and_counts():
    votes = torch.tensor([[0, 1, 5, 17, 38, 36, 15, 6, 5, 1]])
    expected = sum(rating * count for rating, count in enumerate(votes[0].tolist(), start=1)) / 124
    assert mean_score(votes).item() == pytest.approx(expected)
    assert mean_score(votes / 124).item() == pytest.approx(expected)
    assert mean_score(votes, first=0).item() == pytest.approx(expected - 1)
    with pytest.raises(ValueError, match="distribution: expected entries of at least 0"):
        mean_score(torch.zeros(2, 10))
