import math

import numpy as np
import pytest
import torch
from clip_aesthetics import PromptScorer, imagenet_class_names, prompt_texts

POSITIVE, NEGATIVE, CONTEXTS = ("superb", "fine"), ("vile",), ("dog", "cat", "tree")


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b))


def slow_score(encoder, image, mode, weights):
    """Score and side of one image by loops over prompts, in plain Python."""
    labels, score, closest = POSITIVE + NEGATIVE, 0.0, (-2.0, None)
    for label, weight in zip(labels, weights):
        if mode == "fixed":
            vectors = [encoder.encode_text([f"a {label} picture"])[0].tolist()]
        else:
            prompts = [f"a {label} picture, of a #{context}" for context in CONTEXTS]
            vectors = [encoder.encode_text([prompt])[0].tolist() for prompt in prompts]
        if mode == "ensemble":
            units = [[x / math.sqrt(sum(y * y for y in vector)) for x in vector] for vector in vectors]
            vectors = [[sum(column) / len(units) for column in zip(*units)]]
        for vector in vectors:
            similarity = cosine(image, vector)
            score += weight * similarity
            closest = max(closest, (similarity, label in POSITIVE), key=lambda pair: pair[0])
    return score, closest[1]


@pytest.mark.parametrize("mode", ["fixed", "context", "ensemble"])
@pytest.mark.parametrize("weights", [None, (0.5, 2.0, -1.5)])
def test_equals_loops(encoder, draw, mode, weights):
    images = draw(20, 3)
    scorer = PromptScorer(encoder, POSITIVE, NEGATIVE, mode=mode, contexts=CONTEXTS, weights=weights)
    scores = scorer.score(images)
    for row, image in enumerate(images.tolist()):
        value, side = slow_score(encoder, image, mode, weights or (1, 1, -1))
        assert scores.values[row] == pytest.approx(value, abs=1e-5)
        assert scores.aesthetic[row] == side
    assert scores.encoder == "fake"
    assert scores.unit == "similarity"
    assert scores.higher_is_better
    total = sum(map(abs, weights or (1, 1, -1))) * (3 if mode == "context" else 1)
    assert scores.range == pytest.approx((-total, total))
    assert (scores.values.abs() <= total).all()


def test_length_of_embeddings_does_not_matter(encoder, draw):
    images = draw(10, 3)
    texts = encoder.encode_text(["a outstanding picture", "a horrible picture"])
    raw = PromptScorer(30 * texts).score(100 * images)
    unit = PromptScorer(texts / texts.norm(dim=1, keepdim=True)).score(images / images.norm(dim=1, keepdim=True))
    torch.testing.assert_close(raw.values, unit.values)
    assert raw.values.abs().max() <= 2


def test_binary_is_the_side_of_the_closest_prompt_and_not_the_sign():
    texts = torch.eye(3)
    image = torch.tensor([[0.6, 0.6, 0.7]])
    scores = PromptScorer(texts, ["a", "b"], ["c"]).score(image)
    assert scores.values.item() > 0
    assert not scores.aesthetic.item()
    assert scores.closest == ("a c picture",)


def test_parts_of_the_images_do_not_show(encoder, draw, monkeypatch):
    images = draw(50, 3)
    scorer = PromptScorer(encoder, mode="context", contexts=CONTEXTS)
    whole = scorer.score(images)
    monkeypatch.setattr("clip_aesthetics._scorer._CHUNK", 20)
    parts = scorer.score(images)
    torch.testing.assert_close(parts.values, whole.values)
    assert parts.closest == whole.closest


def test_numpy_in_numpy_out(encoder, draw):
    images = draw(5, 3)
    as_tensor = PromptScorer(encoder).score(images)
    as_array = PromptScorer(encoder).score(images.numpy())
    assert isinstance(as_array.values, np.ndarray)
    assert isinstance(as_array.aesthetic, np.ndarray)
    np.testing.assert_allclose(as_array.values, as_tensor.values.numpy())
    assert as_array.ranking() == np.argsort(-as_array.values, kind="stable").tolist()


def test_mapped_files_are_arrays(encoder, draw, tmp_path):
    np.save(tmp_path / "images.npy", draw(5, 3).numpy())
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        PromptScorer(encoder).score(mapped).values, PromptScorer(encoder).score(draw(5, 3)).values
    )


def test_half_precision_is_computed_in_single(encoder, draw):
    images = draw(5, 3).half()
    assert PromptScorer(encoder).score(images).values.dtype == torch.float32


def test_images_go_through_the_encoder(encoder, photos):
    from PIL import Image

    images = [Image.open(photos / "0.jpg"), Image.open(photos / "10.jpg")]
    direct = PromptScorer(encoder).score(encoder.encode_image(images))
    torch.testing.assert_close(PromptScorer(encoder).score(images).values, direct.values)


def test_default_contexts_are_the_thousand_classes(encoder):
    scorer = PromptScorer(encoder, mode="context")
    assert len(scorer.prompts) == 2000
    assert scorer.prompts[1388] == "a horrible picture, of a #giant panda"
    assert scorer.range == (-2000.0, 2000.0)
    assert not any("," in name for name in imagenet_class_names())


def test_text_embeddings_are_those_of_prompt_texts(encoder, draw):
    prompts = prompt_texts([*POSITIVE, *NEGATIVE], mode="context", contexts=CONTEXTS)
    stored = PromptScorer(encoder.encode_text(prompts), POSITIVE, NEGATIVE, mode="context", contexts=CONTEXTS)
    direct = PromptScorer(encoder, POSITIVE, NEGATIVE, mode="context", contexts=CONTEXTS)
    assert stored.prompts == direct.prompts == tuple(prompts)
    torch.testing.assert_close(stored.score(draw(4, 3)).values, direct.score(draw(4, 3)).values)
    assert stored.score(draw(4, 3)).encoder is None
