import json

import pytest
import torch
from clip_aesthetics import LinearProbe, OpenClipEncoder, PromptScorer
from PIL import Image
from safetensors.torch import save_file

pytestmark = pytest.mark.slow  # open_clip takes seconds to import

TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
TIMM = {"timm_model_name": "resnet10t", "timm_model_pretrained": False, "timm_pool": "avg", "timm_proj": "linear"}
TOWERS = {
    "transformer": ({"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}, 32),
    "resnet": ({"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None}, 256),
    "timm": (TIMM | {"image_size": 32}, 512),
}
PREPROCESSING = {"size": 32, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}


@pytest.fixture
def save(tmp_path):
    """Write a randomly initialised model to a folder as model hubs do."""

    def folder(tower="transformer", name="model", *, quick_gelu=True, preprocessing=PREPROCESSING):
        import open_clip

        root = tmp_path / name
        root.mkdir()
        config = {"embed_dim": 24, "vision_cfg": TOWERS[tower][0], "text_cfg": TEXT}
        if quick_gelu is not None:
            config["quick_gelu"] = quick_gelu
        (root / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing}))
        torch.manual_seed(0)
        model = open_clip.CLIP(**config)
        weights = {key: value.contiguous() for key, value in model.state_dict().items()}
        save_file(weights, root / "open_clip_model.safetensors")
        return root, model.eval()

    return folder


@pytest.fixture
def images(draw):
    pixels = (draw(3, 40, 50, 3).sigmoid() * 255).byte().numpy()
    return [Image.fromarray(image) for image in pixels]


@pytest.mark.parametrize("tower", TOWERS)
def test_embeddings_are_those_of_the_model(save, images, tower):
    folder, model = save(tower)
    encoder = OpenClipEncoder(folder)
    batch = torch.stack([encoder._preprocess(image) for image in images])
    with torch.no_grad():
        expected = model.encode_image(batch)
    torch.testing.assert_close(encoder.encode_image(images), expected)
    hidden = encoder.encode_image(images, projected=False)
    assert hidden.shape == (3, TOWERS[tower][1])
    assert not torch.allclose(hidden.norm(dim=1), torch.ones(3))
    assert encoder.encode_text(["a cat", "a dog"]).shape == (2, 24)


def test_activations_before_the_projection(save, images):
    folder, model = save()
    hidden = OpenClipEncoder(folder).encode_image(images, projected=False)
    torch.testing.assert_close(hidden @ model.visual.proj, OpenClipEncoder(folder).encode_image(images))


def test_scorer_and_probe(save, images):
    encoder = OpenClipEncoder(save()[0])
    scores = PromptScorer(encoder).score(images)
    assert scores.encoder == encoder.identity
    assert scores.values.abs().max() <= 2
    probe = LinearProbe(encoder, folds=2).fit(encoder.encode_image(images * 2, projected=False), [1.0, 5, 9, 1, 5, 9])
    torch.testing.assert_close(probe.predict(images), torch.tensor([1.0, 5, 9]), atol=0.5, rtol=0)


def test_quick_gelu_is_part_of_the_configuration(save, images):
    quick = OpenClipEncoder(save(name="quick")[0])
    slow = OpenClipEncoder(save(name="slow", quick_gelu=False)[0])
    assert not torch.allclose(quick.encode_image(images), slow.encode_image(images))
    assert quick.identity != slow.identity
    folder, _ = save(name="unknown", quick_gelu=None)
    with pytest.raises(ValueError, match=r"model_cfg\.quick_gelu: expected true or false, as in training, got neither"):
        OpenClipEncoder(folder)


def test_identity_follows_weights_and_preprocessing(save):
    first = OpenClipEncoder(save(name="first")[0]).identity
    assert OpenClipEncoder(save(name="again")[0]).identity == first
    assert OpenClipEncoder(save(name="other", preprocessing=PREPROCESSING | {"mean": [0.4] * 3})[0]).identity != first
    folder, model = save(name="trained")
    model.visual.proj.data += 0.1
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    assert OpenClipEncoder(folder).identity != first


def test_damaged_folders_are_named(save):
    folder, _ = save()
    weights = folder / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-50])
    with pytest.raises(ValueError, match="folder: expected weights that fit the configuration, got"):
        OpenClipEncoder(folder)
    weights.unlink()
    with pytest.raises(ValueError, match="folder: expected weights that fit the configuration, got"):
        OpenClipEncoder(folder)
    (folder / "open_clip_config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"folder: expected a folder with open_clip_config\.json that has a model_cfg"):
        OpenClipEncoder(folder)
