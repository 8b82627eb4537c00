"""Adapter of the image-text models of transformers, from local files only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._core import import_extra, value_error
from ._encoder import fingerprint, in_batches
from ._images import on_white

if TYPE_CHECKING:
    from PIL.Image import Image


class TransformersEncoder:
    """A CLIP or SigLIP model in the folder format of Hugging Face transformers, with its own preprocessing.

    Args:
        folder: local folder with the configuration, the weights (safetensors), the tokenizer and the image processor,
            as ``save_pretrained`` writes them.
        device: where it runs.

    Attributes:
        identity: folder name and fingerprints of all weights and of the preprocessing.
        image_network: module from preprocessed pixels to unit rows, with gradients.

    Raises:
        ImportError: the extra ``transformers`` is not installed.
        FileNotFoundError: no such folder: names of models on the internet are not looked up.
        OSError: files are missing in it.
        ValueError: the model does not embed both images and texts.
    """

    def __init__(self, folder: str | os.PathLike[str], *, device: str | torch.device = "cpu") -> None:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"folder: expected a local folder, got {os.fspath(folder)!r}")
        library = import_extra("transformers", package="indirect", extra="transformers")
        path = os.fspath(folder)
        model = library.AutoModel.from_pretrained(path, local_files_only=True, use_safetensors=True)
        if not (hasattr(model, "get_text_features") and hasattr(model, "get_image_features")):
            raise value_error("folder", "an image-text model such as CLIP or SigLIP", type(model).__name__)
        self._model: Any = model.to(device).eval().requires_grad_(False)
        self._tokenize = library.AutoTokenizer.from_pretrained(path, local_files_only=True)
        self._processor = library.AutoImageProcessor.from_pretrained(path, local_files_only=True)
        self._length = min(self._tokenize.model_max_length, model.config.text_config.max_position_embeddings)
        self.image_network = _ImageTower(self._model)
        settings = f"{type(self._processor).__name__} {self._processor.to_json_string()}"
        self.identity = fingerprint(f"transformers {Path(folder).resolve().name}", self._model.state_dict(), settings)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return one unit row ``(n, d)`` per text."""
        return in_batches(texts, self._embed_texts)

    def encode_image(self, images: Sequence[Image], *, projected: bool = True) -> Tensor:
        """Return one unit row ``(n, d)`` per PIL image; ``projected=False``: what enters the image projection.

        Raises:
            ValueError: ``projected=False`` for a model without an image projection, such as SigLIP.
        """
        if not projected and not hasattr(self._model, "visual_projection"):
            raise value_error("projected", "True, as this model has no image projection", False)
        network = self.image_network if projected else self._features
        device = self._model.device
        return in_batches(
            images, lambda batch: network(torch.stack([self.preprocess(image) for image in batch]).to(device)), 16
        )

    def preprocess(self, image: Image) -> Tensor:
        """Return the pixels ``(3, h, w)`` of a PIL image, as the model's own processor makes them."""
        pixels: Tensor = self._processor(images=[on_white(image)], return_tensors="pt")["pixel_values"]
        return pixels[0]

    def _embed_texts(self, texts: Sequence[str]) -> Tensor:
        # SigLIP was trained on texts filled up to the full length; CLIP ignores what is filled up.
        tokens = self._tokenize(
            list(texts), padding="max_length", truncation=True, max_length=self._length, return_tensors="pt"
        )
        return F.normalize(_tensor(self._model.get_text_features(**tokens.to(self._model.device))).float())

    def _features(self, pixels: Tensor) -> Tensor:
        features: Tensor = self._model.vision_model(pixel_values=pixels).pooler_output
        return features.float()


class _ImageTower(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        return F.normalize(_tensor(self.model.get_image_features(pixel_values=pixels)).float())


def _tensor(output: Any) -> Tensor:
    """Return the embeddings, which transformers 5 wraps and transformers 4 does not."""
    embeddings: Tensor = output if isinstance(output, Tensor) else output.pooler_output
    return embeddings
