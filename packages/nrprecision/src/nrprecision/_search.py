"""One ranking problem: items, labellings and queries, and the counts every score is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray

from ._core import value_error
from ._dense import RowScore, expected_average_precision, expected_hits, score_rows
from ._distances import DISTANCES, Distance, Ordering, check_defined
from ._distributed import over_shards
from ._engine import count_hits
from ._inputs import check_embeddings, check_positive, check_queries
from ._properties import Property, encode_properties


class SearchOptions(TypedDict, total=False):
    """Options that all scores share; ``normalized_r_precision`` documents them."""

    distance: Distance
    queries: Any
    max_k: int | None
    block_size: int | None
    seed: int | None
    progress: bool | None
    normalize_embeddings: bool
    process_group: Any


class Search:
    """The checked arguments of one call.

    Attributes:
        properties: ``k`` labellings of the items.
        queries: ``(q,)`` row indices.
        depth: ``(k, q)`` R of each query, at most ``max_k``; 0 where the query is left out.
    """

    def __init__(
        self,
        embeddings: Any,
        properties: Any,
        *,
        distance: Distance = "euclidean",
        queries: Any = None,
        max_k: int | None = None,
        block_size: int | None = None,
        seed: int | None = None,
        progress: bool | None = None,
        normalize_embeddings: bool = False,
        process_group: Any = None,
    ) -> None:
        """Check the arguments."""
        check_positive("max_k", max_k)
        check_positive("block_size", block_size)
        if not callable(distance) and distance not in DISTANCES:
            raise value_error("distance", f"a function or one of {', '.join(DISTANCES)}", distance)
        self.embeddings = check_embeddings(embeddings, normalize=normalize_embeddings)
        if callable(distance) and isinstance(embeddings, torch.Tensor):
            self.embeddings = torch.as_tensor(self.embeddings)  # the user's function gets the user's type
        check_defined(self.embeddings, distance)
        self.distance = distance
        n = len(self.embeddings)
        self.properties = encode_properties(properties, tuple(self.embeddings.shape))
        self.queries = check_queries(queries, n, seed=seed, sharded=process_group is not None)
        self.max_k = max_k
        self.block_size = block_size
        self.progress = progress
        self.process_group = process_group
        self.depth = self.depth_of(self.properties)
        for prop, depth in zip(self.properties, self.depth):
            if not depth.any():
                raise value_error("queries", f"a query that shares its value of {prop.name!r} with an item", "none")

    def depth_of(self, properties: Sequence[Property]) -> NDArray[np.int64]:
        """Return R of each query under the given labellings ``(k, q)``."""
        depth = np.stack([np.maximum(prop.count_of(self.queries) - 1, 0) for prop in properties])
        return depth if self.max_k is None else np.minimum(depth, min(self.max_k, len(self.embeddings)))

    def hits(self, properties: Sequence[Property], depth: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how many of the ``depth`` nearest items share the query's value ``(k, q)``."""
        ranked = self._rows_scored_by(expected_hits)
        if callable(self.distance) or isinstance(self.embeddings, torch.Tensor):
            return self._over_queries(ranked, properties, depth)
        ordering = Ordering(self.embeddings, self.distance)

        def count(
            properties: Sequence[Property], queries: NDArray[np.int64], depth: NDArray[np.int64], **options: Any
        ) -> NDArray[np.float64]:
            hits = count_hits(ordering, properties, queries, depth, **options)
            rest = np.isnan(hits).any(axis=0)
            if rest.any():  # collapsed embeddings and the like: nearly everything ties
                hits[:, rest] = ranked(properties, queries[rest], depth[:, rest], **options)
            return hits

        return self._over_queries(count, properties, depth)

    def average_precision(self) -> NDArray[np.float64]:
        """Return the average precision over the ``depth`` nearest items ``(k, q)``."""
        return self._over_queries(self._rows_scored_by(expected_average_precision), self.properties, self.depth)

    def _rows_scored_by(self, score: RowScore) -> Callable[..., NDArray[np.float64]]:
        return partial(score_rows, score=score, embeddings=self.embeddings, distance=self.distance)

    def _over_queries(
        self, score: Callable[..., NDArray[np.float64]], properties: Sequence[Property], depth: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        def score_part(part: NDArray[np.int64]) -> NDArray[np.float64]:
            options = {"block_size": self.block_size, "progress": self.progress}
            return score(properties, self.queries[part], depth[:, part], **options)

        return over_shards(self.process_group, len(self.queries), score_part)


def mean_over_used(scores: NDArray[np.float64], depth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean ``(k,)`` over the queries whose depth is not 0; 0 where none is."""
    used = depth > 0
    return np.asarray(np.where(used, scores, 0).sum(axis=1) / np.maximum(used.sum(axis=1), 1))
