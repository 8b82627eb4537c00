"""A training that can go on after it was killed: its state after the last whole epoch, in one safetensors file."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ._core import atomic_path


@dataclass
class State:
    """All that the next epoch depends on, apart from papers and options.

    Args:
        network: the network.
        optimizer: of its weights.
        best: the weights of the best epoch.
        history: loss and validation metrics of each epoch.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    best: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


class Checkpoint:
    """A file that keeps the state of one training.

    Args:
        path: the file.
        training: what the training is: papers and options. The file of another training is not used, but replaced.
    """

    def __init__(self, path: Path, training: Any) -> None:
        self.path = path
        self._digest = hashlib.sha256(json.dumps(training).encode()).hexdigest()
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f".{glob.escape(path.stem)}-{8 * '[0-9a-f]'}{glob.escape(path.suffix)}"):
            leftover.unlink(missing_ok=True)  # of a run that was killed while it wrote

    def exists(self) -> bool:
        """Say whether there is a state of this training."""
        return self._metadata() is not None

    def write(self, state: State) -> None:
        """Replace the file by one with this state."""
        moments = state.optimizer.state_dict()["state"].items()
        tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in state.best.items()}
        tensors |= {f"optimizer.{row}.{name}": value for row, values in moments for name, value in values.items()}
        copies = {name: value.cpu().clone() for name, value in tensors.items()}
        with atomic_path(self.path) as temporary:
            # save_file would make a temporary file of its own, which stays when the process is killed.
            temporary.write_bytes(save(copies, {"training": self._digest, "history": json.dumps(state.history)}))

    def read(self, state: State) -> None:
        """Restore the state in place, if there is one of this training."""
        metadata = self._metadata()
        if metadata is None:
            return
        with safe_open(self.path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        state.history = json.loads(metadata["history"])
        state.best = dict(_below("best.", tensors))
        state.network.load_state_dict(dict(_below("network.", tensors)))
        adam = state.optimizer.state_dict()
        for name, value in _below("optimizer.", tensors):
            row, _, key = name.partition(".")
            adam["state"].setdefault(int(row), {})[key] = value
        state.optimizer.load_state_dict(adam)

    def _metadata(self) -> dict[str, str] | None:
        """Return what the file says about itself, or nothing when it is none of this training."""
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata: dict[str, str] = file.metadata() or {}
        except (OSError, SafetensorError):
            return None
        return metadata if metadata.get("training") == self._digest else None


def _below(prefix: str, tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    return ((name.removeprefix(prefix), value) for name, value in tensors.items() if name.startswith(prefix))
