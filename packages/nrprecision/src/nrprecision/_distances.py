"""Distances in two precisions: fast float32 blocks with an error bound, and exact float64 values of single pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._core import value_error

Distance = str | Callable[[Any, Any], Any]
DistanceName = Literal["euclidean", "sqeuclidean", "cosine", "dot", "snr"]
DISTANCES: tuple[DistanceName, ...] = ("euclidean", "sqeuclidean", "cosine", "dot", "snr")

_UNIT = 2.0**-24  # largest relative rounding error of one float32 operation
_CHUNK = 2**21  # numbers per temporary float64 array


def pair_distances(distance: DistanceName, queries: NDArray[Any], items: NDArray[Any]) -> NDArray[np.float64]:
    """Return a value per pair of float64 rows that orders the items of one query as ``distance`` does.

    Squared Euclidean distance stands for both Euclidean ones, and a similarity is negated.
    """
    values: NDArray[np.float64]
    if distance in ("cosine", "dot"):
        values = -np.einsum("nd,nd->n", queries, items)
        return values / np.linalg.norm(items, axis=1) if distance == "cosine" else values
    difference = queries - items
    if distance == "snr":
        difference -= difference.mean(axis=1, keepdims=True)
    values = np.einsum("nd,nd->n", difference, difference)
    return values


class Ordering:
    """The order of the items as each query sees them, under one distance.

    ``block`` gives float32 values ``bias[j] - factor * <points[i], points[j]>``, one matrix product: within a row the
    distances up to a constant and a positive factor. ``error`` bounds their rounding error, and ``exact`` settles the
    pairs that are closer together than that.
    """

    def __init__(self, embeddings: NDArray[Any], distance: DistanceName) -> None:
        self.embeddings = embeddings
        self.distance = distance
        self.points = np.empty(embeddings.shape, dtype=np.float32)
        self.norms = np.empty(len(embeddings), dtype=np.float64)
        squared = distance not in ("cosine", "dot")
        # Far from the origin the product would cancel; a common shift moves no distance.
        center = _mean(embeddings) if squared else np.zeros(embeddings.shape[1])
        for rows in row_chunks(embeddings):
            self.norms[rows] = np.linalg.norm(self._moved(rows, center), axis=1)
        # One scale for all keeps squares clear of overflow and underflow, and moves no order.
        scale = float(self.norms.max()) or 1.0
        for rows in row_chunks(embeddings):
            self.points[rows] = self._moved(rows, center) / scale
        self.norms /= scale
        self.factor = np.float32(2 if squared else 1)
        self.bias = (self.norms**2).astype(np.float32) if squared else None

    def _moved(self, rows: slice, center: NDArray[np.float64]) -> NDArray[np.float64]:
        points = self.embeddings[rows].astype(np.float64) - center
        if self.distance == "snr":
            points -= points.mean(axis=1, keepdims=True)
        if self.distance == "cosine":
            points /= np.linalg.norm(points, axis=1, keepdims=True)
        return points

    def __len__(self) -> int:
        return len(self.points)

    def block(self, queries: NDArray[np.int64], out: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the float32 values ``(b, n)`` of the given queries to all items, in ``out``."""
        values: NDArray[np.float32] = np.matmul(-self.factor * self.points[queries], self.points.T, out=out)
        if self.bias is not None:
            values += self.bias
        return values

    def error(self, queries: NDArray[np.int64], upper: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a bound ``(b,)`` on the rounding error of all values of a row that can be below ``upper``.

        Each factor is rounded once and a sum of ``d`` products at most ``d`` times; 8 covers the rest. An item of more
        than twice the norm ``|query| + distance`` is beyond ``upper`` whatever its error, so that one outlier does not
        spoil every row.
        """
        norm = self.norms[queries]
        largest: NDArray[np.float64] = np.full(len(queries), self.norms.max())
        if self.bias is not None:
            largest = np.minimum(largest, 2 * (norm + np.sqrt(np.maximum(upper + norm**2, 0))))
        bound = float(self.factor) * (len(self.points[0]) + 8) * norm * largest
        return _UNIT * (bound if self.bias is None else bound + 2 * largest**2)

    def exact(self, queries: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the float64 value of each pair ``(queries[i], items[i])``."""
        values = np.empty(len(queries), dtype=np.float64)
        step = max(1, _CHUNK // self.embeddings.shape[1])
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            left = self.embeddings[queries[part]].astype(np.float64)
            values[part] = pair_distances(self.distance, left, self.embeddings[items[part]].astype(np.float64))
        return values


def check_defined(embeddings: Any, distance: Distance) -> None:
    """Raise when an array or tensor has a row without a cosine (norm 0) or signal-to-noise ratio (variance 0)."""
    if distance not in ("cosine", "snr"):
        return
    for rows in row_chunks(embeddings):
        points = embeddings[rows]
        undefined = (points == (0 if distance == "cosine" else points[:, :1])).all(1)
        if undefined.any():
            row = rows.start + undefined.tolist().index(True)
            what = "with a nonzero value" if distance == "cosine" else "of more than one value"
            raise value_error("embeddings", f"rows {what} for distance={distance!r}", f"row {row} without")


def row_chunks(points: Any) -> list[slice]:
    """Return the rows of ``(n, d)`` points in parts that are cheap to copy."""
    step = max(1, _CHUNK // points.shape[1])
    return [slice(start, start + step) for start in range(0, len(points), step)]


def _mean(embeddings: NDArray[Any]) -> NDArray[np.float64]:
    total = sum(embeddings[rows].sum(axis=0, dtype=np.float64) for rows in row_chunks(embeddings))
    return np.asarray(total / len(embeddings))
