"""The sweep over similarities, its statistics, table and plot."""

import json
import math
import random

import pytest
import scipy.stats
import simloss
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from simloss._signed_rank import signed_rank_p_value

FACTORS = [0.0, 0.5, 0.9]
GRID = {factor: simloss.OrdinalSimilarity(4, factor) for factor in FACTORS}


def train(loss, seed):
    """Pretend to train: a factor of .5 is best for accuracy, and .9 is best for the error but bad for accuracy."""
    factor = loss.similarity.reduction_factor
    noise = random.Random(f"{factor} {seed}").uniform(-0.02, 0.02)
    accuracy, error = {0.0: (0.6, 1.0), 0.5: (0.7, 0.98), 0.9: (0.4, 0.8)}[factor]
    scores = {"accuracy": accuracy + noise, "mae": error + 2 * noise}
    return {"val": {name: value + 0.1 for name, value in scores.items()}, "test": scores}


@pytest.fixture(scope="module")
def result():
    return simloss.sweep(train, GRID, range(10), baseline=0.0)


def test_every_row_is_trained_with_every_seed_and_its_own_loss():
    calls = []

    def record(loss, seed):
        calls.append((type(loss).__name__, getattr(loss, "similarity", None), seed))
        return {"val": {"accuracy": 0.5}, "test": {"accuracy": torch.tensor(0.5)}}

    weighted = torch.nn.CrossEntropyLoss(weight=torch.ones(4))
    dense = simloss.ordinal_similarity(4, 0.5)
    found = simloss.sweep(record, {"ours": dense, "weighted": weighted}, [7, 3])
    assert [(name, seed) for name, _, seed in calls] == [
        ("CrossEntropyLoss", 7), ("CrossEntropyLoss", 3), ("SimLoss", 7), ("SimLoss", 3),
        ("CrossEntropyLoss", 7), ("CrossEntropyLoss", 3),
    ]  # fmt: skip
    assert torch.equal(calls[2][1], dense)
    assert list(found.runs) == ["cross entropy", "ours", "weighted"]
    assert found.baseline == "cross entropy"
    assert found.values("ours", "test", "accuracy") == [0.5, 0.5]


def test_mean_and_standard_deviation_equal_torch(result):
    values = torch.tensor([train(simloss.SimLoss(GRID[0.5]), seed)["test"]["mae"] for seed in range(10)])
    assert result.mean(0.5, "test", "mae") == pytest.approx(values.mean().item())
    assert result.std(0.5, "test", "mae") == pytest.approx(values.std().item(), rel=1e-4)


def test_marks_point_in_the_direction_of_the_metric(result):
    assert {factor: result.mark(factor, "accuracy") for factor in FACTORS} == {0.0: "", 0.5: "+", 0.9: "-"}
    assert result.mark(0.9, "mae") == "+"
    assert result.p_value(0.9, "mae") == pytest.approx(2 / 2**10)
    assert result.p_value(0.0, "mae") == 1


def test_the_best_row_is_chosen_on_validation(result):
    assert result.best("accuracy") == 0.5
    assert result.best("mae") == 0.9

    def misleading(loss, seed):
        factor = loss.similarity.reduction_factor
        return {"val": {"accuracy": factor}, "test": {"accuracy": -factor}}

    assert simloss.sweep(misleading, GRID, range(6), baseline=0.0).best("accuracy") == 0.9


def test_directions_can_be_given_and_are_otherwise_read_from_the_name():
    def scores(loss, seed):
        values = {"Val_Loss": 1.0, "top1_error": 1.0, "RMSE": 1.0, "f1": 1.0, "distance": 1.0}
        return {"val": values, "test": values}

    found = simloss.sweep(scores, {}, range(2)).higher_is_better
    assert found == {"Val_Loss": False, "top1_error": False, "RMSE": False, "f1": True, "distance": True}
    chosen = {**found, "distance": False}
    assert simloss.sweep(scores, {}, range(2), higher_is_better=chosen).higher_is_better == chosen


@settings(deadline=None, max_examples=80)
# No subnormals: code that torch 2.4 compiles flushes them to zero in the whole process.
@given(st.lists(st.floats(-100, 100, allow_subnormal=False).filter(bool), min_size=1, max_size=12, unique_by=abs))
def test_the_signed_rank_test_equals_scipy(differences):
    expected = scipy.stats.wilcoxon(differences, method="exact").pvalue
    assert signed_rank_p_value(differences) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_the_signed_rank_test_is_exact_with_ties_and_zeros(differences):
    kept = [difference for difference in differences if difference]
    ranks = scipy.stats.rankdata([abs(difference) for difference in kept])
    total = sum(ranks)

    def smaller_sum(signs):
        positive = sum(rank for rank, sign in zip(ranks, signs) if sign)
        return min(positive, total - positive)

    observed = smaller_sum([difference > 0 for difference in kept])
    signs = [[(number >> bit) & 1 for bit in range(len(kept))] for number in range(2 ** len(kept))]
    expected = sum(smaller_sum(s) <= observed for s in signs) / len(signs)
    assert signed_rank_p_value(differences) == pytest.approx(expected)


def test_five_pairs_cannot_reach_five_percent_and_six_can():
    few = simloss.sweep(train, GRID, range(5), baseline=0.0)
    assert few.p_value(0.9, "mae") == 0.0625
    assert all(few.mark(row, metric) == "" for row in FACTORS for metric in ("accuracy", "mae"))
    assert "5 seeds cannot reach the 5% level (smallest possible p: 0.0625)" in few.note
    assert few.note in few.table()
    enough = simloss.sweep(train, GRID, range(6), baseline=0.0)
    assert enough.mark(0.9, "mae") == "+"
    assert "cannot" not in enough.note


def test_equal_differences_tie_in_spite_of_rounding():
    ours = [0.3, 0.2, 0.9, 0.4]
    theirs = [0.2, 0.1, 0.8, 0.5]

    def replay(loss, seed):
        values = theirs if isinstance(loss, torch.nn.CrossEntropyLoss) else ours
        return {split: {"accuracy": values[seed]} for split in ("val", "test")}

    found = simloss.sweep(replay, {"ours": torch.eye(2)}, range(4))
    assert found.p_value("ours", "accuracy") == signed_rank_p_value([1, 1, 1, -1])


def test_the_table_shows_means_best_values_and_marks(result):
    lines = result.table("markdown", decimals=2).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:-2]]
    assert cells[0] == ["", "val accuracy ↑", "val mae ↓", "test accuracy ↑", "test mae ↓"]
    assert set("".join(cells[1])) == {"-", ":"}
    assert [row[0] for row in cells[2:]] == ["0.0", "0.5", "0.9"]
    assert cells[3][1] == f"**{result.mean(0.5, 'val', 'accuracy'):.2f}**"
    assert cells[4][2] == f"**{result.mean(0.9, 'val', 'mae'):.2f}**"
    assert cells[4][3] == f"{result.mean(0.9, 'test', 'accuracy'):.2f}-"
    assert sum(cell.startswith("**") for row in cells for cell in row) == 2
    text = result.table(decimals=2).splitlines()
    assert len({len(line) for line in text[:4]}) == 1
    assert text[3].split()[0] == "0.9"
    assert "**" not in result.table()


def test_the_dict_is_json_with_the_same_numbers(result):
    found = json.loads(json.dumps(result.to_dict()))
    assert found["best"] == {"accuracy": "0.5", "mae": "0.9"}
    row = found["rows"][2]
    assert row["name"] == "0.9"
    assert row["test"]["mae"]["values"] == result.values(0.9, "test", "mae")
    assert row["test"]["mae"]["mark"] == "+"
    assert row["val"]["accuracy"]["mean"] == result.mean(0.9, "val", "accuracy")


def test_the_plot_shows_the_means(result):
    figure, axes = result.plot()
    assert [axis.get_ylabel() for axis in axes] == ["accuracy (higher is better)", "mae (lower is better)"]
    assert all(axis.get_xlabel() for axis in axes)
    drawn = axes[1].containers[1].lines[0].get_ydata()
    assert list(drawn) == [result.mean(factor, "test", "mae") for factor in (0.5, 0.9)]
    assert [text.get_text() for text in axes[0].get_xticklabels()] == ["0.5", "0.9"]
    figure.canvas.draw()


def test_a_metric_that_is_nan_carries_no_mark_and_is_never_best():
    def failing(loss, seed):
        good = isinstance(loss, torch.nn.CrossEntropyLoss)
        return {split: {"fsa": 0.1 * seed if good else math.nan} for split in ("val", "test")}

    found = simloss.sweep(failing, {"ours": torch.eye(2)}, range(6))
    assert found.mark("ours", "fsa") == ""
    assert found.best("fsa") == "cross entropy"
    assert "nan" in found.table()


def test_a_real_training_runs_through():
    points = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    grade = (points[:, 0] * 1.5 + 2).round().clamp(0, 3).long()

    def fit(loss, seed):
        generator = torch.Generator().manual_seed(seed)
        weights = torch.randn(3, 4, generator=generator).requires_grad_()
        inputs = torch.cat([points, torch.ones(60, 1)], 1)
        optimizer = torch.optim.Adam([weights], lr=0.1)
        for _ in range(60):
            optimizer.zero_grad()
            loss(inputs[:40] @ weights, grade[:40]).backward()
            optimizer.step()
        predicted = (inputs @ weights).argmax(1)
        distance = (predicted - grade).abs().float()
        splits = {"val": slice(40, 50), "test": slice(50, 60)}
        return {split: {"mae": distance[part].mean()} for split, part in splits.items()}

    found = simloss.sweep(fit, GRID, [0, 1], baseline=0.0)
    assert found.mean(0.0, "test", "mae") < 0.8
    assert found.best("mae") in FACTORS
