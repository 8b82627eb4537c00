"""Exact hit counts for many properties in one pass: how many of a query's R nearest items share its value?

A block of float32 distances becomes 16-bit keys, and one radix sort per row puts the items in order for every R. What
lies clearly before the R-th neighbour is counted; only what lies closer to it than the rounding error is looked at
again, in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
_TASK_ROWS = 128  # rows per task at most: enough to keep numpy busy, few enough for memory
_BLOCK_CELLS = 2**25  # cells of the distance block in memory

Keys = NDArray[np.uint16]
Codes = NDArray[np.integer[Any]]


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
    memory = np.empty((min(block_size, len(queries)), len(ordering)), dtype=np.float32)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        for start in track(range(0, len(queries), block_size), "nrprecision", progress=progress):
            block = queries[start : start + block_size]
            values = ordering.block(block, out=memory[: len(block)])
            rounds = -(-len(block) // (threads * _TASK_ROWS))
            size = -(-len(block) // (threads * rounds))  # equal tasks, so that no thread waits for another

            def count(first: int, start: int = start, values: NDArray[np.float32] = values, size: int = size) -> None:
                part = slice(start + first, start + min(first + size, len(values)))
                keys = _Keys(ordering, queries[part], values[first : first + size], sample, reach)
                for gallery, members, codes in galleries:
                    hits[members, part] = keys.count(gallery, codes, depth[members, part])

            list(pool.map(count, range(0, len(block), size)))
    return hits


def _galleries(properties: Sequence[Property]) -> list[tuple[NDArray[np.int64] | None, list[int], list[Codes]]]:
    """Group the properties that are labelled on the same items: these (None for all), the properties, their codes."""
    groups: dict[bytes, list[int]] = {}
    for index, prop in enumerate(properties):
        groups.setdefault((prop.codes >= 0).tobytes(), []).append(index)
    galleries = []
    for members in groups.values():
        items = np.flatnonzero(properties[members[0]].codes >= 0)
        # In few bytes they stay in the cache.
        codes = [properties[m].codes[items].astype(np.min_scalar_type(len(properties[m].counts))) for m in members]
        galleries.append((items if len(items) < len(properties[members[0]].codes) else None, members, codes))
    return galleries


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
        self, gallery: NDArray[np.int64] | None, codes: Sequence[Codes], depth: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the hits ``(k, b)`` of properties whose labelled items are ``gallery`` and have these ``codes``."""
        keys = self.keys if gallery is None else self.keys.take(gallery, axis=1)
        order = np.argsort(keys, axis=1, kind="stable")  # a radix sort for 16-bit integers
        # All rows in one ascending array, so that one search finds the places of many keys; what lies beyond these
        # columns is too far from every threshold to be counted.
        columns = min(order.shape[1], int(depth.max()) + _slack(order.shape[1]) + 1)
        row_key = np.arange(len(keys), dtype=np.int32)[:, None] << 16
        ordered = np.take_along_axis(keys, order[:, :columns], axis=1) + row_key
        hits = np.zeros(depth.shape)
        for index, its in enumerate(codes):
            rows = np.flatnonzero(depth[index])
            if len(rows):
                hits[index, rows] = self._count_property(its, rows, depth[index, rows], order, ordered, gallery)
        return hits

    def _count_property(
        self,
        codes: Codes,
        rows: NDArray[np.int64],
        depth: NDArray[np.int64],
        order: NDArray[np.int64],
        ordered: NDArray[np.int32],
        gallery: NDArray[np.int64] | None,
    ) -> NDArray[np.float64]:
        row_key, window = (values.astype(np.int32) for values in (rows << 16, self.window[rows]))
        threshold = ordered[rows, depth - 1] - row_key
        low = np.maximum(threshold - window, 0) + row_key
        high = np.minimum(threshold + window, _TOP_KEY) + row_key
        # Before `first`, items are certainly among the nearest; from `last` on, certainly not.
        columns = ordered.shape[1]
        first = np.searchsorted(ordered.ravel(), low) - rows * columns
        last = np.searchsorted(ordered.ravel(), high, side="right") - rows * columns
        own = codes[self.queries[rows] if gallery is None else np.searchsorted(gallery, self.queries[rows])]
        hits = np.empty(len(rows))
        reach = np.frexp(depth)[1]  # rows of about the same depth are counted together
        for octave in np.unique(reach):
            same = np.flatnonzero(reach == octave)
            start, stop = first[same].min(), first[same].max()
            nearest = codes.take(order[rows[same], :stop]) == own[same, None]
            nearest[:, start:] &= np.arange(start, stop) < first[same, None]
            hits[same] = _count(nearest)
        slack = _slack(order.shape[1])
        wide = (first < depth - slack) | (last > depth + slack)
        near = np.where(wide, 0, last - first)
        row = np.repeat(np.arange(len(rows)), near)
        column = order[rows[row], np.arange(len(row)) - np.repeat(np.cumsum(near) - near - first, near)]
        relevant = codes[column] == own[row]
        among = np.bincount(row, relevant, minlength=len(rows))
        # Where all or none of them are of the query's class, or all are among the nearest, their order does not matter.
        alike = (among == 0) | (among == near)
        hits += np.where(among == near, depth - first, np.where(last == depth, among, 0))
        unsettled = np.flatnonzero(~alike & (last > depth))
        hits[wide] = np.nan
        place = np.full(len(rows), -1)
        place[unsettled] = np.arange(len(unsettled))
        chosen = place[row] >= 0
        items = column[chosen] if gallery is None else gallery[column[chosen]]
        distance = self.ordering.exact(self.queries[rows][row[chosen]], items)
        hits[unsettled] += _expected_hits(place[row[chosen]], distance, relevant[chosen], (depth - first)[unsettled])
        return hits


def _slack(size: int) -> int:
    """Return how many of ``size`` items may be looked at again on one side of a threshold."""
    return size // 16


def _expected_hits(
    row: NDArray[np.int64], distance: NDArray[np.float64], relevant: NDArray[np.bool_], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how many of each row's ``places`` nearest items are relevant, ties at the last place by expectation."""
    first = np.searchsorted(row, np.arange(len(places)))
    last = distance[np.lexsort((distance, row))[first + places - 1]][row]
    inside, tied = distance < last, distance == last

    def per_row(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(row, mask, minlength=len(places)).astype(np.float64)

    share: NDArray[np.float64] = (places - per_row(inside)) / per_row(tied)
    return per_row(relevant & inside) + share * per_row(relevant & tied)


def _count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    # numpy adds up bytes in 32 bits faster than booleans in 64.
    counts: NDArray[np.int64] = mask.view(np.uint8).sum(axis=1, dtype=np.uint32).astype(np.int64)
    return counts
