"""A backbone that predicts ratings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import _loading
from ._checks import number, whole_number
from ._core import type_error
from ._model import Features
from .ratings import NUM_BINS, RatedDataset


class NimaModel(nn.Module):
    """A backbone that predicts the distribution of the ratings 1 to 10.

    Args:
        backbone: as in `Features`; ``pretext_model.features`` goes on from pretraining.
        dropout: before the last layer.

    Example:
        >>> NimaModel(nn.Conv2d(3, 8, 3))(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])

    Reference:
        Section 16.2.5; Talebi and Milanfar 2018.
    """

    def __init__(self, backbone: nn.Module, *, dropout: float = 0.75) -> None:
        super().__init__()
        self.features = backbone if isinstance(backbone, Features) else Features(backbone)
        number("dropout", dropout, 0, 1)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.features.num_features, NUM_BINS))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(n, 10)``."""
        logits: Tensor = self.head(self.features(images))
        return logits


@torch.no_grad()
def predict(model: NimaModel, dataset: RatedDataset, *, batch_size: int = 64, num_workers: int = 0) -> Tensor:
    """Return the predicted distributions of ratings ``(n, 10)``, on the CPU.

    Args:
        model: a finetuned model.
        dataset: photographs.
        batch_size: photographs per batch.
        num_workers: processes that read photographs.

    Raises:
        TypeError: the model or the set is of another kind.
        ValueError: an option does not fit.
    """
    if not isinstance(model, NimaModel):
        raise type_error("model", "a NimaModel", model)
    if not isinstance(dataset, RatedDataset):
        raise type_error("dataset", "a RatedDataset", dataset)
    batch_size = min(whole_number("batch_size", batch_size, 1), max(1, len(dataset)))
    whole_number("num_workers", num_workers, 0)
    model.eval()
    device = next(model.parameters()).device
    loader = _loading.loader(dataset, num_workers, batch_size=batch_size)
    return torch.cat([model(batch.images.to(device)).float().softmax(1).cpu() for batch in loader])
