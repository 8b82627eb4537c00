"""Training with early stopping, and prediction in batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ._checkpoint import Checkpoint, State
from ._core import track
from ._evaluation import evaluate_scores
from ._network import FieldCNN

_PREDICTION_BATCH = 256
_BATCHES_SORTED = 20  # how many batches are sorted by length together
_RISE, _FIRST_RATE = 0.3, 0.04  # share of the training in which the learning rate rises, and from where


@dataclass(frozen=True)
class Examples:
    """Word numbers of each field ``(n, words)`` and the column of each paper's venue ``(n,)``."""

    words: list[Tensor]
    targets: Tensor


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast a network learns; see ``VenueRecommender`` for the options of the same names."""

    learning_rate: float
    batch_size: int
    epochs: int
    patience: int
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    seed: int = 0


def train(
    network: FieldCNN,
    training: Examples,
    validation: Examples,
    schedule: Schedule,
    *,
    checkpoint: Checkpoint | None = None,
    progress: bool | None = None,
) -> list[dict[str, float]]:
    """Train with cross entropy and keep the weights of the epoch with the best mean reciprocal rank on validation.

    Of equal ones the lower cross entropy is better. Training ends when ``patience`` epochs in a row were not better.

    Returns:
        The mean loss, and loss and metrics on validation, of each epoch.
    """
    state = State(network, torch.optim.AdamW(_groups(network, schedule.weight_decay), lr=schedule.learning_rate))
    if checkpoint is not None:
        checkpoint.read(state)
    while len(state.history) < schedule.epochs and _epochs_without_gain(state.history) < schedule.patience:
        epoch = len(state.history)
        # Drawn anew for each epoch, so that a training that goes on draws what an unbroken one does.
        torch.manual_seed(int(np.random.SeedSequence([schedule.seed, epoch]).generate_state(1)[0]))
        loss = _train_epoch(state, training, schedule, progress)
        probabilities = predict(network, validation.words)
        validated = evaluate_scores(probabilities.numpy(), validation.targets.numpy())
        validation_loss = F.nll_loss(probabilities.log().clamp(min=-100), validation.targets).item()
        state.history.append({"loss": loss, "validation_loss": validation_loss, **validated.to_dict()})
        if not _epochs_without_gain(state.history):
            state.best = {name: value.clone() for name, value in network.state_dict().items()}
        if checkpoint is not None:
            checkpoint.write(state)
    network.load_state_dict(state.best)
    return state.history


def _train_epoch(state: State, training: Examples, schedule: Schedule, progress: bool | None) -> float:
    """Let the network learn from every paper once, and return the mean loss."""
    epoch, network = len(state.history), state.network.train()
    device = next(network.parameters()).device
    lengths = torch.stack([(field != 0).sum(1) for field in training.words]).sum(0)
    batches = _draw_batches(lengths, schedule.batch_size)
    total = torch.zeros((), device=device)
    description = f"epoch {epoch + 1} of {schedule.epochs}"
    for step, rows in enumerate(track(batches, description, progress=progress), epoch * len(batches)):
        for group in state.optimizer.param_groups:
            group["lr"] = schedule.learning_rate * _rate(step / (schedule.epochs * len(batches)))
        logits = network(*_batch(training.words, rows, device))
        loss = F.cross_entropy(logits, training.targets[rows].to(device), label_smoothing=schedule.label_smoothing)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        total += loss.detach()
    return total.item() / len(batches)


def _groups(network: FieldCNN, weight_decay: float) -> list[dict[str, Any]]:
    """Let only matrices of layers decay: neither word vectors, nor biases, nor batch normalisation."""
    decays = [p for name, p in network.named_parameters() if p.ndim > 1 and not name.startswith("embeddings")]
    others = [p for name, p in network.named_parameters() if p.ndim <= 1 or name.startswith("embeddings")]
    return [{"params": decays, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _rate(share: float) -> float:
    """Return the learning rate after a share of the training: up for three tenths, then down, each half a cosine."""
    if share < _RISE:
        return _FIRST_RATE + (1 - _FIRST_RATE) * (1 - math.cos(math.pi * share / _RISE)) / 2
    return (1 + math.cos(math.pi * (share - _RISE) / (1 - _RISE))) / 2


def _epochs_without_gain(history: list[dict[str, float]]) -> int:
    """Return how many epochs there were since the best one."""
    if not history:
        return 0
    best = max(range(len(history)), key=lambda epoch: (history[epoch]["mrr"], -history[epoch]["validation_loss"]))
    return len(history) - 1 - best


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
