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
