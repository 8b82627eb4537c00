"""A finetuning run between two steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import _loading, functional
from ._checkpoint import load_checkpoint, save_checkpoint
from ._history import Row
from ._nima import NimaModel
from ._run import seeded
from .ratings import RatedBatch


class FinetuneRun:
    """A finetuning run between two steps; everything that a checkpoint holds."""

    def __init__(
        self, model: NimaModel, backbone_learning_rate: float, head_learning_rate: float, weight_decay: float
    ) -> None:
        self.model, self.device = model, next(model.parameters()).device
        self.optimizer = torch.optim.Adam(
            [
                {"params": list(model.features.parameters()), "lr": backbone_learning_rate},
                {"params": list(model.head.parameters()), "lr": head_learning_rate},
            ],
            weight_decay=weight_decay,
        )
        self.epoch = self.step = self.halved_epoch = 0
        self.total = 0.0
        self.unfrozen_epoch: int | None = None
        self.history: list[Row] = []
        self.best_weights: dict[str, Tensor] = {}

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) of the lowest validation loss; 0 before the first."""
        return min(range(len(self.history)), key=lambda i: self.history[i]["validation"], default=-1) + 1

    def is_over(self, patience: int) -> bool:
        """Tell whether the validation loss has not fallen for too long since the backbone began to learn."""
        return self.unfrozen_epoch is not None and (
            self.epoch - max(self.best_epoch, self.unfrozen_epoch - 1) >= patience
        )

    def training_step(self, batch: RatedBatch, seed: int) -> None:
        """Make one step."""
        self.model.train()
        if self.unfrozen_epoch is None:
            self.model.features.eval()  # frozen normalisation layers keep their statistics
        images, ratings = _loading.moved(batch, self.device)
        with seeded(seed, self.device):
            loss = functional.emd_loss(self.model(images), ratings)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"loss: expected a finite number, got {value} in epoch {self.epoch + 1}")
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.total += value * len(images)
        self.step += 1

    def finish_epoch(self, num_images: int, validation: float, plateau: int) -> None:
        """Take note of an epoch; where the loss has not fallen for some, halve the rates and train the backbone."""
        self.epoch += 1
        rate = self.optimizer.param_groups[1]["lr"]
        row = {"epoch": self.epoch, "loss": self.total / num_images, "validation": validation, "learning_rate": rate}
        self.history.append(row)
        self.step, self.total = 0, 0.0
        if self.best_epoch == self.epoch:
            self.best_weights = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        if self.epoch - max(self.best_epoch, self.halved_epoch) >= plateau:
            self.unfrozen_epoch = self.unfrozen_epoch or self.epoch + 1
            self.halved_epoch = self.epoch
            for group in self.optimizer.param_groups:
                group["lr"] /= 2

    def save(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Write a checkpoint."""
        state = {
            "epoch": self.epoch, "step": self.step, "halved_epoch": self.halved_epoch, "total": self.total,
            "unfrozen_epoch": self.unfrozen_epoch, "history": self.history,
        }  # fmt: skip
        save_checkpoint(path, {"model": self.model}, self.optimizer, settings, state)

    def resume(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of a run with the same settings."""
        saved = load_checkpoint(path, {"model": self.model}, self.optimizer, settings)
        self.epoch, self.step, self.halved_epoch = saved["epoch"], saved["step"], saved["halved_epoch"]
        self.total, self.unfrozen_epoch, self.history = saved["total"], saved["unfrozen_epoch"], saved["history"]
