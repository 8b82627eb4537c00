"""What an encoder must offer, and how the rest of the package calls it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from ._arrays import Array, as_matrix, is_array
from ._core import shape_error, type_error

_BATCH = 64  # images or texts in one call of the encoder


class Encoder(Protocol):
    """A frozen image-text dual encoder, such as :class:`clip_aesthetics.OpenClipEncoder`.

    Any object with these three members will do; embeddings may be tensors or numpy arrays of any length.
    """

    @property
    def identity(self) -> str:
        """Name of the weights and of the preprocessing, equal only where the embeddings are."""

    def encode_text(self, texts: Sequence[str], /) -> Array:
        """Return embeddings ``(n, d)`` of ``n`` texts."""

    def encode_image(self, images: Sequence[Any], /, *, projected: bool = True) -> Array:
        """Return embeddings ``(n, d)``, or the ``(n, d')`` activations before the projection into the joint space."""


def encode_texts(encoder: Encoder, texts: Sequence[str]) -> Tensor:
    """Return the embeddings of the texts, encoded in batches."""
    return _in_batches("encode_text", encoder.encode_text, texts)


def embeddings_of(images: Any, encoder: Encoder | None, *, projected: bool) -> Tensor:
    """Return ``images`` as a matrix: as it is where it holds embeddings, else encoded in batches."""
    if is_array(images):
        return as_matrix("images", images)
    if not isinstance(images, Sequence) or isinstance(images, (str, bytes)):
        raise type_error("images", "a list of images, or their embeddings as an array (n, d)", images)
    if not hasattr(encoder, "encode_image"):
        raise type_error("images", "embeddings as an array (n, d), since no encoder was given", images)
    assert encoder is not None
    if not images:
        raise shape_error("images", "at least one image", {"images": (0,)})
    return _in_batches("encode_image", lambda part: encoder.encode_image(part, projected=projected), images)


def identity_of(encoder: object) -> str | None:
    """Return the identity of an encoder; a string is one already."""
    if encoder is None or isinstance(encoder, str):
        return encoder
    identity = getattr(encoder, "identity", None)
    if not isinstance(identity, str):
        raise type_error("encoder", "an object whose identity is a string", encoder)
    return identity


@torch.no_grad()
def _in_batches(argument: str, encode: Callable[[Sequence[Any]], Array], items: Sequence[Any]) -> Tensor:
    parts = []
    for start in range(0, len(items), _BATCH):
        part = items[start : start + _BATCH]
        parts.append(as_matrix(argument, encode(part)))
        if len(parts[-1]) != len(part):
            raise shape_error(argument, f"{len(part)} rows", {"result": parts[-1].shape})
    return torch.cat(parts)
