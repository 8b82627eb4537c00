"""torch.compile and torch.func."""

import pytest
import torch
from simloss import OrdinalSimilarity, SimLoss, SparseSimilarity
from simloss.functional import linear_sim_loss, sim_loss
from torch.func import functional_call, grad, jacrev, vmap

SPARSE = torch.rand(9, 9, generator=torch.Generator().manual_seed(0)) * torch.eye(9).roll(3, 1) + torch.eye(9)
FORMS = {"ordinal": OrdinalSimilarity(9, 0.6), "sparse": SparseSimilarity.from_dense(SPARSE), "dense": SPARSE}


def forms(structured):
    return structured, structured.to_dense()


@pytest.mark.slow
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_compiled_equals_eager(form, soft, dynamic):
    torch._dynamo.reset()
    module = SimLoss(FORMS[form], label_smoothing=0.1 if soft else 0.0)
    compiled = torch.compile(module, fullgraph=True, dynamic=dynamic)
    for n in (5, 7) if dynamic else (5,):
        logits = (100 * torch.randn(n, 9)).requires_grad_()
        target = torch.randn(n, 9).softmax(1) if soft else torch.randint(9, (n,))
        actual, expected = compiled(logits, target), module(logits, target)
        torch.testing.assert_close(actual, expected)
        torch.testing.assert_close(torch.autograd.grad(actual, logits), torch.autograd.grad(expected, logits))


@pytest.mark.slow
def test_compiled_linear_equals_eager(structured):
    torch._dynamo.reset()
    hidden, weight = torch.randn(6, 4, requires_grad=True), torch.randn(9, 4, requires_grad=True)
    target = torch.randint(9, (6,))

    def loss(hidden, weight):
        return linear_sim_loss(hidden, weight, target, structured)

    actual, expected = torch.compile(loss, fullgraph=True)(hidden, weight), loss(hidden, weight)
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(
        torch.autograd.grad(actual, (hidden, weight)), torch.autograd.grad(expected, (hidden, weight))
    )


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("scale", [1, 1000])
def test_vmap_and_grad(structured, soft, scale):
    torch.manual_seed(0)
    logits = scale * torch.randn(3, 5, 9)
    target = torch.randn(3, 5, 9).softmax(-1) if soft else torch.randint(9, (3, 5))
    for similarity in forms(structured):

        def loss(x, y, similarity=similarity):
            return sim_loss(x, y, similarity)

        single = torch.stack([loss(x, y) for x, y in zip(logits, target)])
        torch.testing.assert_close(vmap(loss)(logits, target), single)
        x = logits.clone().requires_grad_()
        (expected,) = torch.autograd.grad(torch.stack([loss(*pair) for pair in zip(x, target)]).sum(), x)
        torch.testing.assert_close(vmap(grad(loss))(logits, target), expected)
        torch.testing.assert_close(grad(lambda x: vmap(loss)(x, target).sum())(logits), expected)
        jacobian = jacrev(lambda x, s=similarity: sim_loss(x, target[0], s, reduction="none"))(logits[0])
        torch.testing.assert_close(jacobian.sum(0), 5 * expected[0])


def test_per_sample_gradients_of_a_module(structured):
    torch.manual_seed(0)
    model, loss = torch.nn.Linear(4, 9), SimLoss(structured.to_dense())
    x, y = torch.randn(6, 4), torch.randint(9, (6,))

    def sample_loss(parameters, x, y):
        return loss(functional_call(model, parameters, (x,)), y)

    per_sample = vmap(grad(sample_loss), in_dims=(None, 0, 0))(dict(model.named_parameters()), x, y)
    loss(model(x), y).backward()
    torch.testing.assert_close(per_sample["weight"].mean(0), model.weight.grad)
