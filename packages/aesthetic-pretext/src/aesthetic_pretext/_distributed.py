"""What a training step needs from other processes; alone, everything is as it is."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn


def world() -> tuple[int, int]:
    """Return the rank of this process and the number of processes."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def wrapped(model: nn.Module, device: torch.device) -> nn.Module:
    """Return the model, its gradients averaged over processes where there are several."""
    if world()[1] == 1:
        return model
    return nn.parallel.DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def averaged(loss: Tensor, share: float) -> Tensor:
    """Return a loss whose value is the mean over all images and whose gradient is that of this process's part.

    A balanced sum weighs gradients by the value of the loss, which must be that of the whole batch. ``share`` is 1
    where all processes have equally many images.
    """
    processes = world()[1]
    if processes == 1:
        return loss
    loss = loss * share
    mean = loss.detach().clone()
    distributed.all_reduce(mean)
    return loss + (mean / processes - loss.detach())


def average_gradients(module: nn.Module) -> None:
    """Average the gradients of a module that is not wrapped."""
    processes = world()[1]
    for parameter in module.parameters():
        if processes > 1 and parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= processes


def barrier() -> None:
    """Wait for the other processes."""
    if world()[1] > 1:
        distributed.barrier()
