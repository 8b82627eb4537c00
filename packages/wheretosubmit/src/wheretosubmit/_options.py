"""The hyperparameters of a recommender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import torch

from ._checks import as_list, check_seed, check_type, choice, positive, share
from ._core import value_error
from ._ranker import Ranker

# What recommend, explain and the web service also take.
_RESERVED = {"k", "n_steps", "output", "palette", "self", "venue", "venues"}
_COUNTS = ("embedding_dim", "filters", "hidden", "min_count", "max_tokens", "batch_size", "epochs", "patience")
_SHARES = (
    *("dropout", "word_dropout", "field_dropout", "label_smoothing"),
    *("learning_rate", "weight_decay", "validation_fraction"),
)


@dataclass(kw_only=True)
class Options(Ranker):
    """What ``VenueRecommender`` takes, with its checks."""

    embedding: Literal["learned", "word2vec"] = "learned"
    embedding_dim: int = 100
    filters: int = 100
    kernel_sizes: Sequence[int] = (1, 2, 3)
    hidden: int = 200
    dropout: float = 0.5
    word_dropout: float = 0.3
    field_dropout: float = 0.1
    min_count: int = 3
    max_tokens: int = 256
    label_smoothing: float = 0.0
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    batch_size: int = 64
    epochs: int = 15
    patience: int = 3
    validation_fraction: float = 0.1
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check the hyperparameters."""
        super().__post_init__()
        if reserved := sorted(_RESERVED & set(self.fields)):
            raise value_error("fields", f"names other than {sorted(_RESERVED)}", reserved)
        choice("embedding", self.embedding, ("learned", "word2vec"))
        self.fields = tuple(self.fields)
        sizes = as_list("kernel_sizes", self.kernel_sizes, "a sequence of integers")
        self.kernel_sizes = tuple(positive("kernel_sizes", size) for size in sizes)
        if not self.kernel_sizes:
            raise value_error("kernel_sizes", "at least one", self.kernel_sizes)
        for name in _COUNTS:
            setattr(self, name, positive(name, getattr(self, name)))
        for name in _SHARES:
            setattr(self, name, share(name, getattr(self, name)))
        self.seed = check_seed(self.seed)
        check_type("device", self.device, (str, torch.device), "a device of torch")
        try:
            torch.device(self.device)
        except RuntimeError as error:
            raise value_error("device", "a device of torch", str(error).splitlines()[0]) from error

    def get_params(self) -> dict[str, Any]:
        """Return the hyperparameters."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def with_params(self, **changes: Any) -> Self:
        """Return an unfitted recommender with some other hyperparameters."""
        return type(self)(**{**self.get_params(), **changes})
