"""Integrated gradients through captum (extra ``captum``)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ._arrays import finite, whole
from ._core import import_extra, value_error


def path_gradients(
    distances: Callable[[Tensor, Tensor], Tensor],
    inputs: Tensor,
    baselines: Tensor,
    targets: Tensor,
    *,
    n_steps: int,
    batch_size: int,
) -> Tensor:
    """Return captum's integrated gradients ``(n, c, h, w)`` of ``distances(images, targets)``."""
    n_steps = whole("n_steps", n_steps, least=1)
    batch_size = min(batch_size, n_steps * len(inputs))
    method = import_extra("captum.attr", package="dml-attribution", extra="captum").IntegratedGradients(distances)
    tensors = (inputs, baselines.expand_as(inputs), targets.expand(len(inputs), -1))
    parts = [
        method.attribute(image, start, additional_forward_args=target, n_steps=n_steps, internal_batch_size=batch_size)
        for image, start, target in zip(*(torch.split(tensor, batch_size) for tensor in tensors))
    ]
    gradients = torch.cat(parts).detach()
    if not finite(gradients):
        raise value_error("forward_func", "finite embeddings and gradients", "NaN or infinity")
    return gradients
