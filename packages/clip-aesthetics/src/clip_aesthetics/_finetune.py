"""Fine-tuning an image encoder to distributions of ratings."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset, random_split

from ._core import shape_error, value_error
from ._emd import NIMAHead, emd_loss

Rated: TypeAlias = Dataset[tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class Finetuned:
    """A fine-tuned model.

    Attributes:
        model: image batch to distributions ``(n, k)``, in evaluation mode, with the best weights.
        train_loss: mean loss of each epoch.
        validation_loss: loss on the held-out images after each epoch.
        best_epoch: position of the lowest validation loss.
    """

    model: nn.Sequential
    train_loss: list[float]
    validation_loss: list[float]
    best_epoch: int


def finetune(
    encoder: nn.Module,
    dataset: Rated,
    *,
    head_lr: float = 0.01,
    encoder_lr: float = 0.0001,
    momentum: float = 0.5,
    batch_size: int = 128,
    patience: int = 10,
    max_epochs: int = 1000,
    validation_fraction: float = 0.1,
    num_workers: int = 0,
    device: torch.device | str = "cpu",
    seed: int = 0,
    on_epoch: Callable[[int, float, float], None] | None = None,
) -> Finetuned:
    """Train an encoder and a linear head with as many outputs as ratings, by the earth mover's distance.

    This is the upper bound of Table 12.1: stochastic gradient descent, stopped when the loss on a held-out tenth of
    the images has not improved for ten epochs. The given encoder is left as it is; a copy is trained.

    Args:
        encoder: module from an image batch to features ``(n, d)``.
        dataset: map-style data set of (image tensor, distribution ``(k,)``), such as :class:`RatedImages`.
        head_lr: learning rate of the head.
        encoder_lr: learning rate of the encoder.
        momentum: momentum.
        batch_size: images per step.
        patience: epochs without improvement after which training stops.
        max_epochs: epochs after which training stops in any case.
        validation_fraction: share of the images that is held out.
        num_workers: worker processes of the data loader.
        device: where to train.
        seed: of the split, the order of the images and the head's weights.
        on_epoch: called with the number of the epoch, its training loss and its validation loss.

    Returns:
        The model with the lowest validation loss, and the losses.

    Raises:
        ValueError: too few images for a split, or options out of range.

    Reference:
        Chapter 12, Section 12.2, Table 12.1.
    """
    n = len(dataset)  # type: ignore[arg-type]  # a map-style data set has a length
    if not 0 < validation_fraction < 1:
        raise value_error("validation_fraction", "a number between 0 and 1", validation_fraction)
    for argument, value in {"batch_size": batch_size, "patience": patience, "max_epochs": max_epochs}.items():
        if value < 1:
            raise value_error(argument, "at least 1", value)
    held_out = math.ceil(validation_fraction * n)
    if not 0 < held_out < n:
        raise shape_error("dataset", "at least two images", {"dataset": (n,)})
    generator = torch.Generator().manual_seed(seed)
    train, validation = random_split(dataset, [n - held_out, held_out], generator=generator)
    model = _with_head(encoder, dataset, generator).to(device)
    groups = [
        {"params": list(model[0].parameters()), "lr": encoder_lr},
        {"params": list(model[1].parameters()), "lr": head_lr},
    ]
    optimizer = torch.optim.SGD(groups, momentum=momentum)
    batches = DataLoader(train, batch_size, shuffle=True, num_workers=num_workers, generator=generator)
    train_losses: list[float] = []
    validation_losses: list[float] = []
    best, best_state = 0, copy.deepcopy(model.state_dict())
    for epoch in range(max_epochs):
        model.train()
        seen = torch.zeros((), device=device)
        for images, target in batches:
            loss = emd_loss(model(images.to(device)), target.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen += loss.detach() * len(images)
        train_losses.append(seen.item() / len(train))
        validation_losses.append(_loss(model, validation, batch_size, device))
        if on_epoch:
            on_epoch(epoch, train_losses[-1], validation_losses[-1])
        if epoch == 0 or validation_losses[epoch] < validation_losses[best]:
            best, best_state = epoch, copy.deepcopy(model.state_dict())
        if epoch - best >= patience:
            break
    model.load_state_dict(best_state)
    return Finetuned(model.eval(), train_losses, validation_losses, best)


def _with_head(encoder: nn.Module, dataset: Rated, generator: torch.Generator) -> nn.Sequential:
    """Return a trainable copy of the encoder with a head of the right size."""
    encoder = copy.deepcopy(encoder).requires_grad_(True).eval()
    image, distribution = dataset[0]
    with torch.no_grad():
        features = encoder(image[None].to(next(encoder.parameters()).device))
    if features.ndim != 2 or distribution.ndim != 1:
        shapes = {"features": features.shape, "distribution": distribution.shape}
        raise shape_error("encoder", "features (n, d), and distributions (k,) in the data set", shapes)
    head = NIMAHead(features.shape[1], len(distribution), dropout=0.0)
    linear = head[1]
    assert isinstance(linear, nn.Linear)
    bound = 1 / math.sqrt(linear.in_features)
    for parameter in linear.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return nn.Sequential(encoder, head)


@torch.no_grad()
def _loss(
    model: nn.Module, images: Subset[tuple[Tensor, Tensor]], batch_size: int, device: torch.device | str
) -> float:
    model.eval()
    seen = sum(
        emd_loss(model(part.to(device)), target.to(device), reduction="sum")
        for part, target in DataLoader(images, batch_size)
    )
    return float(seen) / len(images)
