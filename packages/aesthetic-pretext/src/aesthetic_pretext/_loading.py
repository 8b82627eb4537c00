"""Batches on their way to the model."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import DataLoader


def loader(dataset: Any, num_workers: int, **options: Any) -> DataLoader[Any]:
    """Return a loader that collates as the data set does and draws nothing from torch's global generator."""
    options.setdefault("generator", torch.Generator())
    return DataLoader(dataset, num_workers=num_workers, collate_fn=dataset.collate, **options)


def moved(batch: Any, device: torch.device) -> Any:
    """Return a named tuple of tensors on a device."""
    return type(batch)(*(tensor.to(device, non_blocking=True) for tensor in batch))


def drawn_batches(count: int, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the rows of an epoch in drawn order, cut into batches; the last one may be smaller."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(step_seed(seed, epoch))).tolist()
    return [order[first : first + batch_size] for first in range(0, count, batch_size)]


def step_seed(seed: int, step: int) -> int:
    """Return a seed of its own for each step (or epoch) of each run."""
    return (seed * 1_000_003 + step) % 2**62
