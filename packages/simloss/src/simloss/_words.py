"""Similarities of classes from word vectors of their names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

import torch
from torch import Tensor

from ._adjustments import lower_bounded_similarity
from ._arguments import floating_matrix, name_list, quoted
from ._builders import cosine_matrix
from ._core import type_error, value_error

if TYPE_CHECKING:
    from torch.types import Device


class KeyedVectors(Protocol):
    """What a source of word vectors must offer; a ``dict`` and gensim's ``KeyedVectors`` do."""

    def __contains__(self, key: Any, /) -> bool:
        """Return whether there is a vector for a word."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return the vector of a word."""


@overload
def word_similarity(
    names: Iterable[str],
    keyed_vectors: KeyedVectors,
    lower_bound: float = ...,
    missing: Literal["error", "mean"] = ...,
    *,
    dtype: torch.dtype = ...,
    device: Device = ...,
) -> Tensor: ...
@overload
def word_similarity(
    names: Iterable[str],
    keyed_vectors: KeyedVectors,
    lower_bound: float = ...,
    *,
    missing: Literal["drop"],
    dtype: torch.dtype = ...,
    device: Device = ...,
) -> tuple[Tensor, list[str]]: ...
def word_similarity(
    names: Iterable[str],
    keyed_vectors: KeyedVectors,
    lower_bound: float = 0.0,
    missing: Literal["error", "drop", "mean"] = "error",
    *,
    dtype: torch.dtype = torch.float32,
    device: Device = None,
) -> Tensor | tuple[Tensor, list[str]]:
    """Return the cosine similarities of the word vectors of the class names, negative ones as 0.

    ``S[i, j] = max(0, cos(v[i], v[j]) - lower_bound) / (1 - lower_bound)``. The vector of a name is the first of

    1. the name as it is written, then with underscores for spaces and hyphens, then with spaces for underscores;
    2. the same three in lower case;
    3. the mean of the unit vectors of its words (``"aquarium fish"``, ``"tennis_ball"``), each as written or in
       lower case; a name of which one word is missing is missing.

    Args:
        names: one distinct name per class, in the order of the classes.
        keyed_vectors: gensim ``KeyedVectors``, or any mapping from words to vectors ``(d,)``.
        lower_bound: cosine that becomes 0, in ``[0, 1)``; see :func:`simloss.lower_bounded_similarity`.
        missing: what to do with names without a vector. ``"error"`` raises. ``"mean"`` warns and makes them as
            similar to every other class as the found classes are to one another on average. ``"drop"`` warns and leaves
            them out **and returns the names that are left as well**: the model must be trained on these classes.
        dtype: dtype of the result.
        device: device of the result.

    Returns:
        Similarities ``(c, c)`` with ones on the diagonal; with ``missing="drop"`` a pair: similarities
        ``(kept, kept)`` and the list of kept names in the same order.

    Raises:
        ValueError: names are repeated, or have no vector (all of them are listed).

    Example:
        >>> vectors = {"rose": [1.0, 0.0], "tulip": [0.8, 0.6], "pickup": [0.0, 1.0], "truck": [0.0, 2.0]}
        >>> word_similarity(["Rose", "tulip", "pickup_truck"], vectors)
        tensor([[1.0000, 0.8000, 0.0000],
                [0.8000, 1.0000, 0.6000],
                [0.0000, 0.6000, 1.0000]])

    Reference:
        Chapter 14, Section 14.2.1 (which dropped four of 100 names) and Eq. 14.11.
    """
    classes = name_list("names", names)
    if isinstance(keyed_vectors, Sequence) or not hasattr(keyed_vectors, "__getitem__"):
        raise type_error("keyed_vectors", "a mapping from words to vectors", keyed_vectors)
    if missing not in ("error", "drop", "mean"):
        raise value_error("missing", "'error', 'drop' or 'mean'", repr(missing))
    vectors = {name: vector for name in classes if (vector := _vector(name, keyed_vectors)) is not None}
    lost = [name for name in classes if name not in vectors]
    if lost and (missing == "error" or len(vectors) < 2):
        raise value_error("names", "a vector for each name", f"none for {quoted(lost)} ({len(lost)} of {len(classes)})")
    if len({len(vector) for vector in vectors.values()}) > 1:
        lengths = {name: len(vector) for name, vector in vectors.items()}
        raise value_error("keyed_vectors", "vectors of one length", str(lengths))

    cosine = cosine_matrix("keyed_vectors", torch.stack(list(vectors.values())).to(device))
    similarity = lower_bounded_similarity(cosine, lower_bound).to(dtype)
    if lost:
        action = "left out" if missing == "drop" else "given the mean similarity"
        warnings.warn(f"{len(lost)} of {len(classes)} names have no vector: {quoted(lost)}; {action}", stacklevel=2)
    if missing == "drop":
        return similarity, list(vectors)
    return _with_mean(similarity, [name in vectors for name in classes]) if lost else similarity


def _with_mean(similarity: Tensor, found: list[bool]) -> Tensor:
    """Return ``similarity`` of the found classes, with its mean in the rows and columns of the others."""
    count, device = len(similarity), similarity.device
    mean = (similarity.sum() - count) / (count * (count - 1))
    full = mean.repeat(len(found), len(found)).fill_diagonal_(1)
    position = torch.tensor(found, device=device).nonzero().flatten()
    full[position[:, None], position] = similarity
    return full


def _vector(name: str, keyed_vectors: KeyedVectors) -> Tensor | None:
    """Return the vector ``(d,)`` of a class name, or ``None``."""
    spellings = [name, re.sub(r"[\s-]", "_", name), name.replace("_", " ")]
    key = _first_key(keyed_vectors, *spellings, *map(str.lower, spellings))
    if key is not None:
        return _stored(key, keyed_vectors)
    words = [_first_key(keyed_vectors, word, word.lower()) for word in re.findall(r"[^\s_-]+", name)]
    rows = [_stored(word, keyed_vectors) for word in words if word is not None]
    if not rows or len(rows) < len(words):
        return None
    return torch.nn.functional.normalize(torch.stack(rows), dim=1).mean(0)


def _first_key(keyed_vectors: KeyedVectors, *candidates: str) -> str | None:
    """Return the first candidate that has a vector."""
    return next((key for key in candidates if key in keyed_vectors), None)


def _stored(key: str, keyed_vectors: KeyedVectors) -> Tensor:
    """Return the vector ``(d,)`` stored under ``key``."""
    return floating_matrix(f"keyed_vectors[{key!r}]", [[*keyed_vectors[key]]])[0].float()
