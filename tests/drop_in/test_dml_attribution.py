"""dml-attribution on the encoders of timm and open_clip as they come, with random weights."""

import open_clip
import pytest
import timm
import torch
from dml_attribution import EmbeddingAttribution
from torch.nn import functional as F


def timm_model(shown):
    model = timm.create_model("test_resnet", num_classes=0)
    config = timm.data.resolve_model_data_config(model)
    names = {"EmbeddingAttribution": EmbeddingAttribution, "model": model, "config": config}
    attribution = shown("dml-attribution", "EmbeddingAttribution(model, ", **names)
    return model, attribution, 160, config["mean"], config["std"]


def open_clip_model(shown):
    vision = {"image_size": 32, "patch_size": 8, "width": 64, "layers": 2}
    text = {"context_length": 8, "vocab_size": 100, "width": 32, "heads": 2, "layers": 1}
    model = open_clip.model.CLIP(48, vision, text)
    preprocess = open_clip.image_transform(32, is_train=False)
    names = {"EmbeddingAttribution": EmbeddingAttribution, "model": model, "preprocess": preprocess}
    attribution = shown("dml-attribution", "EmbeddingAttribution(model.encode_image, ", **names)
    return model.encode_image, attribution, 32, open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD


@pytest.mark.parametrize("make", [timm_model, open_clip_model])
def test_map_is_the_gradient_of_the_distance_to_black(make, shown):
    torch.manual_seed(0)
    embed, attribution, size, mean, std = make(shown)
    images = torch.randn(2, 3, size, size)
    maps = attribution.attribute(images, n_samples=1, noise=0.0, progress=False)

    getattr(embed, "__self__", embed).eval()
    black = (-torch.tensor(mean) / torch.tensor(std))[:, None, None].expand(1, 3, size, size)
    with torch.no_grad():
        origin = F.normalize(embed(black))
    images.requires_grad_()
    (F.normalize(embed(images)) - origin).norm(dim=1).sum().backward()
    for found, gradient in zip(maps, images.grad.abs().mean(1)):
        least, most = gradient.min(), gradient.quantile(0.99)
        torch.testing.assert_close(found, ((gradient - least) / (most - least)).clamp(0, 1), atol=1e-4, rtol=1e-3)
