"""What an encoder of images and texts must offer, and how it is recognised again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from ._core import value_error

if TYPE_CHECKING:
    from PIL.Image import Image

Item = TypeVar("Item")


@runtime_checkable
class Encoder(Protocol):
    """A frozen image-text model: both methods embed into one space, in which the cosine is the similarity.

    Every class with these three members is one; the package's own are ``OfflineEncoder``, ``OpenClipEncoder``,
    ``TransformersEncoder`` and ``SentenceTransformerEncoder``.
    """

    identity: str
    """Name and fingerprints of weights and preprocessing: vectors are comparable if and only if it is equal."""

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return one row ``(n, d)`` per text."""

    def encode_image(self, images: Sequence[Image], *, projected: bool = True) -> Tensor:
        """Return one row ``(n, d)`` per image; ``projected=False``: the features before the map into the space."""


def fingerprint(name: str, weights: Mapping[str, Tensor], preprocessing: str = "") -> str:
    """Return the identity of an encoder: its name, a hash of all its weights and one of its preprocessing."""
    digest = hashlib.sha256()
    for key, tensor in sorted(weights.items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    parts = [name, f"weights {digest.hexdigest()[:12]}"]
    if preprocessing:
        parts.append(f"preprocessing {hashlib.sha256(preprocessing.encode()).hexdigest()[:12]}")
    return ", ".join(parts)


def in_batches(items: Sequence[Item], embed: Callable[[Sequence[Item]], Tensor], size: int = 64) -> Tensor:
    """Return ``embed`` of all items, computed in batches, without gradients."""
    if isinstance(items, str) or not hasattr(items, "__len__") or not len(items):
        raise value_error("images or texts", "a list with at least one", repr(items))
    with torch.no_grad():
        return torch.cat([embed(items[start : start + size]) for start in range(0, len(items), size)])
