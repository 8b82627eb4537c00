import pytest
import torch
from clip_aesthetics import PromptScorer, search_labels
from scipy import stats

POSITIVE, NEGATIVE, CONTEXTS = ["superb", "fine", "keen"], ["vile", "slimy"], ["dog", "cat"]


@pytest.mark.parametrize("mode", ["fixed", "context", "ensemble"])
def test_each_row_is_a_scorer_of_its_own(encoder, draw, mode):
    images = draw(60, 3)
    ratings = 5 + images @ torch.tensor([1.0, -1.0, 0.5]) + 0.3 * draw(60, seed=1)
    table = search_labels(encoder, images, ratings, POSITIVE, NEGATIVE, mode=mode, contexts=CONTEXTS)
    assert [row[:2] for row in table.rows] == [(p, q) for p in POSITIVE for q in NEGATIVE]
    for row in table.rows:
        scores = PromptScorer(encoder, [row.positive], [row.negative], mode=mode, contexts=CONTEXTS).score(images)
        assert row.accuracy == pytest.approx((scores.aesthetic == (ratings >= 5)).double().mean().item())
        assert row.spearman == pytest.approx(stats.spearmanr(scores.values, ratings).statistic, abs=1e-9)
        assert row.pearson == pytest.approx(stats.pearsonr(scores.values, ratings).statistic, abs=1e-5)
    for metric in ("accuracy", "spearman", "pearson"):
        assert getattr(table.best(metric), metric) == max(getattr(row, metric) for row in table.rows)
    share = (ratings >= 5).double().mean().item()
    assert table.majority == pytest.approx(max(share, 1 - share))


def test_frame_and_text_show_the_same_numbers(encoder, draw):
    table = search_labels(encoder, draw(20, 3), draw(20, seed=2) + 5, POSITIVE, NEGATIVE)
    frame = table.to_frame()
    lines = str(table).splitlines()
    assert frame["spearman"].is_monotonic_decreasing
    assert len(frame) == len(lines) - 2 == 6
    assert lines[1].split() == [*frame.iloc[0][:2], *(f"{value:.3f}" for value in frame.iloc[0][2:])]
    assert lines[-1].split()[:3] == ["majority", "baseline", f"{table.majority:.3f}"]


def test_bad_arguments_are_named(encoder, draw):
    with pytest.raises(
        ValueError, match=r"ratings: expected one rating per image, got ratings \(3,\), images \(4, 3\)"
    ):
        search_labels(encoder, draw(4, 3), [1, 2, 3], POSITIVE, NEGATIVE)
    with pytest.raises(ValueError, match="ratings: expected at least two different values, got 4 times 5"):
        search_labels(encoder, draw(4, 3), [5, 5, 5, 5], POSITIVE, NEGATIVE)
    with pytest.raises(ValueError, match="labels: expected each label once"):
        search_labels(encoder, draw(4, 3), [1, 2, 3, 4], POSITIVE, ["fine"])
    table = search_labels(encoder, draw(4, 3), [1, 2, 3, 4], POSITIVE, NEGATIVE)
    with pytest.raises(ValueError, match="metric: expected 'accuracy', 'spearman' or 'pearson', got positive"):
        table.best("positive")
