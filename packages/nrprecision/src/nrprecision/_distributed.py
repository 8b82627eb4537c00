"""Queries shared out among processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

PerQuery = NDArray[np.float64]


def over_shards(process_group: Any, queries: int, score: Callable[[NDArray[np.int64]], PerQuery]) -> PerQuery:
    """Return ``score`` of all queries, each scored by one process of the group and known to all.

    Args:
        process_group: a ``torch.distributed`` group whose processes all make this call; None for no sharing.
        queries: number of queries.
        score: takes the positions of some queries and returns their ``(k, positions)`` scores.
    """
    if process_group is None:
        return score(np.arange(queries))
    positions = np.arange(dist.get_rank(process_group), queries, dist.get_world_size(process_group))
    own = score(positions)
    scores = np.zeros((len(own), queries))
    scores[:, positions] = own
    device = "cuda" if dist.get_backend(process_group) == "nccl" else "cpu"
    total = torch.from_numpy(scores).to(device)
    dist.all_reduce(total, group=process_group)
    return np.asarray(total.cpu().numpy())
