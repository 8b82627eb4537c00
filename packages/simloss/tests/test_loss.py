"""sim_loss against cross entropy, a double loop and logits merged by hand."""

import functools
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from simloss import OrdinalSimilarity, SimLoss, SparseSimilarity
from simloss.functional import sim_loss
from torch.nn import functional as F

IDENTITIES = {
    "dense": torch.eye,
    "ordinal": lambda c: OrdinalSimilarity(c, 0.0),
    "sparse": lambda c: SparseSimilarity.from_dense(torch.eye(c)),
}
TOLERANCE = {
    torch.float16: {"rtol": 2e-3, "atol": 2e-3},
    torch.bfloat16: {"rtol": 2e-2, "atol": 2e-2},
    torch.float32: {"rtol": 1e-5, "atol": 2e-6},
    torch.float64: {"rtol": 1e-10, "atol": 1e-12},
}


def value_and_gradient(loss, logits, upstream=None):
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits)
    (gradient,) = torch.autograd.grad(value, logits, torch.ones_like(value) if upstream is None else upstream)
    return value.detach(), gradient


identity_cases = given(
    kind=st.sampled_from(sorted(IDENTITIES)),
    num_classes=st.integers(1, 6),
    batch=st.one_of(st.none(), st.integers(1, 4)),
    extra=st.lists(st.integers(1, 3), max_size=2),
    dtype=st.sampled_from(list(TOLERANCE)),
    weighted=st.booleans(),
    probabilities=st.booleans(),
    ignored=st.sampled_from(["none", "some", "class", "all"]),
    label_smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    reduction=st.sampled_from(["mean", "sum", "none"]),
    seed=st.integers(0, 2**31),
)


def check_identity(
    kind, num_classes, batch, extra, dtype, weighted, probabilities, ignored, label_smoothing, reduction, seed
):
    generator = torch.Generator().manual_seed(seed)
    shape = (num_classes,) if batch is None else (batch, num_classes, *extra)
    class_axis = min(1, len(shape) - 1)
    logits = 3 * torch.randn(shape, generator=generator).to(dtype)
    options = {"reduction": reduction, "label_smoothing": label_smoothing}
    if weighted:
        options["weight"] = (torch.rand(num_classes, generator=generator) + 0.1).to(dtype)
    if probabilities:
        target = torch.randn(shape, generator=generator).softmax(class_axis).to(dtype)
    else:
        target = torch.randint(num_classes, shape[:class_axis] + shape[class_axis + 1 :], generator=generator)
        if ignored == "class":
            options["ignore_index"] = 0
        elif ignored != "none":
            target = torch.where(torch.rand(target.shape, generator=generator) < 0.5, -100, target)
            target = torch.full_like(target, -100) if ignored == "all" else target
    similarity = IDENTITIES[kind](num_classes)
    # Half precision carries the reference only to three digits, so it is computed in float32 from the same numbers.
    precise = torch.promote_types(dtype, torch.float32)
    expected = value_and_gradient(
        lambda x: F.cross_entropy(
            x.to(precise),
            target.to(precise) if probabilities else target,
            **{k: v.to(precise) if k == "weight" else v for k, v in options.items()},
        ),
        logits,
    )
    actual = value_and_gradient(lambda x: sim_loss(x, target, similarity, **options), logits)
    torch.testing.assert_close(actual[0], expected[0].to(dtype), equal_nan=True, **TOLERANCE[dtype])
    torch.testing.assert_close(actual[1], expected[1], equal_nan=True, **TOLERANCE[dtype])
    assert actual[0].dtype == F.cross_entropy(logits, target, **options).dtype


@settings(max_examples=300, deadline=None)
@identity_cases
def test_identity_is_cross_entropy(**case):
    check_identity(**case)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@identity_cases
def test_identity_is_cross_entropy_in_thousands_of_cases(**case):
    check_identity(**case)


def slow_loss(logits, target, matrix, weight, label_smoothing, ignore_index):
    """Mean over the positions of (n, c) logits by loops over Python numbers."""
    total, count = 0.0, 0.0
    c = len(matrix)
    for row, y in zip(logits.tolist(), target.tolist()):
        if y == ignore_index:
            continue
        exponents = [math.exp(x) for x in row]
        p = [e / sum(exponents) for e in exponents]
        loss = [-math.log(sum(float(matrix[k][j]) * p[j] for j in range(c))) for k in range(c)]
        total += (1 - label_smoothing) * weight[y] * loss[y]
        total += label_smoothing / c * sum(weight[k] * loss[k] for k in range(c))
        count += weight[y]
    return total / count


@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
def test_equals_a_double_loop(structured, label_smoothing):
    torch.manual_seed(0)
    c = structured.num_classes
    logits, target, weight = torch.randn(7, c), torch.randint(c, (7,)), torch.rand(c)
    target[2] = -100
    matrix = structured.to_dense()
    expected = slow_loss(logits, target, matrix, weight.tolist(), label_smoothing, -100)
    for similarity in (structured, matrix):
        actual = sim_loss(logits, target, similarity, weight=weight, label_smoothing=label_smoothing)
        torch.testing.assert_close(actual.item(), expected, rtol=1e-5, atol=1e-6)
    from_probabilities = sim_loss(
        logits.softmax(1), target, structured, weight=weight, label_smoothing=label_smoothing, from_probabilities=True
    )
    torch.testing.assert_close(from_probabilities.item(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [1, 1000])
def test_superclass_indicator_is_cross_entropy_of_merged_logits(scale):
    torch.manual_seed(0)
    superclass = torch.tensor([0, 0, 1, 2, 1, 2, 2])
    logits, target = scale * torch.randn(20, 7), torch.randint(7, (20,))
    indicator = (superclass[:, None] == superclass).float()

    def merged(x):
        groups = [torch.logsumexp(x[:, superclass == s], 1) for s in range(3)]
        return F.cross_entropy(torch.stack(groups, 1), superclass[target])

    for similarity in (indicator, SparseSimilarity.from_dense(indicator)):
        actual = value_and_gradient(lambda x, s=similarity: sim_loss(x, target, s), logits)
        torch.testing.assert_close(actual, value_and_gradient(merged, logits), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("soft", [False, True])
def test_rows_scaled_to_probabilities_have_the_same_gradient(soft):
    torch.manual_seed(0)
    matrix = torch.rand(6, 6)
    logits = torch.randn(5, 6)
    target = torch.randn(5, 6).softmax(1) if soft else torch.randint(6, (5,))
    gradients = [
        value_and_gradient(lambda x, s=s: sim_loss(x, target, s), logits)[1]
        for s in (matrix, matrix / matrix.sum(1, keepdim=True))
    ]
    torch.testing.assert_close(*gradients)


def test_backward_twice_and_inputs_untouched(structured):
    torch.manual_seed(0)
    logits = torch.randn(6, structured.num_classes, requires_grad=True)
    target = torch.randint(structured.num_classes, (6,))
    before = logits.detach().clone(), target.clone()
    loss = sim_loss(logits, target, structured)
    first = torch.autograd.grad(loss, logits, retain_graph=True)[0].clone()
    second = torch.autograd.grad(loss, logits)[0]
    assert torch.equal(first, second)
    assert torch.equal(logits, before[0])
    assert torch.equal(target, before[1])


def test_non_contiguous(structured):
    torch.manual_seed(0)
    logits = torch.randn(structured.num_classes, 6).T
    target = torch.randint(structured.num_classes, (12,))[::2]
    actual = value_and_gradient(lambda x: sim_loss(x, target, structured), logits)
    expected = value_and_gradient(lambda x: sim_loss(x.contiguous(), target.contiguous(), structured), logits)
    torch.testing.assert_close(actual, expected)


def test_module_equals_function_and_stores_everything(structured):
    torch.manual_seed(0)
    c = structured.num_classes
    options = {"weight": torch.rand(c), "ignore_index": 1, "reduction": "none", "label_smoothing": 0.2}
    for similarity in (structured, structured.to_dense()):
        loss = SimLoss(similarity, **options)
        logits, target = torch.randn(8, c), torch.randint(c, (8,))
        assert torch.equal(loss(logits, target), sim_loss(logits, target, similarity, **options))
        state = loss.state_dict()
        assert {name.split(".")[0] for name in state} == {"similarity", "weight"}
        loss.load_state_dict(state)
        assert all(x.device.type == "meta" for x in loss.to("meta").buffers())


def test_learnable_target_and_weight_get_gradients():
    torch.manual_seed(0)
    target = torch.randn(4, 5, dtype=torch.double).softmax(1).requires_grad_()
    weight = torch.rand(5, dtype=torch.double, requires_grad=True)
    logits, matrix = torch.randn(4, 5, dtype=torch.double), torch.rand(5, 5, dtype=torch.double)
    assert torch.autograd.gradcheck(lambda t, w: sim_loss(logits, t, matrix, weight=w), (target, weight))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input": torch.zeros(2, 3)}, r"input: expected one logit per class of the \(4, 4\).*input \(2, 3\)"),
        ({"input": torch.zeros(2, 4).long()}, "input: expected a floating-point tensor, got 'torch.int64'|int64"),
        ({"target": torch.zeros(3).long()}, r"target: .*input \(2, 4\), target \(3,\)"),
        ({"target": torch.zeros(2, 3)}, r"target: .*input \(2, 4\), target \(2, 3\)"),
        ({"target": torch.tensor([0, 4])}, r"target: expected class indices 0\.\.3"),
        ({"target": torch.zeros(2, 4), "ignore_index": 1}, "ignore_index: "),
        ({"weight": torch.ones(3)}, r"weight: .*\(4,\).*\(3,\)"),
        ({"reduction": "average"}, "reduction: expected 'mean', 'sum' or 'none', got 'average'"),
        ({"label_smoothing": 1.5}, "label_smoothing: .*1.5"),
        ({"similarity": torch.eye(4).requires_grad_()}, "similarity: expected .*no gradient"),
        ({"similarity": torch.ones(4, 3)}, r"similarity: expected a square matrix"),
    ],
)
def test_wrong_arguments(arguments, message):
    valid = {"input": torch.zeros(2, 4), "target": torch.tensor([0, 1]), "similarity": torch.eye(4)}
    with pytest.raises(ValueError, match=message):
        sim_loss(**{**valid, **arguments})


def test_wrong_types():
    with pytest.raises(TypeError, match="target: expected a tensor"):
        sim_loss(torch.zeros(2, 4), [0, 1], torch.eye(4))
    with pytest.raises(TypeError, match="similarity: expected a tensor"):
        SimLoss([[1.0]])


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 0.0], [0.0, 0.0]], r"positive similarity in every row.*\[1\]"),
        ([[1.0, float("nan")], [0.0, 1.0]], r"in \[0, 1\].*nan"),
        ([[1.0, -0.5], [0.0, 1.0]], r"in \[0, 1\].*-0.5"),
        ([[1.0, 2.0], [0.0, 1.0]], r"in \[0, 1\].*2.0"),
        ([[1.0, 0.0]], r"square matrix.*\(1, 2\)"),
    ],
)
def test_wrong_matrix(matrix, message):
    with pytest.raises(ValueError, match=message):
        SimLoss(torch.tensor(matrix))


def test_every_reduction_and_shape_equals_dense(structured):
    torch.manual_seed(0)
    c, combinations = structured.num_classes, 0
    for soft, label_smoothing, reduction, shape in itertools.product(
        [False, True], [0.0, 0.2], ["mean", "sum", "none"], [(c,), (3, c), (2, c, 3, 2)]
    ):
        axis = min(1, len(shape) - 1)
        logits = 2 * torch.randn(shape)
        target = torch.randn(shape).softmax(axis) if soft else torch.randint(c, shape[:axis] + shape[axis + 1 :])
        options = {"reduction": reduction, "label_smoothing": label_smoothing}
        actual, expected = (
            value_and_gradient(functools.partial(sim_loss, target=target, similarity=s, **options), logits)
            for s in (structured, structured.to_dense())
        )
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)
        combinations += 1
    assert combinations == 36
