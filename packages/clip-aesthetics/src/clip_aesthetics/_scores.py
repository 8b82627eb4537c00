"""Scores that say what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from ._arrays import Array

Unit: TypeAlias = Literal["similarity", "rating", "probability"]


@dataclass(frozen=True, eq=False)
class AestheticScores:
    """Scores of ``n`` images, with what is needed to read them.

    Attributes:
        values: ``(n,)`` scores, an array or tensor as the images' embeddings were.
        aesthetic: ``(n,)`` booleans, the binary prediction.
        range: lowest and highest value that the scores can have; for a probe of ratings, lowest and highest rating
            it was fitted on, which a prediction may leave.
        unit: ``"similarity"`` (weighted sum of cosines), ``"rating"`` or ``"probability"``.
        encoder: identity of the encoder, ``None`` where it is not known.
        closest: the prompt most similar to each image (prompts only).
        higher_is_better: always ``True``.
    """

    values: Array
    aesthetic: Array
    range: tuple[float, float]
    unit: Unit
    encoder: str | None
    closest: tuple[str, ...] | None = None
    higher_is_better: bool = True

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.values)

    def ranking(self) -> list[int]:
        """Return the positions of the images from best to worst; equal ones keep their order."""
        order: list[int] = torch.as_tensor(self.values).argsort(descending=True, stable=True).tolist()
        return order
