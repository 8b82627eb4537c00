"""Training with early stopping, and prediction in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ._core import track
from ._evaluation import evaluate_scores
from ._network import FieldCNN

_PREDICTION_BATCH = 256
_BATCHES_SORTED = 20  # how many batches are sorted by length together


@dataclass(frozen=True)
class Examples:
    """Word numbers of each field ``(n, words)`` and the column of each paper's venue ``(n,)``."""

    words: list[Tensor]
    targets: Tensor


def train(
    network: FieldCNN,
    training: Examples,
    validation: Examples,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    patience: int,
    progress: bool | None,
) -> list[dict[str, float]]:
    """Train with cross entropy and keep the weights of the epoch with the best mean reciprocal rank on validation.

    Of equal ones the lower cross entropy is better. Adam's learning rate rises for three tenths of all batches and then
    falls. Training ends when ``patience`` epochs in a row were not better.

    Returns:
        The mean loss, and loss and metrics on validation, of each epoch.
    """
    lengths = torch.stack([(field != 0).sum(1) for field in training.words]).sum(0)
    n_batches = len(_draw_batches(lengths, batch_size))
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=epochs * n_batches)
    history: list[dict[str, float]] = []
    best, best_epoch, best_state = (-1.0, 0.0), 0, network.state_dict()
    device = next(network.parameters()).device
    for epoch in range(epochs):
        network.train()
        total = torch.zeros((), device=device)
        for rows in track(_draw_batches(lengths, batch_size), f"epoch {epoch + 1} of {epochs}", progress=progress):
            logits = network(*_batch(training.words, rows, device))
            loss = F.cross_entropy(logits, training.targets[rows].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach()
        probabilities = predict(network, validation.words)
        validated = evaluate_scores(probabilities.numpy(), validation.targets.numpy())
        validation_loss = F.nll_loss(probabilities.log().clamp(min=-100), validation.targets).item()
        history.append({"loss": total.item() / n_batches, "validation_loss": validation_loss, **validated.to_dict()})
        quality = (validated.mrr, -validation_loss)
        if quality > best:
            best, best_epoch = quality, epoch
            best_state = {name: value.clone() for name, value in network.state_dict().items()}
        elif epoch - best_epoch >= patience:
            break
    network.load_state_dict(best_state)
    return history


def _draw_batches(lengths: Tensor, batch_size: int) -> list[Tensor]:
    """Return the rows of each batch: random papers of similar length, so that little of a batch is empty."""
    groups = torch.randperm(len(lengths)).split(_BATCHES_SORTED * batch_size)
    batches = [rows for group in groups for rows in group[lengths[group].argsort()].split(batch_size)]
    # A single paper has no variance for batch normalisation.
    return [batches[i] for i in torch.randperm(len(batches)) if len(batches[i]) > 1]


@torch.inference_mode()
def predict(network: FieldCNN, words: Sequence[Tensor]) -> Tensor:
    """Return the probability of each venue ``(n, venues)``, on the CPU."""
    network.eval()
    device = next(network.parameters()).device
    rows = torch.arange(len(words[0])).split(_PREDICTION_BATCH)
    return torch.cat([network(*_batch(words, batch, device)).softmax(1).cpu() for batch in rows])


def _batch(words: Sequence[Tensor], rows: Tensor, device: torch.device) -> list[Tensor]:
    """Return some rows of each field, without the places at the end that are empty in all of them."""
    return [trim(field[rows]).to(device) for field in words]


def trim(words: Tensor) -> Tensor:
    """Remove the places at the end of ``(n, words)`` that no row uses, but not the first place."""
    used = (words != 0).any(0).nonzero()
    return words[:, : int(used.max()) + 1 if len(used) else 1]
