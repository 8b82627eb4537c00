"""The calibrated test: does the embedding score higher than it does on shuffled labels?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._null import Moments
from ._properties import Property
from ._search import Search, mean_over_used

_LABELS_IN_MEMORY = 2**22


def permutation_p_values(
    search: Search, observed: NDArray[np.float64], moments: Moments, permutations: int, seed: int | None
) -> NDArray[np.float64]:
    """Return ``(1 + number of permutations that score at least as high) / (1 + permutations)`` per property.

    A permutation moves the labels among the labelled items, so the embeddings, the values and their counts stay.
    Several permutations share one pass over the distances.

    Args:
        search: the search whose scores are ``observed``.
        observed: ``(k,)`` normalised R-Precision.
        moments: the null model of ``observed``.
        permutations: how many; 0 gives NaN.
        seed: of the permutations.
    """
    if permutations == 0:
        return np.full(len(observed), np.nan)
    # Not the generator that drew the queries: the labels would be shuffled the same way.
    generator = np.random.default_rng(None if seed is None else [seed, 1])
    per_pass = max(1, _LABELS_IN_MEMORY // (len(search.embeddings) * len(observed)))
    at_least = np.zeros(len(observed), dtype=np.int64)
    for start in range(0, permutations, per_pass):
        rounds = min(per_pass, permutations - start)
        shuffled = [_shuffled(prop, generator) for _ in range(rounds) for prop in search.properties]
        scores = _scores(search, shuffled, moments).reshape(rounds, -1)
        # Sums in another order differ in the last digits; equal scores must still count.
        at_least += (scores >= observed - 1e-9).sum(axis=0)
    return np.asarray((1 + at_least) / (1 + permutations))


def _shuffled(prop: Property, generator: np.random.Generator) -> Property:
    codes = prop.codes.copy()
    labelled = codes >= 0
    codes[labelled] = generator.permutation(codes[labelled])
    return Property(prop.name, codes, prop.counts)


def _scores(search: Search, properties: list[Property], moments: Moments) -> NDArray[np.float64]:
    depth = search.depth_of(properties)
    draws = np.maximum(depth, 1)
    count = np.maximum(np.stack([prop.count_of(search.queries) for prop in properties]), 2)
    mean, deviation = moments(draws, count, np.array([[prop.labelled] for prop in properties]))
    return mean_over_used((search.hits(properties, depth) - mean) / deviation, depth)
