import numpy as np
import pytest
import torch
from clip_aesthetics import AestheticScores, evaluate
from clip_aesthetics._statistics import pearson, resamples, spearman
from clip_aesthetics.metrics import RatingAccuracy, RatingMAE, RatingPearson, RatingSpearman
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torchmetrics import MetricCollection


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), min_size=3, max_size=30))
def test_correlations_equal_scipy_with_ties(pairs):
    x, y = (torch.tensor(column, dtype=torch.float64) for column in zip(*pairs))
    if len({*x.tolist()}) < 2 or len({*y.tolist()}) < 2:
        assert torch.isnan(spearman(x, y))
        assert torch.isnan(pearson(x, y))
        return
    assert spearman(x, y).item() == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert pearson(x, y).item() == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)


def test_a_weighting_is_a_resample(draw):
    x, y = draw(15).round(decimals=1), draw(15, seed=1)
    for weights in next(resamples(15, 20, seed=3)):
        rows = torch.arange(15).repeat_interleave(weights.long())
        assert len(rows) == 15
        for statistic in (pearson, spearman):
            weighted = statistic(x, y, weights[None])[0]
            assert weighted.item() == pytest.approx(statistic(x[rows], y[rows]).item(), abs=1e-9)


def test_blocks_of_resamples_do_not_repeat():
    blocks = list(resamples(300_000, 7, seed=0))
    assert sum(len(block) for block in blocks) == 7
    assert len(blocks) == 3
    assert len({tuple(row[:50].tolist()) for block in blocks for row in block}) == 7


@pytest.fixture
def data(draw):
    ratings = 5.5 + draw(200)
    return ratings, ratings + 0.8 * draw(200, seed=1)


def test_table(data):
    ratings, predicted = data
    prompts = AestheticScores(predicted / 100, predicted >= 5.2, (-2, 2), "similarity", "fake")
    result = evaluate({"probe": predicted, "prompts": prompts, "constant": torch.full((200,), 6.0)}, ratings)
    assert list(result.rows) == ["majority baseline", "probe", "prompts", "constant"]
    majority, probe, zero_shot, constant = result.rows.values()
    assert majority["accuracy"].value == pytest.approx((ratings >= 5).double().mean().item())
    assert majority["spearman"] is majority["pearson"] is majority["mae"] is None
    assert probe["accuracy"].value == pytest.approx(((predicted >= 5) == (ratings >= 5)).double().mean().item())
    assert probe["mae"].value == pytest.approx((predicted - ratings).abs().mean().item())
    assert zero_shot["accuracy"].value == pytest.approx(((predicted >= 5.2) == (ratings >= 5)).double().mean().item())
    assert zero_shot["spearman"] == probe["spearman"]
    assert zero_shot["mae"] is None
    assert constant["spearman"] is None
    assert constant["mae"] is not None
    text = str(result).splitlines()
    assert text[2].split()[1] == f"{probe['accuracy'].value:.3f}"
    assert len(text) == 5


def test_intervals_are_those_of_scipy(data):
    ratings, predicted = data
    estimate = evaluate({"probe": predicted}, ratings, n_resamples=4000).rows["probe"]["pearson"]
    expected = stats.bootstrap(
        (predicted.numpy(), ratings.numpy()),
        lambda x, y: np.corrcoef(x, y)[0, 1],
        paired=True,
        vectorized=False,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert estimate.low == pytest.approx(expected.low, abs=0.01)
    assert estimate.high == pytest.approx(expected.high, abs=0.01)
    assert estimate.low < estimate.value < estimate.high


def test_seed_decides(data):
    ratings, predicted = data
    rows = [evaluate({"probe": predicted}, ratings, seed=seed).rows for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_torchmetrics_forms_equal_the_table(data):
    ratings, predicted = data
    metrics = MetricCollection([RatingAccuracy(), RatingSpearman(), RatingPearson(), RatingMAE()])
    for part, truth in zip(predicted.split(70), ratings.split(70)):
        metrics.update(part, truth)
    found = metrics.compute()
    for name, estimate in evaluate({"probe": predicted}, ratings).rows["probe"].items():
        for suffix, value in zip(("", "_low", "_high"), estimate):
            assert found[name + suffix].item() == pytest.approx(value, abs=1e-6)
    with pytest.raises(ValueError, match=r"predicted: expected \(batch,\), as ratings and aesthetic"):
        RatingMAE().update(predicted, ratings[:3])


def test_bad_arguments_are_named(data):
    ratings, predicted = data
    with pytest.raises(
        ValueError, match=r"probe: expected one prediction per rating, got probe \(3,\), ratings \(200,\)"
    ):
        evaluate({"probe": predicted[:3]}, ratings)
    with pytest.raises(ValueError, match="ratings: expected at least two different values, got 3 times 5"):
        evaluate({}, [5, 5, 5])
    with pytest.raises(ValueError, match="confidence: expected a number between 0 and 1, got 95"):
        evaluate({}, ratings, confidence=95)
