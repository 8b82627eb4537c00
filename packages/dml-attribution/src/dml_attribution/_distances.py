"""Distances between embeddings, each with a finite gradient everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from torch import Tensor

from ._core import shape_error, type_error, value_error

DistanceName = Literal["euclidean", "sqeuclidean", "cosine", "dot", "snr"]
Distance = Callable[[Tensor, Tensor], Tensor]

LOSS_DISTANCES: dict[str, DistanceName] = {
    "Contrastive": "euclidean",
    "Triplet": "euclidean",
    "NTXent": "cosine",
    "ProxyNCA": "sqeuclidean",
    "Margin": "euclidean",
    "Margin/class": "euclidean",
    "N. Softmax": "dot",
    "CosFace": "cosine",
    "ArcFace": "cosine",
    "FastAP": "sqeuclidean",
    "SNR Con.": "snr",
    "MS": "cosine",
    "MS+Miner": "cosine",
    "SoftTriple": "cosine",
}
"""The distance each loss trains (Table 7.1), under the names of Table 9.1; similarities count as negated distances."""


def unit(embeddings: Tensor) -> Tensor:
    """Return the rows at length one; a zero row stays zero."""
    return _ratio(embeddings, embeddings.norm(dim=1, keepdim=True))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    # Dividing by infinity makes the quotient and both its gradients 0 where the denominator is 0.
    return numerator / denominator.masked_fill(denominator == 0, math.inf)


def _sqeuclidean(a: Tensor, b: Tensor) -> Tensor:
    return ((a - b) ** 2).sum(dim=1)


def _euclidean(a: Tensor, b: Tensor) -> Tensor:
    distances: Tensor = (a - b).norm(dim=1)  # its gradient at 0 is 0
    return distances


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return -(a * b).sum(dim=1)


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return 1 + _dot(unit(a), unit(b))


def _snr(a: Tensor, b: Tensor) -> Tensor:
    return _ratio((a - b).var(dim=1, correction=0), a.var(dim=1, correction=0))


DISTANCES: dict[DistanceName, Distance] = {
    "euclidean": _euclidean,
    "sqeuclidean": _sqeuclidean,
    "cosine": _cosine,
    "dot": _dot,
    "snr": _snr,
}


def resolve_distance(distance: DistanceName | Distance) -> Distance:
    """Return the function ``(n, d), (n, d) -> (n,)``.

    Raises:
        ValueError: no distance has this name; or, when called, the user's own distance returns another shape.
    """
    if callable(distance):
        function = distance
    elif isinstance(distance, str) and distance in DISTANCES:
        function = DISTANCES[distance]
    elif isinstance(distance, str):
        raise value_error("distance", f"one of {sorted(DISTANCES)} or a callable", repr(distance))
    else:
        raise type_error("distance", f"one of {sorted(DISTANCES)} or a callable", distance)

    def measure(a: Tensor, b: Tensor) -> Tensor:
        values = function(a, b)
        if not isinstance(values, Tensor):
            raise type_error("distance", "a function that returns a tensor", values)
        if values.shape != a.shape[:1]:
            raise shape_error("distance", "one value per pair of rows", {"rows": a.shape, "values": values.shape})
        return values

    return measure
