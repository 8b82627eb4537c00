"""Hostile arguments are used or refused by name; damaged probes, votes, images and model folders are named."""

import pytest
import torch
from clip_aesthetics import LinearProbe, OpenClipEncoder, PromptScorer, emd_loss, evaluate, load_ratings, mean_score
from clip_aesthetics._images import open_image
from clip_aesthetics.metrics import RatingSpearman

FEATURES = torch.arange(36.0).reshape(12, 3).sin()
RATINGS = torch.linspace(1, 10, 12)
DISTRIBUTIONS = torch.arange(1.0, 11).reshape(2, 5).softmax(1)


def scored(texts, images, **options):
    return PromptScorer(texts, **options).score(images)


def rated(features, ratings, groups, **options):
    probe = LinearProbe(**options).fit(features, ratings, groups=groups)
    return probe.fitted()


def measured(predicted, ratings, aesthetic, n_resamples, **options):
    # 10**30 resamples would never end, and that is no mistake.
    metric = RatingSpearman(n_resamples=n_resamples if n_resamples != 10**30 else 2, **options)
    metric.update(predicted, ratings, aesthetic)
    return metric.compute()


CALLS = {
    "PromptScorer": (
        scored,
        {
            "texts": FEATURES[:2], "images": FEATURES, "positive": ["good"], "negative": ["bad"],
            "template": "a {label} picture", "mode": "fixed", "weights": torch.tensor([1.0, -1.0]),
        },
    ),
    "squared probe": (
        rated,
        {
            "features": FEATURES, "ratings": RATINGS, "groups": torch.arange(12), "threshold": 5.0,
            "loss": "squared", "alphas": [0.1, 1.0], "folds": 3,
        },
    ),
    "logistic probe": (
        lambda **arguments: rated(**arguments, groups=None, loss="logistic", alphas=[0.1, 1.0], folds=3),
        {"features": FEATURES, "ratings": torch.arange(12.0) * 7 % 12, "threshold": 5.0},
    ),
    "predict": (
        lambda features: LinearProbe().partial_fit(FEATURES, RATINGS).predict(features), {"features": FEATURES},
    ),
    "evaluate": (
        lambda predicted, **arguments: evaluate({"a": predicted}, **arguments, n_resamples=2),
        {"predicted": RATINGS.sin(), "ratings": RATINGS, "threshold": 5.0, "confidence": 0.9, "seed": 0},
    ),
    "predictions": (
        lambda predictions: evaluate(predictions, RATINGS, n_resamples=2), {"predictions": {"a": RATINGS}},
    ),
    "emd_loss": (
        emd_loss,
        {"input": DISTRIBUTIONS, "target": DISTRIBUTIONS, "r": 2.0, "form": "sample", "reduction": "mean"},
    ),
    "mean_score": (mean_score, {"distribution": DISTRIBUTIONS}),
    "RatingSpearman": (
        measured,
        {
            "predicted": RATINGS.sin(), "ratings": RATINGS, "aesthetic": RATINGS > 5, "n_resamples": 2,
            "threshold": 5.0, "confidence": 0.9, "seed": 0,
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


VOTES = {
    "votes.csv": "id,1,2,3,4,5,6,7,8,9,10\n" + "".join(f"{name},1,2,3,4,5,6,7,8,9,1\n" for name in "abc"),
    "AVA.txt": "1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396\n2 953958 10 7 15 26 26 21 10 8 1 2 1 21 1396\n",
}


def test_a_damaged_probe_is_named(tmp_path, draw, check_damaged):
    file = tmp_path / "probe.safetensors"
    LinearProbe().partial_fit(draw(60, 3), torch.linspace(1, 10, 60)).save(file)
    check_damaged(lambda: LinearProbe.load(file), file, cuts=20, flips=60)


@pytest.mark.parametrize("name", VOTES)
def test_damaged_votes_are_named(name, tmp_path, check_damaged):
    file = tmp_path / name
    file.write_text(VOTES[name])
    check_damaged(lambda: load_ratings(file), file, cuts=20, flips=60)


def test_a_damaged_image_is_named(photos, check_damaged):
    check_damaged(lambda: open_image(photos / "4.jpg"), photos / "4.jpg", cuts=20, flips=60)


def test_a_configuration_that_is_too_deep_is_named(tmp_path):
    (tmp_path / "open_clip_config.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"folder: expected a folder with open_clip_config.json"):
        OpenClipEncoder(tmp_path)
