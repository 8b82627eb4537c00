"""Exact hit counts for many properties in one pass: how many of a query's R nearest items share its value?

No neighbour is ever listed. A block of float32 distances becomes 16-bit keys, one radix sort per row gives the key of
the R-th neighbour for every R, and comparing the keys of the query's own class with that key counts the hits. Only
what lies closer to the threshold than the rounding error is looked at again, in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from ._core import track
from ._distances import Ordering
from ._properties import Property

_TOP_KEY = 65_000  # keys run from 0 to here; all farther items share this one
_SELF_KEY = 65_535  # the query itself, beyond every threshold
_SAMPLE = 512  # columns whose quantile tells how far the thresholds of a row can reach
_MARGIN = 0.11  # five standard deviations of a quantile of that sample
_TASK_ROWS = 128  # rows per task at most: their keys stay in the cache
_SETTLE_CELLS = 2**20  # cells of the temporary masks when thresholds are settled
_BLOCK_CELLS = 2**25  # cells of the distance block in memory

Keys = NDArray[np.uint16]


def count_hits(
    ordering: Ordering,
    properties: Sequence[Property],
    queries: NDArray[np.int64],
    depth: NDArray[np.int64],
    *,
    block_size: int | None = None,
    progress: bool | None = False,
) -> NDArray[np.float64]:
    """Return how many of the ``depth`` nearest items share the query's value, ties counted by expectation.

    Args:
        ordering: the ``n`` items.
        properties: ``k`` labellings of the items; an item without a label is no neighbour.
        queries: ``(q,)`` row indices; a query is no neighbour of itself.
        depth: ``(k, q)`` number of nearest items to look at, 0 for none.
        block_size: rows of the distance matrix in memory at a time.
        progress: show a progress bar; None only in a terminal.

    Returns:
        ``(k, q)`` hits: whole numbers unless items tie at the last place; NaN where float32 tells too little:
        more than a sixteenth of the items lie within its rounding error on one side of the R-th distance.
    """
    block_size = block_size or max(64, _BLOCK_CELLS // len(ordering))
    sample = np.random.default_rng(0).permutation(len(ordering))[:_SAMPLE]
    labelled = np.array([[prop.labelled] for prop in properties])
    reach = float((depth / labelled).max(initial=0)) + _MARGIN
    galleries = _galleries(properties)
    hits = np.zeros(depth.shape)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        for start in track(range(0, len(queries), block_size), "nrprecision", progress=progress):
            block = queries[start : start + block_size]
            values = ordering.block(block)
            rounds = -(-len(block) // (threads * _TASK_ROWS))
            size = -(-len(block) // (threads * rounds))  # equal tasks, so that no thread waits for another

            def count(first: int, start: int = start, values: NDArray[np.float32] = values, size: int = size) -> None:
                part = slice(start + first, start + min(first + size, len(values)))
                keys = _Keys(ordering, queries[part], values[first : first + size], sample, reach)
                for gallery, members in galleries:
                    hits[members, part] = keys.count(gallery, [properties[m] for m in members], depth[members, part])

            list(pool.map(count, range(0, len(block), size)))
    return hits


def _galleries(properties: Sequence[Property]) -> list[tuple[NDArray[np.int64] | None, list[int]]]:
    """Group the properties that are labelled on the same items; None stands for all items."""
    groups: dict[bytes, list[int]] = {}
    for index, prop in enumerate(properties):
        groups.setdefault((prop.codes >= 0).tobytes(), []).append(index)
    first = [properties[members[0]].codes for members in groups.values()]
    items = [None if codes.min() >= 0 else np.flatnonzero(codes >= 0) for codes in first]
    return list(zip(items, groups.values()))


class _Keys:
    """The keys of a few queries to all items, and what can be counted in them.

    Attributes:
        keys: ``(b, n)``; a smaller key is a smaller distance, rounding errors of ``window`` keys apart.
        window: ``(b,)`` keys farther than this from the threshold's are certain to be on their side of it.
    """

    def __init__(
        self,
        ordering: Ordering,
        queries: NDArray[np.int64],
        values: NDArray[np.float32],
        sample: NDArray[np.int64],
        reach: float,
    ) -> None:
        self.ordering = ordering
        self.queries = queries
        itself = np.arange(len(queries)), queries
        place = int(np.ceil(reach * len(sample)))
        if place < len(sample) - 1:
            upper = np.partition(values.take(sample, axis=1), place, axis=1)[:, place]
        else:
            upper = values.max(axis=1)
        values[itself] = np.inf
        lower = values.min(axis=1)
        upper = np.maximum(upper, lower)
        scale = _TOP_KEY / np.maximum(upper - lower, np.float32(1e-30))
        error = ordering.error(queries, upper.astype(np.float64))
        # Two values err by `error` each, and the cut to whole keys by just over one.
        self.window = np.minimum(np.ceil(2 * error * scale + 1.1), _TOP_KEY + 1).astype(np.int64)
        values -= lower[:, None]
        values *= scale[:, None]
        np.clip(values, 0, _TOP_KEY, out=values)
        self.keys: Keys = values.astype(np.uint16)
        self.keys[itself] = _SELF_KEY

    def count(
        self, gallery: NDArray[np.int64] | None, properties: Sequence[Property], depth: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the hits ``(k, b)`` of properties whose labelled items are ``gallery``."""
        keys = self.keys if gallery is None else self.keys.take(gallery, axis=1)
        ordered = np.sort(keys, axis=1, kind="stable")  # a radix sort for 16-bit integers
        hits = np.zeros(depth.shape)
        for index, prop in enumerate(properties):
            rows = np.flatnonzero(depth[index])
            if len(rows):
                hits[index, rows] = self._count_property(prop, rows, depth[index, rows], ordered, gallery)
        return hits

    def _count_property(
        self,
        prop: Property,
        rows: NDArray[np.int64],
        depth: NDArray[np.int64],
        ordered: Keys,
        gallery: NDArray[np.int64] | None,
    ) -> NDArray[np.float64]:
        threshold = ordered[rows, depth - 1].astype(np.int64)
        low = np.maximum(threshold - self.window[rows], 0).astype(np.uint16)
        high = np.minimum(threshold + self.window[rows], _TOP_KEY).astype(np.uint16)
        below, within = np.empty((2, len(rows)))
        codes = prop.codes[self.queries[rows]]
        for code in np.unique(codes):
            own = np.flatnonzero(codes == code)
            keys = self.keys[rows[own]].take(prop.items_of(code), axis=1)
            below[own] = _count(keys < low[own, None])
            within[own] = _count(keys <= high[own, None])
        # Nothing but the last neighbour itself is near the threshold, or nothing of the query's class is.
        alone = (ordered[rows, depth] > high) & ((depth == 1) | (ordered[rows, depth - 2] < low))
        hits = np.where(alone, within, below)
        unsettled = ~alone & (below < within)
        wide = unsettled & _is_wide(ordered, rows, depth, low=low, high=high)
        hits[wide] = np.nan
        unsettled = np.flatnonzero(unsettled & ~wide)
        step = max(1, _SETTLE_CELLS // len(self.ordering))
        for start in range(0, len(unsettled), step):
            part = unsettled[start : start + step]
            hits[part] += self._settle(
                prop, rows[part], depth[part], low[part, None], high[part, None], gallery=gallery
            )
        return hits

    def _settle(
        self,
        prop: Property,
        rows: NDArray[np.int64],
        depth: NDArray[np.int64],
        low: Keys,
        high: Keys,
        *,
        gallery: NDArray[np.int64] | None,
    ) -> NDArray[np.float64]:
        """Return the hits among the items from ``low`` to ``high``, by their exact distances."""
        keys = self.keys[rows] if gallery is None else self.keys[np.ix_(rows, gallery)]
        row, column = np.divmod(np.flatnonzero((keys >= low) & (keys <= high)), keys.shape[1])
        items = column if gallery is None else gallery[column]
        queries = self.queries[rows][row]
        distance = self.ordering.exact(queries, items)
        same = prop.codes[items] == prop.codes[queries]
        places = depth - _count(keys < low)
        first = np.searchsorted(row, np.arange(len(rows)))
        last = distance[np.lexsort((distance, row))[first + places - 1]][row]
        inside, tied = distance < last, distance == last

        def per_row(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
            return np.bincount(row, mask, minlength=len(rows)).astype(np.float64)

        share = (places - per_row(inside)) / per_row(tied)
        return per_row(same & inside) + share * per_row(same & tied)


def _is_wide(
    ordered: Keys, rows: NDArray[np.int64], depth: NDArray[np.int64], *, low: Keys, high: Keys
) -> NDArray[np.bool_]:
    """Tell where more than a sixteenth of the items lies between the threshold and ``low``, or ``high``."""
    size = ordered.shape[1]
    after, before = depth + size // 16, depth - size // 16 - 1
    wide: NDArray[np.bool_] = ((after < size) & (ordered[rows, np.minimum(after, size - 1)] <= high)) | (
        (before >= 0) & (ordered[rows, np.maximum(before, 0)] >= low)
    )
    return wide


def _count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    # numpy adds up bytes in 32 bits faster than booleans in 64.
    counts: NDArray[np.int64] = mask.view(np.uint8).sum(axis=1, dtype=np.uint32).astype(np.int64)
    return counts
