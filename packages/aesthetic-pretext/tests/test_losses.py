import math

import pytest
import torch
from aesthetic_pretext import (
    DISTORTIONS,
    VARIANTS,
    DistortionClassificationLoss,
    IntensityRegressionLoss,
    RankingLoss,
    functional,
)
from aesthetic_pretext.functional import (
    consistency_loss,
    cross_image_ranking_loss,
    distortion_classification_loss,
    emd_loss,
    intensity_regression_loss,
    ranking_loss,
    targets_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = list(DISTORTIONS)


def slow_pairs(levels, groups, reference):
    """Return (less distorted, more distorted) rows."""
    pairs = []
    for j, (level, group) in enumerate(zip(levels, groups)):
        if level == 0:
            continue
        if reference[j] != j:
            pairs.append((reference[j], j))
        pairs += [
            (i, j)
            for i, (other, its) in enumerate(zip(levels, groups))
            if its == group and other * level > 0 and abs(other) < abs(level)
        ]
    return pairs


def slow_ranking(scores, targets, margin):
    pairs = slow_pairs(*(t.tolist() for t in targets))
    return sum(max(0.0, margin - (float(scores[i]) - float(scores[j]))) for i, j in pairs), len(pairs)


def random_subset(seed, images=3):
    generator = torch.Generator().manual_seed(seed)
    keep = [key for key in VARIANTS if not key.distortion or torch.rand((), generator=generator) < 0.2]
    targets = targets_of(keep, images)
    order = torch.randperm(len(targets.levels), generator=generator)
    place = order.argsort()
    return type(targets)(targets.levels[order], targets.groups[order], place[targets.reference[order]]), generator


def test_there_are_500_pairs_per_image(targets):
    pairs = slow_pairs(*(t.tolist() for t in targets))
    assert len(pairs) == 1000
    scores = torch.zeros(len(targets.levels))
    assert ranking_loss(scores, targets.levels, targets.groups, reference=targets.reference, margin=1.0) == 500


@pytest.mark.parametrize("seed", range(3))
def test_ranking_loss_equals_a_double_loop(seed):
    targets, generator = random_subset(seed)
    scores = torch.rand(len(targets.levels), generator=generator, dtype=torch.float64)
    expected, _ = slow_ranking(scores, targets, 0.2)
    options = {"reference": targets.reference}
    images = (targets.groups[targets.levels != 0] // 21).unique().numel()
    value = ranking_loss(scores, targets.levels, targets.groups, **options)
    assert float(value) == pytest.approx(expected / images)
    assert float(
        ranking_loss(scores[:, None], targets.levels, targets.groups, reduction="sum", **options)
    ) == pytest.approx(expected)
    rows = ranking_loss(scores, targets.levels, targets.groups, reduction="none", **options)
    assert rows.shape == scores.shape
    assert float(rows.sum()) == pytest.approx(expected)
    assert (rows[targets.levels == 0] == 0).all()


def test_ranking_loss_of_perfect_scores_is_zero_and_training_lowers_distorted_ones(targets):
    steps = torch.where(targets.levels == 0, 0, targets.levels.abs())
    perfect = 1 - 0.2 * steps.double()
    value = ranking_loss(perfect, targets.levels, targets.groups, reference=targets.reference, margin=0.2 - 1e-9)
    assert value == 0
    scores = torch.full((len(steps),), 0.5, requires_grad=True)
    ranking_loss(scores, targets.levels, targets.groups, reference=targets.reference).backward()
    assert (scores.grad[targets.levels == 0] < 0).all()  # descending raises the undistorted ones
    assert (scores.grad[targets.levels.abs() == 5] > 0).all()


def test_a_group_of_one_row_that_is_its_own_reference_has_no_pair():
    one = torch.tensor([2])
    scores = torch.tensor([0.3], requires_grad=True)
    loss = ranking_loss(scores, one, torch.tensor([6]), reference=torch.tensor([0]))
    assert loss == 0
    loss.backward()
    assert scores.grad == 0
    both = ranking_loss(torch.zeros(2), torch.tensor([0, 2]), torch.tensor([-1, 6]), reference=torch.tensor([0, 0]))
    assert both == pytest.approx(0.2)


@pytest.mark.parametrize("seed", range(2))
def test_classification_loss_equals_a_loop(seed):
    targets, generator = random_subset(seed)
    logits = torch.randn(len(targets.levels), 21, generator=generator, dtype=torch.float64)
    heads = {"technical": slice(0, 6), "style": slice(6, 15), "composition": slice(15, 21)}
    expected = 0.0
    for row, level, group in zip(logits, targets.levels.tolist(), targets.groups.tolist()):
        if level:
            head = heads[DISTORTIONS[NAMES[group % 21]].family]
            expected -= float(row[head].log_softmax(0)[group % 21 - head.start])
    value = distortion_classification_loss(logits, targets.levels, targets.groups)
    assert float(value) == pytest.approx(expected / 3)
    assert float(
        distortion_classification_loss(logits, targets.levels, targets.groups, reduction="none").sum()
    ) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(2))
def test_regression_loss_equals_a_loop(seed):
    targets, generator = random_subset(seed)
    outputs = torch.randn(len(targets.levels), 21, generator=generator, dtype=torch.float64)
    levels, groups, reference = (t.tolist() for t in targets)
    expected = 0.0
    for i, level in enumerate(levels):
        if level:
            d = groups[i] % 21
            same_sign = [other for other in DISTORTIONS[NAMES[d]].levels if other * level > 0]
            expected += (float(outputs[i, d]) - level / len(same_sign)) ** 2
    for group in {g for g, level in zip(groups, levels) if level}:
        head = next(r for r, g, level in zip(reference, groups, levels) if g == group and level)
        expected += float(outputs[head, group % 21]) ** 2
    value = intensity_regression_loss(outputs, targets.levels, targets.groups, reference=targets.reference)
    assert float(value) == pytest.approx(expected / 3)


def test_all_variants_have_192_regression_terms(targets):
    outputs = torch.full((len(targets.levels), 21), 10.0)
    zeroed = intensity_regression_loss(outputs, targets.levels * 0, targets.groups, reference=targets.reference)
    assert zeroed == 0
    rows = intensity_regression_loss(
        outputs, targets.levels, targets.groups, reference=targets.reference, reduction="none"
    )
    assert rows[targets.levels == 0].tolist() == [1600.0, 400.0, 100.0] * 2


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_losses_do_not_depend_on_the_order_of_rows(seed):
    targets, generator = random_subset(seed % 5)
    order = torch.randperm(len(targets.levels), generator=torch.Generator().manual_seed(seed))
    place = order.argsort()
    scores = torch.rand(len(order), generator=generator, dtype=torch.float64)
    outputs = torch.randn(len(order), 21, generator=generator, dtype=torch.float64)
    moved = targets.levels[order], targets.groups[order]
    reference = place[targets.reference[order]]
    levels, groups = targets.levels, targets.groups
    for loss, values, keywords, others in [
        (ranking_loss, scores, {"reference": targets.reference}, {"reference": reference}),
        (distortion_classification_loss, outputs, {}, {}),
        (intensity_regression_loss, outputs, {"reference": targets.reference}, {"reference": reference}),
        (consistency_loss, scores, {}, {}),
        (cross_image_ranking_loss, scores, {}, {}),
    ]:
        assert float(loss(values, levels, groups, **keywords)) == pytest.approx(
            float(loss(values[order], *moved, **others))
        )


def test_outlook_losses_equal_loops():
    targets, generator = random_subset(4)
    scores = torch.rand(len(targets.levels), generator=generator, dtype=torch.float64)
    rows = list(zip(scores.tolist(), targets.levels.tolist(), targets.groups.tolist()))
    squared, hinges = [], []
    for s, level, group in rows:
        for t, other, its in rows:
            if level and other and group // 21 != its // 21 and group % 21 == its % 21:
                if level == other:
                    squared.append((s - t) ** 2)
                elif level * other > 0 and abs(level) < abs(other):
                    hinges.append(max(0.0, 0.2 - (s - t)))
    assert float(consistency_loss(scores, targets.levels, targets.groups)) == pytest.approx(sum(squared) / len(squared))
    value = cross_image_ranking_loss(scores, targets.levels, targets.groups)
    assert float(value) == pytest.approx(sum(hinges) / len(hinges))


def test_emd_equals_the_definition():
    logits, target = torch.randn(4, 10, dtype=torch.float64), torch.rand(4, 10, dtype=torch.float64).softmax(1)
    difference = logits.softmax(1).cumsum(1) - target.cumsum(1)
    expected = [math.sqrt(sum(float(x) ** 2 for x in row) / 10) for row in difference]
    assert emd_loss(logits, target, reduction="none").tolist() == pytest.approx(expected)
    equal = torch.zeros(1, 10, requires_grad=True)
    emd_loss(equal, torch.full((1, 10), 0.1)).backward()
    assert equal.grad.isfinite().all()


def test_gradients():
    targets, generator = random_subset(2, images=1)
    n = len(targets.levels)
    scores = torch.rand(n, generator=generator, dtype=torch.float64, requires_grad=True)
    outputs = torch.randn(n, 21, generator=generator, dtype=torch.float64, requires_grad=True)
    levels, groups, reference = targets
    for loss, inputs in [
        (lambda s: ranking_loss(s, levels, groups, reference=reference), scores),
        (lambda o: intensity_regression_loss(o, levels, groups, reference=reference), outputs),
        (lambda o: distortion_classification_loss(o, levels, groups), outputs),
    ]:
        assert torch.autograd.gradcheck(loss, inputs, fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(dtype, targets):
    scores = torch.rand(len(targets.levels)).to(dtype)
    value = ranking_loss(scores, targets.levels, targets.groups, reference=targets.reference)
    expected = ranking_loss(scores.float(), targets.levels, targets.groups, reference=targets.reference)
    assert value.dtype == torch.float32
    assert value == expected


@pytest.mark.slow
def test_losses_compile_whole(targets):
    scores = torch.rand(len(targets.levels))
    outputs = torch.randn(len(targets.levels), 21)

    def together(scores, outputs, levels, groups, reference):
        return (
            ranking_loss(scores, levels, groups, reference=reference)
            + distortion_classification_loss(outputs, levels, groups)
            + intensity_regression_loss(outputs, levels, groups, reference=reference)
        )

    for dynamic in (False, True):
        torch.compiler.reset()
        compiled = torch.compile(together, fullgraph=True, dynamic=dynamic)
        values, gradients = [], []
        for function in (together, compiled):
            inputs = scores.clone().requires_grad_(), outputs.clone().requires_grad_()
            value = function(*inputs, *targets)
            value.backward()
            values.append(value.detach())
            gradients.append([x.grad for x in inputs])
        torch.testing.assert_close(*values)
        torch.testing.assert_close(*gradients)


def test_modules_call_the_functions(targets):
    scores, outputs = torch.rand(len(targets.levels)), torch.randn(len(targets.levels), 21)
    levels, groups, reference = targets
    assert RankingLoss(0.5, "sum")(scores, levels, groups, reference=reference) == ranking_loss(
        scores, levels, groups, reference=reference, margin=0.5, reduction="sum"
    )
    assert DistortionClassificationLoss()(outputs, levels, groups) == distortion_classification_loss(
        outputs, levels, groups
    )
    assert IntensityRegressionLoss()(outputs, levels, groups, reference=reference) == intensity_regression_loss(
        outputs, levels, groups, reference=reference
    )
    with pytest.raises(ValueError, match="reduction: expected 'mean', 'sum' or 'none', got 'average'"):
        RankingLoss(reduction="average")


def test_nan_scores_are_not_hidden(targets):
    scores = torch.rand(len(targets.levels))
    scores[20] = torch.nan
    assert ranking_loss(scores, targets.levels, targets.groups, reference=targets.reference).isnan()


def test_errors_say_what_was_expected(targets):
    levels, groups, reference = targets
    scores = torch.zeros(len(levels))
    with pytest.raises(ValueError, match=r"levels: expected one integer per row of scores, got scores \(348,\)"):
        ranking_loss(scores, levels[:5], groups, reference=reference)
    with pytest.raises(ValueError, match=r"scores: expected \(n,\) or \(n, 1\)"):
        ranking_loss(scores.view(2, -1), levels, groups, reference=reference)
    with pytest.raises(ValueError, match="levels: expected integers"):
        ranking_loss(scores, levels.float(), groups, reference=reference)
    with pytest.raises(ValueError, match="levels: expected -5 to 5, got 6"):
        ranking_loss(scores, levels + 1, groups, reference=reference)
    with pytest.raises(ValueError, match="reference: expected rows 0 to 347"):
        ranking_loss(scores, levels, groups, reference=reference + 348)
    with pytest.raises(ValueError, match="reference: expected rows of level 0"):
        ranking_loss(scores, levels, groups, reference=torch.full_like(reference, 5))
    with pytest.raises(ValueError, match="levels: expected each level at most once in a group"):
        ranking_loss(scores[:2], torch.tensor([1, 1]), torch.tensor([0, 0]), reference=torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="groups: expected image"):
        ranking_loss(scores, levels, torch.full_like(groups, -1), reference=reference)
    with pytest.raises(ValueError, match=r"logits: expected \(n, 21\)"):
        distortion_classification_loss(torch.zeros(348, 9), levels, groups)
    with pytest.raises(ValueError, match="reduction: expected"):
        ranking_loss(scores, levels, groups, reference=reference, reduction="avg")
    with pytest.raises(ValueError, match="target: expected"):
        functional.emd_loss(torch.zeros(2, 10), torch.zeros(2, 9))
