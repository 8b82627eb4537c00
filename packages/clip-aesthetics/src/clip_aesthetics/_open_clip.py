"""CLIP models of open_clip from a local folder (extra ``open-clip``)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ._core import import_extra, value_error

if TYPE_CHECKING:
    from PIL.Image import Image

_CONFIG = "open_clip_config.json"


class OpenClipEncoder:
    """Texts and images to embeddings of a CLIP model, with its own preprocessing.

    Args:
        folder: local folder with ``open_clip_config.json`` and the weights, as open_clip's ``local-dir:`` reads
            it and as model hubs offer it for download. Nothing is downloaded here. Whether the model has the quick
            GELU is part of the configuration, ``model_cfg.quick_gelu``; the same weights with the other activation
            give plausible but wrong scores, so a configuration that does not say is an error.
        device: where the model runs.

    Attributes:
        identity: hash of the configuration, preprocessing included, and of the weights.

    Raises:
        ValueError: the folder has no such files, or the configuration leaves the activation open.
        ImportError: open_clip is not installed: ``pip install "clip-aesthetics[open-clip]"``.

    Reference:
        Chapter 12, Section 12.1; the thesis uses OpenAI's ViT-B/32, which has the quick GELU.
    """

    def __init__(self, folder: str | os.PathLike[str], *, device: torch.device | str = "cpu") -> None:
        """Load the model and take its projection apart from the rest of the image side."""
        root = Path(folder)
        config = root / _CONFIG
        try:
            model_config = json.loads(config.read_text(encoding="utf-8"))["model_cfg"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise value_error("folder", f"a folder with {_CONFIG} that has a model_cfg", f"{root} ({error})") from error
        if not isinstance(model_config, dict) or not isinstance(model_config.get("quick_gelu"), bool):
            raise value_error(f"{config}: model_cfg.quick_gelu", "true or false, as in training", "neither")
        open_clip = import_extra("open_clip", package="clip-aesthetics", extra="open-clip")
        name = f"local-dir:{root.resolve()}"
        try:
            self._model, self._preprocess = open_clip.create_model_from_pretrained(name, device=device)
        except Exception as error:
            raise value_error("folder", "weights that fit the configuration", f"{root} ({error})") from error
        self._model.eval()
        self._tokenize = open_clip.get_tokenizer(name)
        self.identity = f"open_clip:{_digest(config.read_bytes(), self._model)}"
        self._project = _take_projection(self._model.visual)
        self._device = device

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return embeddings ``(n, d)``."""
        embeddings: Tensor = self._model.encode_text(self._tokenize(list(texts)).to(self._device))
        return embeddings

    @torch.no_grad()
    def encode_image(self, images: Sequence[Image], *, projected: bool = True) -> Tensor:
        """Return embeddings ``(n, d)``, or the activations before the projection ``(n, d')``.

        Args:
            images: PIL images of any size and mode.
            projected: ``False`` leaves out the projection into the space that texts share.
        """
        batch = torch.stack([self._preprocess(image.convert("RGB")) for image in images]).to(self._device)
        features: Tensor = self._model.visual(batch)
        return self._project(features) if projected else features


def _take_projection(visual: nn.Module) -> Callable[[Tensor], Tensor]:
    """Remove the last projection of an image tower and return it; vision transformers, ResNets and timm models."""
    projection = getattr(visual, "proj", None)
    if isinstance(projection, nn.Parameter):
        visual.proj = None  # type: ignore[assignment]  # what its own code tests for
        matrix = projection.detach()
        return lambda features: features @ matrix
    pooling: Any = getattr(visual, "attnpool", None)
    if pooling is not None:
        linear: nn.Linear = pooling.c_proj
        width = linear.in_features
        # The pooling reads the weights of this layer and never calls it, so that it must stay a linear one.
        pooling.c_proj = nn.Linear(width, width, device=linear.weight.device, dtype=linear.weight.dtype)
        with torch.no_grad():
            pooling.c_proj.weight.copy_(torch.eye(width))
            pooling.c_proj.bias.zero_()
        return linear
    head = getattr(visual, "head", None)
    if isinstance(head, nn.Module):
        visual.head = nn.Identity()
        return head
    raise value_error("folder", "an image tower with a known projection", type(visual).__name__)


def _digest(config: bytes, model: nn.Module) -> str:
    """Return a short hash of a configuration and of the weights that were loaded."""
    digest = hashlib.sha256(config)
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy())
    return digest.hexdigest()[:16]
