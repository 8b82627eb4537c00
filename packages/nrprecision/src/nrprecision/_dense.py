"""Whole rows of exact distances as tensors: for CUDA, for a distance of the user's own, and where ranks matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._core import shape_error, track, value_error
from ._distances import Distance
from ._properties import Property

_BLOCK_CELLS = 2**22  # cells of the distance block in memory

# ordered distances (b, m) without the query, whether each item is relevant (b, m), depth (b) -> score (b)
RowScore = Callable[[Tensor, Tensor, Tensor], Tensor]


def score_rows(
    properties: Sequence[Property],
    queries: NDArray[np.int64],
    depth: NDArray[np.int64],
    *,
    score: RowScore,
    embeddings: NDArray[Any] | Tensor,
    distance: Distance,
    block_size: int | None = None,
    progress: bool | None = False,
) -> NDArray[np.float64]:
    """Return ``(k, q)`` scores of ranked rows; arguments as in ``count_hits``."""
    n = len(embeddings)
    block_size = block_size or max(1, _BLOCK_CELLS // n)
    result = np.zeros(depth.shape)
    starts = range(0, len(queries), block_size)
    blocks = _blocks(embeddings, distance, [queries[start : start + block_size] for start in starts])
    for start, values in track(zip(starts, blocks), "nrprecision", total=len(starts), progress=progress):
        part = slice(start, start + block_size)
        values[torch.arange(len(values)), torch.from_numpy(queries[part])] = torch.inf
        ordered, order = values.sort(dim=1)
        for index, prop in enumerate(properties):
            codes = torch.from_numpy(prop.codes).to(values.device)
            active = torch.from_numpy(np.flatnonzero(depth[index, part])).to(values.device)
            own = codes[torch.from_numpy(queries[part]).to(values.device)[active], None]
            ranked = codes[order[active, :-1]]
            # The query itself came last; items without a label leave their row, as many in each.
            kept = ranked >= 0
            shape = (len(active), prop.labelled - 1)
            distances, relevant = (x[kept].reshape(shape) for x in (ordered[active, :-1], ranked == own))
            places = torch.from_numpy(depth[index, part]).to(values.device)[active]
            result[index, start + active.cpu().numpy()] = score(distances, relevant, places).cpu().numpy()
    return result


def expected_hits(distances: Tensor, relevant: Tensor, depth: Tensor) -> Tensor:
    """Return the hits among the ``depth`` nearest items, ties at the last place counted by expectation."""
    last = distances.gather(1, depth[:, None] - 1)
    inside, tied = distances < last, distances == last
    share = (depth - inside.sum(dim=1)) / tied.sum(dim=1).double()
    return (relevant & inside).sum(dim=1) + share * (relevant & tied).sum(dim=1)


def expected_average_precision(distances: Tensor, relevant: Tensor, depth: Tensor) -> Tensor:
    """Return the mean over the first ``depth`` places of precision at the place if its item is relevant, else 0.

    Within a group of ``g`` tied items, ``h`` of them relevant, each order is equally likely: place ``j`` of the group
    is relevant with probability ``h / g``, and then ``(j - 1) (h - 1) / (g - 1)`` of the group's earlier places are.
    """
    place = torch.arange(distances.shape[1], device=distances.device).expand_as(distances)
    edge = torch.ones_like(distances[:, :1], dtype=torch.bool)
    change = distances[:, 1:] != distances[:, :-1]
    first = torch.where(torch.cat([edge, change], dim=1), place, 0).cummax(dim=1).values
    final = torch.where(torch.cat([change, edge], dim=1), place, place.shape[1]).flip(1).cummin(dim=1).values.flip(1)
    found = torch.nn.functional.pad(relevant.double().cumsum(dim=1), (1, 0))  # found[:, i]: relevant before place i
    before, size = found.gather(1, first), (final - first + 1).double()
    hits = found.gather(1, final + 1) - before
    earlier = (place - first) * (hits - 1) / (size - 1).clamp(min=1)
    precision = hits / size * (before + 1 + earlier) / (place + 1)
    return torch.where(place < depth[:, None], precision, 0).sum(dim=1) / depth


def _blocks(
    embeddings: NDArray[Any] | Tensor, distance: Distance, parts: Sequence[NDArray[np.int64]]
) -> Iterator[Tensor]:
    if callable(distance):
        for part in parts:
            values = torch.as_tensor(distance(embeddings[part], embeddings))
            if values.shape != (len(part), len(embeddings)):
                expected = "one value per query of the block and item"
                raise shape_error("distance", expected, {"values": values.shape, "block": (len(part), len(embeddings))})
            if not torch.isfinite(values).all():
                raise value_error("distance", "finite values", "NaN or infinity")
            yield values.to(torch.float64 if values.dtype == torch.float64 else torch.float32, copy=True)
        return
    points = embeddings if isinstance(embeddings, Tensor) else torch.from_numpy(np.array(embeddings, dtype=np.float64))
    points = points.double()
    if distance == "snr":
        points = points - points.mean(dim=1, keepdim=True)
    if distance == "cosine":
        points = torch.nn.functional.normalize(points, dim=1, eps=0)
    for part in parts:
        if distance in ("cosine", "dot"):
            # One query at a time: a matrix product may round equal rows differently, and they must tie.
            yield torch.stack([-(points * points[query]).sum(dim=1) for query in part])
        else:
            yield torch.cdist(points[part], points, compute_mode="donot_use_mm_for_euclid_dist")
