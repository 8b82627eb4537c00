"""Adapters of other people's image-text models, from local files only."""

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


class OpenClipEncoder:
    """A model of open_clip with weights from a local file, and the preprocessing that belongs to both.

    Args:
        model_name: of open_clip, such as ``"ViT-B-32"`` or ``"ViT-B-32-quickgelu"``.
        weights: local file, as ``pretrained=`` of open_clip takes it.
        device: where it runs.

    Attributes:
        identity: name and fingerprints of all weights and of the preprocessing.
        image_network: module from preprocessed pixels to unit rows, with gradients.
        preprocess: from a PIL image to its pixels.

    Raises:
        ImportError: the extra ``open-clip`` is not installed.
        FileNotFoundError: no file of weights: names of weights on the internet are not looked up.
        ValueError: open_clip does not know the model.
    """

    def __init__(self, model_name: str, weights: str | os.PathLike[str], *, device: str | torch.device = "cpu") -> None:
        if not Path(weights).is_file():
            raise FileNotFoundError(f"weights: expected a local file, got {os.fspath(weights)!r}")
        open_clip = import_extra("open_clip", package="indirect", extra="open-clip")
        if model_name not in open_clip.list_models():
            raise value_error("model_name", "a model of open_clip.list_models()", repr(model_name))
        model, _, self.preprocess = open_clip.create_model_and_transforms(model_name, pretrained=os.fspath(weights))
        self._model: Any = model.to(device).eval().requires_grad_(False)
        self._tokenize = open_clip.get_tokenizer(model_name)
        self._device = torch.device(device)
        self.image_network = _ImageTower(self._model)
        self.identity = fingerprint(f"open_clip {model_name}", self._model.state_dict(), str(self.preprocess))

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return one unit row ``(n, d)`` per text."""
        return in_batches(
            texts,
            lambda batch: F.normalize(self._model.encode_text(self._tokenize(list(batch)).to(self._device)).float()),
        )

    def encode_image(self, images: Sequence[Image], *, projected: bool = True) -> Tensor:
        """Return one unit row ``(n, d)`` per PIL image; ``projected=False``: what enters CLIP's image projection.

        Raises:
            ValueError: ``projected=False`` for a model without a projection matrix at the end of its image side.
        """
        if not projected and not isinstance(getattr(self._model.visual, "proj", None), Tensor):
            raise value_error("projected", "True, as this model's image side ends without a projection matrix", False)
        network = self.image_network if projected else self._features
        return in_batches(
            images,
            lambda batch: network(torch.stack([self.preprocess(on_white(image)) for image in batch]).to(self._device)),
            16,
        )

    def _features(self, pixels: Tensor) -> Tensor:
        visual = self._model.visual
        projection, visual.proj = visual.proj, None
        try:
            features: Tensor = visual(pixels).float()
        finally:
            visual.proj = projection
        return features


class _ImageTower(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        return F.normalize(self.model.encode_image(pixels).float())


class SentenceTransformerEncoder:
    """A model in the folder format of sentence-transformers: of texts, or of images and texts.

    Args:
        folder: local folder, as ``SentenceTransformer.save`` writes it.
        device: where it runs.

    Attributes:
        identity: folder name and fingerprints of all weights and of the configuration.

    Raises:
        ImportError: the extra ``sentence-transformers`` is not installed.
        FileNotFoundError: no such folder: names of models on the internet are not looked up.
    """

    def __init__(self, folder: str | os.PathLike[str], *, device: str | torch.device = "cpu") -> None:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"folder: expected a local folder, got {os.fspath(folder)!r}")
        library = import_extra("sentence_transformers", package="indirect", extra="sentence-transformers")
        self._model = library.SentenceTransformer(os.fspath(folder), device=str(device), local_files_only=True)
        settings = sorted(Path(folder).rglob("*.json"))
        self.identity = fingerprint(
            f"sentence-transformers {Path(folder).name}",
            self._model.state_dict(),
            "".join(path.read_text(encoding="utf-8") for path in settings),
        )

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return one unit row ``(n, d)`` per text."""
        return in_batches(texts, self._encode)

    def encode_image(self, images: Sequence[Image], *, projected: bool = True) -> Tensor:
        """Return one unit row ``(n, d)`` per PIL image; the features before the projection are not to be had."""
        if not projected:
            raise value_error("projected", "True for a sentence-transformers model", False)
        return in_batches(images, lambda batch: self._encode([on_white(image) for image in batch]), 16)

    def _encode(self, items: Sequence[object]) -> Tensor:
        rows: Tensor = self._model.encode(list(items), convert_to_tensor=True, show_progress_bar=False)
        return F.normalize(rows.float())
