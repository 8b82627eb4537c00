"""Finetuning on human ratings by the recipe of NIMA."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from . import _loading, functional
from ._core import track, value_error
from ._history import Row
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
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.features.num_features, NUM_BINS))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(n, 10)``."""
        logits: Tensor = self.head(self.features(images))
        return logits


@dataclass(frozen=True)
class Finetuned:
    """The outcome of a run.

    Attributes:
        history: one row per epoch: loss in training and validation, learning rate of the head.
        best_epoch: the epoch (from 1) of the lowest validation loss, whose weights the model has.
        unfrozen_epoch: the first epoch (from 1) in which the backbone was trained, or ``None``.
    """

    history: list[Row] = field(repr=False)
    best_epoch: int
    unfrozen_epoch: int | None

    @property
    def epochs(self) -> int:
        """Number of epochs until the run stopped."""
        return len(self.history)


def finetune(
    model: NimaModel,
    training: RatedDataset,
    validation: RatedDataset,
    *,
    epochs: int = 200,
    batch_size: int = 64,
    backbone_learning_rate: float = 1e-4,
    head_learning_rate: float = 1e-3,
    weight_decay: float = 4e-5,
    plateau: int = 5,
    patience: int = 10,
    num_workers: int = 0,
    seed: int = 0,
    progress: bool | None = None,
) -> Finetuned:
    """Train on ratings with the published settings: Adam with two learning rates and the earth mover's distance.

    Only the last layer learns until the validation loss has not fallen for ``plateau`` epochs; whenever that happens
    the learning rates halve. The run stops after ``patience`` epochs without a new minimum once the backbone learns.
    Trains in place, on the device of the model.

    Args:
        model: its ``features`` may come from pretraining.
        training: photographs with ratings.
        validation: others, to choose the epoch and the learning rate.
        epochs: upper limit.
        batch_size: photographs per batch.
        backbone_learning_rate: of the pretrained layers.
        head_learning_rate: of the last layer.
        weight_decay: of Adam.
        plateau: epochs without a fall of the validation loss before the learning rates halve.
        patience: epochs without a fall before the run stops.
        num_workers: processes that read photographs.
        seed: of the order of photographs and of dropout.
        progress: show a progress bar; by default in a terminal only.

    Returns:
        History and best epoch.

    Raises:
        ValueError: a set is empty, or an option does not fit.

    Reference:
        Section 16.2.5; Talebi and Milanfar 2018, Lennan et al. 2018.
    """
    for name, number in (("epochs", epochs), ("batch_size", batch_size), ("plateau", plateau), ("patience", patience)):
        if number < 1:
            raise value_error(name, "a positive number", number)
    for name, dataset in (("training", training), ("validation", validation)):
        if not len(dataset):
            raise value_error(name, "rated photographs", "none")
    optimizer = torch.optim.Adam(
        [
            {"params": list(model.features.parameters()), "lr": backbone_learning_rate},
            {"params": list(model.head.parameters()), "lr": head_learning_rate},
        ],
        weight_decay=weight_decay,
    )
    history: list[Row] = []
    best, best_epoch, since_best, since_halved, unfrozen = float("inf"), 0, 0, 0, None
    weights: dict[str, Tensor] = {}
    for epoch in range(1, epochs + 1):
        loss = _train_epoch(model, training, optimizer, batch_size, num_workers, seed + epoch, unfrozen, progress)
        distance = functional.emd_loss(
            predict(model, validation, batch_size=batch_size, num_workers=num_workers).log(), validation.ratings
        )
        learning_rate = optimizer.param_groups[1]["lr"]
        history.append({"epoch": epoch, "loss": loss, "validation": float(distance), "learning_rate": learning_rate})
        since_best, since_halved = since_best + 1, since_halved + 1
        if float(distance) < best:
            best, best_epoch, since_best, since_halved = float(distance), epoch, 0, 0
            weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        if unfrozen and since_best >= patience:
            break
        if since_halved >= plateau:
            if unfrozen is None:
                unfrozen, since_best = epoch + 1, 0
            for group in optimizer.param_groups:
                group["lr"] /= 2
            since_halved = 0
    model.load_state_dict(weights)
    model.requires_grad_(True)
    return Finetuned(history, best_epoch, unfrozen if unfrozen and unfrozen <= len(history) else None)


def _train_epoch(
    model: NimaModel, dataset: RatedDataset, optimizer: torch.optim.Optimizer, batch_size: int, num_workers: int,
    seed: int, unfrozen: int | None, progress: bool | None,
) -> float:  # fmt: skip
    device = next(model.parameters()).device
    model.train()
    model.features.requires_grad_(unfrozen is not None)
    if unfrozen is None:
        model.features.eval()  # frozen normalisation layers keep their statistics
    order = torch.Generator().manual_seed(seed)
    loader = _loading.loader(dataset, num_workers, batch_size=batch_size, shuffle=True, generator=order)
    total = 0.0
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for batch in track(loader, "finetuning", progress=progress):
            images, ratings = _loading.moved(batch, device)
            loss = functional.emd_loss(model(images), ratings)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(images)
    return total / len(dataset)


@torch.no_grad()
def predict(model: NimaModel, dataset: RatedDataset, *, batch_size: int = 64, num_workers: int = 0) -> Tensor:
    """Return the predicted distributions of ratings ``(n, 10)``, on the CPU.

    Args:
        model: a finetuned model.
        dataset: photographs.
        batch_size: photographs per batch.
        num_workers: processes that read photographs.
    """
    model.eval()
    device = next(model.parameters()).device
    loader = _loading.loader(dataset, num_workers, batch_size=batch_size)
    return torch.cat([model(batch.images.to(device)).float().softmax(1).cpu() for batch in loader])
