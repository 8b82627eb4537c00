"""A model with what its embeddings are measured against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ._arrays import finite
from ._baseline import Baseline, matched
from ._core import value_error
from ._distances import Distance, unit
from ._model import Output, embed
from ._sampling import pass_size

Objective = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class MeasuredModel:
    """A model, the distance between its embeddings, and the image or images at the other end of that distance."""

    forward_func: Callable[[Tensor], Any]
    output: Output | None
    distance: Distance
    normalize: bool
    baseline: Baseline | None
    reference: Tensor | None

    def embedding(self, images: Tensor) -> Tensor:
        """Return the embeddings ``(n, d)`` that the distance is between: of length one when ``normalize``."""
        embeddings = embed(self.forward_func, images, self.output)
        return unit(embeddings) if self.normalize else embeddings

    def constants(self, images: Tensor, batch_size: int | None) -> Tensor:
        """Return the embeddings without gradients."""
        with torch.no_grad():
            size = min(pass_size(batch_size, images.device), len(images))
            embeddings = torch.cat([self.embedding(part.contiguous()) for part in images.split(size)])
        if not finite(embeddings):
            raise value_error("forward_func", "finite embeddings and gradients", "NaN or infinity")
        return embeddings

    def others(self, inputs: Tensor) -> Tensor:
        """Return what the inputs are measured against: one image, or one for each."""
        if self.reference is not None:
            return matched("reference", self.reference, inputs, each=True)
        return matched("baseline", self.baseline(inputs) if callable(self.baseline) else self.baseline, inputs)

    def toward(self, others: Tensor, batch_size: int | None, *, swap: bool = False) -> Objective:
        """Return the distance of embeddings, given with their rows, to ``others``; ``swap`` measures it from them."""
        constants = self.constants(others, batch_size)

        def objective(embeddings: Tensor, rows: Tensor) -> Tensor:
            targets = constants[rows] if len(constants) > 1 else constants.expand_as(embeddings)
            return self.distance(targets, embeddings) if swap else self.distance(embeddings, targets)

        return objective
