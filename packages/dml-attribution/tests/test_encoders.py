"""Encoders of the libraries that people take them from: their own architectures, small and randomly initialised."""

import json

import pytest
import torch
import torch.nn.functional as F
from dml_attribution import EmbeddingAttribution

pytestmark = pytest.mark.slow  # for the imports
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def from_torchvision(folder):
    from torchvision.models import mobilenet_v2

    model = mobilenet_v2(weights=None, width_mult=0.25)
    return model, model, None


def from_timm(folder):
    from timm import create_model

    model = create_model("mobilenetv3_small_050", pretrained=False, num_classes=0)
    return model, model, None


def from_huggingface(folder):
    from transformers import ViTConfig, ViTModel

    sizes = {"hidden_size": 32, "intermediate_size": 64, "image_size": 64, "patch_size": 16}
    ViTModel(ViTConfig(num_hidden_layers=2, num_attention_heads=2, **sizes)).save_pretrained(folder)
    model = ViTModel.from_pretrained(folder, local_files_only=True)
    return model, model, "pooler_output"


def from_open_clip(folder, tower):
    import open_clip
    from safetensors.torch import save_file

    vision = {"image_size": 64, "layers": 2, "width": 32, "patch_size": 16, "head_width": 16}
    text = {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1}
    (folder / "tiny.json").write_text(json.dumps({"embed_dim": 16, "vision_cfg": vision, "text_cfg": text}))
    open_clip.add_model_config(folder / "tiny.json")
    weights = folder / "tiny.safetensors"
    save_file(open_clip.create_model("tiny").state_dict(), weights)
    model = open_clip.create_model("tiny", pretrained=str(weights))
    assert torch.equal(model.visual.proj, open_clip.create_model("tiny", pretrained=str(weights)).visual.proj)
    return model, getattr(model, tower), None


MAKERS = {
    "torchvision": from_torchvision,
    "timm": from_timm,
    "transformers": from_huggingface,
    "open_clip tower": lambda folder: from_open_clip(folder, "visual"),
    "open_clip method": lambda folder: from_open_clip(folder, "encode_image"),
}


@pytest.mark.parametrize("library", MAKERS)
def test_gradients_are_those_of_the_librarys_own_call(library, tmp_path):
    torch.manual_seed(0)
    model, forward_func, output = MAKERS[library](tmp_path)
    model.train()
    attribution = EmbeddingAttribution(forward_func, output=output, **IMAGENET)
    images = torch.randn(2, 3, 64, 64)
    gradients = attribution.gradients(images, noise=0.0)
    maps = attribution.attribute(images, n_samples=2)
    assert all(module.training for module in model.modules())
    assert all(p.grad is None for p in model.parameters())
    assert maps.shape == (2, 64, 64)
    assert maps.amax((1, 2)).tolist() == [1, 1]

    def embedded(pixels):
        result = forward_func(pixels)
        return F.normalize(result if output is None else getattr(result, output))

    model.eval()
    black = -torch.tensor(IMAGENET["mean"]) / torch.tensor(IMAGENET["std"])
    inputs = images.requires_grad_()
    distance = (embedded(inputs) - embedded(black.reshape(1, 3, 1, 1).expand(1, 3, 64, 64))).norm(dim=1)
    (expected,) = torch.autograd.grad(distance.sum(), inputs)
    torch.testing.assert_close(gradients, expected, rtol=1e-3, atol=1e-6)
