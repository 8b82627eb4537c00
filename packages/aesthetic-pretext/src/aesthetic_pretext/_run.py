"""A training run between two steps."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from . import _distributed, _loading
from ._checkpoint import load_checkpoint, save_checkpoint
from ._dataset import FolderDataset
from ._history import Row

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
PRECISIONS: dict[str, torch.dtype] = {t: getattr(torch, t) for t in ("float32", "bfloat16", "float16")}


class Run:
    """A training run between two steps; everything that a checkpoint holds."""

    def __init__(
        self, model: nn.Module, balance: nn.Module, learning_rate: float, weight_decay: float, precision: Precision
    ) -> None:
        self.model, self.device = model, next(model.parameters()).device
        self.balance = balance.to(self.device)
        self.network = _distributed.wrapped(model, self.device)
        self.dtype = PRECISIONS[precision]
        parameters = [*model.parameters(), *balance.parameters()]
        self.optimizer = torch.optim.RMSprop(
            parameters, lr=learning_rate, alpha=0.9, momentum=0.9, weight_decay=weight_decay
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "float16")
        self.epoch = self.step = 0
        self.history: list[Row] = []
        self.totals: dict[str, float] = {}
        self.images, self.seconds = 0, 0.0
        self.share = 1.0  # of this process in a batch, times the number of processes
        self.best_weights: dict[str, Tensor] = {}

    @property
    def modules(self) -> dict[str, nn.Module]:
        """Everything with a state, by name."""
        return {"model": self.model, "balance": self.balance}

    def set_learning_rate(self, value: float) -> None:
        """Set the learning rate of all parameters."""
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def training_step(self, batch: Any, seed: int) -> float:
        """Make one step; return images per second so far."""
        start = time.perf_counter()
        self.network.train()
        self.balance.train()
        with seeded(seed, self.device):
            losses = self.losses(batch)
        losses = {name: _distributed.averaged(loss, self.share) for name, loss in losses.items()}
        loss = self.balance(losses)
        if not math.isfinite(float(loss.detach())):
            values = {name: float(value.detach()) for name, value in losses.items()}
            raise FloatingPointError(f"loss: expected a finite number, got {values} in epoch {self.epoch + 1}")
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        _distributed.average_gradients(self.balance)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        for name, value in losses.items():
            self.totals[name] = self.totals.get(name, 0.0) + float(value.detach())
        self.step += 1
        self.images += len(batch[0])
        self.seconds += time.perf_counter() - start
        return self.images / self.seconds

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """Return the losses of a batch of this process."""
        batch = _loading.moved(batch, self.device)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            outputs = self.network(batch.images)
            losses: dict[str, Tensor] = self.model.losses(outputs, batch)  # type: ignore[operator]
        return losses

    def finished_epoch(self, steps: int) -> Row:
        """Return the row of an epoch and begin the next one."""
        row: Row = {"epoch": self.epoch + 1, "learning_rate": self.optimizer.param_groups[0]["lr"]}
        row |= {name: total / steps for name, total in self.totals.items()}
        row["images_per_second"] = self.images / self.seconds if self.seconds else 0.0
        self.epoch, self.step, self.totals, self.images, self.seconds = self.epoch + 1, 0, {}, 0, 0.0
        return row

    @torch.no_grad()
    def validate(self, dataset: FolderDataset[Any], images_per_batch: int, num_workers: int) -> Row:
        """Return the mean losses over a set; every process computes all of them, so that all choose alike."""
        network, self.network = self.network, self.model
        self.model.eval()
        self.balance.eval()
        totals: dict[str, float] = {}
        loader = _loading.loader(dataset, num_workers, batch_size=images_per_batch)
        for first, batch in zip(range(0, len(dataset), images_per_batch), loader):
            share = min(images_per_batch, len(dataset) - first) / len(dataset)
            for name, loss in self.losses(batch).items():
                totals[name] = totals.get(name, 0.0) + share * float(loss)
        self.network = network
        total = float(self.balance({name: torch.tensor(value, device=self.device) for name, value in totals.items()}))
        return {f"validation_{name}": value for name, value in totals.items()} | {"validation": total}

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) of the lowest validation loss, or the last one without validation."""
        if "validation" not in self.history[-1]:
            return len(self.history)
        return 1 + min(range(len(self.history)), key=lambda i: self.history[i]["validation"])

    def is_best(self) -> bool:
        """Tell whether the last epoch is the best so far, and keep its weights."""
        if self.best_epoch < len(self.history):
            return False
        self.best_weights = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        return True

    def save(self, path: Path, settings: dict[str, Any]) -> None:
        """Write a checkpoint."""
        state = {
            "epoch": self.epoch, "step": self.step, "history": self.history, "totals": self.totals,
            "images": self.images, "seconds": self.seconds, "scaler": self.scaler.state_dict(),
        }  # fmt: skip
        save_checkpoint(path, self.modules, self.optimizer, settings, state)

    def resume(self, path: Path, settings: dict[str, Any]) -> None:
        """Go on from a checkpoint of a run with the same settings."""
        saved = load_checkpoint(path, self.modules, self.optimizer, settings)
        self.scaler.load_state_dict(saved["scaler"])
        self.epoch, self.step, self.history = saved["epoch"], saved["step"], saved["history"]
        self.totals, self.images, self.seconds = saved["totals"], saved["images"], saved["seconds"]


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw dropout from a seed that depends on the step alone, and leave the global generators as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed + 7919 * _distributed.world()[0])
        yield
