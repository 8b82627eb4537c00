from itertools import pairwise

import numpy as np
import pytest
import torch
from clip_aesthetics import LinearProbe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from sklearn.linear_model import LogisticRegression, Ridge


@pytest.fixture
def data(draw):
    features = draw(90, 5) * torch.tensor([1.0, 3.0, 0.2, 1.0, 10.0]) + 50
    ratings = 5 + (features - 50) @ torch.tensor([0.4, 0.1, 0.0, -0.3, 0.02]) + 0.3 * draw(90, seed=1)
    return features.double(), ratings.double()


def sklearn_ridge(features, ratings, alpha):
    centred = features - features.mean(0)
    return Ridge(alpha * (centred**2).sum() / features.shape[1]).fit(features, ratings)


def test_equals_ridge_and_its_cross_validation_equals_a_loop(data):
    features, ratings = (part.numpy() for part in data)
    alphas = [1e-4, 1e-2, 1.0, 100.0]
    probe = LinearProbe(alphas=alphas, folds=4).fit(features, ratings)
    fold = np.arange(90) % 4
    errors = []
    for alpha in alphas:
        parts = []
        for left_out in range(4):
            model = sklearn_ridge(features[fold != left_out], ratings[fold != left_out], alpha)
            parts.append((model.predict(features[fold == left_out]) - ratings[fold == left_out]) ** 2)
        errors.append(np.concatenate(parts).mean())
    np.testing.assert_allclose(probe.fitted().cv_loss, errors, rtol=1e-9)
    assert probe.alpha_ == alphas[np.argmin(errors)]
    expected = sklearn_ridge(features, ratings, probe.alpha_)
    np.testing.assert_allclose(probe.coef_, expected.coef_, rtol=1e-8)
    assert probe.intercept_ == pytest.approx(expected.intercept_)
    np.testing.assert_allclose(probe.predict(features), expected.predict(features), rtol=1e-9)
    np.testing.assert_allclose(probe.standardized_coef_, expected.coef_ * features.std(0), rtol=1e-8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(1, 89), max_size=6))
def test_any_batches_equal_one_fit(data, cuts):
    features, ratings = data
    whole = LinearProbe().fit(features, ratings)
    probe = LinearProbe()
    edges = [0, *sorted({*cuts}), 90]
    for start, stop in pairwise(edges):
        probe.partial_fit(features[start:stop], ratings[start:stop])
    torch.testing.assert_close(probe.coef_, whole.coef_, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(probe.fitted().cv_loss, whole.fitted().cv_loss, rtol=1e-8, atol=1e-10)
    assert probe.fitted().n_samples == 90
    assert probe.fitted().range == (ratings.min().item(), ratings.max().item())


def test_large_means_cost_no_digits(draw):
    features = draw(500, 3).double()
    ratings = features @ torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    probe = LinearProbe(alphas=[1e-12])
    for part, truth in zip((features + 1e6).split(100), ratings.split(100)):
        probe.partial_fit(part, truth)
    torch.testing.assert_close(probe.coef_, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), rtol=1e-6, atol=0)


def test_more_features_than_images(draw):
    features, ratings = draw(20, 200), draw(20, seed=1)
    probe = LinearProbe().fit(features, ratings)
    assert torch.isfinite(probe.predict(features)).all()


def test_groups_share_a_fold(data):
    features, ratings = data
    groups = torch.arange(90) // 3
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0))
    probe = LinearProbe().fit(features, ratings, groups=groups)
    shuffled = LinearProbe().fit(features[order], ratings[order], groups=groups[order])
    torch.testing.assert_close(probe.fitted().cv_loss, shuffled.fitted().cv_loss)
    with pytest.raises(ValueError, match=r"features: expected rows in two folds or more, got folds \(1,\)"):
        LinearProbe().fit(features, ratings, groups=torch.zeros(90)).fitted()


def test_logistic_equals_sklearn(data):
    features, ratings = (part.numpy() for part in data)
    probe = LinearProbe(loss="logistic", alphas=[1e-3, 0.1]).fit(features, ratings)
    scaled = (features - features.mean(0)) / features.std(0)
    # scikit-learn sums the losses, we take their mean.
    model = LogisticRegression(C=1 / (90 * probe.alpha_), tol=1e-10, max_iter=1000).fit(scaled, ratings >= 5)
    np.testing.assert_allclose(probe.predict(features), model.predict_proba(scaled)[:, 1], atol=1e-6)
    scores = probe.score(features)
    assert (scores.unit, scores.range) == ("probability", (0.0, 1.0))
    np.testing.assert_array_equal(scores.aesthetic, model.predict(scaled))
    losses = []
    for alpha in probe.alphas:
        total = 0.0
        for left_out in range(5):
            train = np.arange(90) % 5 != left_out
            mean, deviation = features.mean(0), features.std(0)
            rows = (features - mean) / deviation
            model = LogisticRegression(C=1 / (train.sum() * alpha), tol=1e-10, max_iter=1000)
            chance = model.fit(rows[train], ratings[train] >= 5).predict_proba(rows[~train])[:, 1]
            total -= np.log(np.where(ratings[~train] >= 5, chance, 1 - chance)).sum()
        losses.append(total / 90)
    np.testing.assert_allclose(probe.fitted().cv_loss, losses, rtol=1e-5)


def test_separable_classes_stay_finite():
    features = torch.tensor([[-1.0], [-1.1], [-1.2], [1.0], [1.1], [1.2]])
    ratings = torch.tensor([1.0, 2.0, 3.0, 7.0, 8.0, 9.0])
    probe = LinearProbe(loss="logistic", folds=3).fit(features, ratings)
    assert torch.isfinite(probe.coef_).all()
    assert probe.score(features).aesthetic.tolist() == [False] * 3 + [True] * 3


def test_scores_say_what_they_are(data):
    features, ratings = data
    probe = LinearProbe("clip", threshold=5.5).fit(features, ratings)
    scores = probe.score(features)
    assert (scores.unit, scores.encoder, scores.higher_is_better) == ("rating", "clip", True)
    assert scores.range == (ratings.min().item(), ratings.max().item())
    torch.testing.assert_close(scores.aesthetic, scores.values >= 5.5)
    share = (ratings >= 5.5).double().mean().item()
    assert probe.fitted().majority == pytest.approx(max(share, 1 - share))


def test_normalize_is_an_option(data):
    features, ratings = data
    raw = LinearProbe(normalize=True).fit(features, ratings)
    unit = LinearProbe().fit(features / features.norm(dim=1, keepdim=True), ratings)
    torch.testing.assert_close(raw.coef_, unit.coef_)
    torch.testing.assert_close(raw.predict(10 * features), unit.predict(features / features.norm(dim=1, keepdim=True)))


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_file_brings_everything_back(data, tmp_path, loss, encoder):
    features, ratings = data
    probe = LinearProbe(encoder, loss=loss, normalize=True, threshold=4.5).fit(features, ratings)
    probe.save(tmp_path / "probe.safetensors")
    loaded = LinearProbe.load(tmp_path / "probe.safetensors", encoder=encoder)
    torch.testing.assert_close(loaded.predict(features), probe.predict(features), rtol=0, atol=0)
    before, after = probe.fitted(), loaded.fitted()
    assert (before.range, before.majority, before.n_samples) == (after.range, after.majority, after.n_samples)
    assert loaded.score(features).encoder == "fake"
    assert list(tmp_path.iterdir()) == [tmp_path / "probe.safetensors"]


def test_file_of_another_encoder_is_refused(data, tmp_path, encoder):
    LinearProbe("CLIP of last year").fit(*data).save(tmp_path / "probe.safetensors")
    with pytest.raises(ValueError, match="encoder: expected the one of the probe, 'CLIP of last year', got 'fake'"):
        LinearProbe.load(tmp_path / "probe.safetensors", encoder=encoder)
    assert LinearProbe.load(tmp_path / "probe.safetensors").encoder == "CLIP of last year"


def test_damaged_files_are_named(data, tmp_path):
    path = tmp_path / "probe.safetensors"
    LinearProbe().fit(*data).save(path)
    whole = path.read_bytes()
    foreign = save({"coef": torch.ones(3)}, metadata={"clip_aesthetics": '{"alpha": 1}'})
    for damaged in (b"", whole[:100], whole[:-20], foreign, save({"coef": torch.ones(3)})):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"path: expected a file written by LinearProbe\.save, got '.*probe"):
            LinearProbe.load(path)
    with pytest.raises(FileNotFoundError, match="expected a file, got"):
        LinearProbe.load(tmp_path / "none")


def test_loaded_probe_cannot_go_on(data, tmp_path):
    LinearProbe().fit(*data).save(tmp_path / "probe.safetensors")
    loaded = LinearProbe.load(tmp_path / "probe.safetensors")
    with pytest.raises(ValueError, match="probe: expected a new probe for partial_fit"):
        loaded.partial_fit(*data)


def test_figure_shows_every_weight(data, draw, pyplot):
    from clip_aesthetics import plot_weights

    features, ratings = data
    probes = {"CLIP": LinearProbe().fit(features, ratings), "ViT": LinearProbe().fit(draw(90, 7), ratings)}
    figure, axes = plot_weights(probes)
    for panel, (name, probe) in zip(axes, probes.items()):
        (lines,) = panel.collections
        ends = [segment[1][1] for segment in lines.get_segments()]
        np.testing.assert_allclose(ends, probe.standardized_coef_)
        assert panel.get_title() == name
        assert panel.get_ylabel()
    assert axes[-1].get_xlabel() == "feature"
    figure.canvas.draw()
    assert np.asarray(figure.canvas.buffer_rgba()).std() > 0
