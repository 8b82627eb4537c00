"""Mean Average Precision at R, exactly."""

from __future__ import annotations

import torch
from torch import Tensor

from ._core import shape_error, value_error
from ._images import dense

_CHUNK = 1024


def map_at_r(embeddings: Tensor, labels: Tensor) -> float:
    r"""Return the Mean Average Precision at R of a retrieval within one set.

    .. math:: \frac{1}{R} \sum_{i=1}^{R} P(i) \cdot [\text{the } i\text{-th neighbour is of the class of the query}]

    R is the number of other items of the query's class and P(i) the precision of the first i neighbours by Euclidean
    distance. Queries that are alone in their class leave the mean.

    Args:
        embeddings: ``(n, d)``, finite.
        labels: ``(n,)`` classes.

    Returns:
        The mean over the queries, in [0, 1].

    Raises:
        ValueError: shapes do not fit, embeddings are not finite, or every item is alone in its class.

    Example:
        >>> map_at_r(torch.tensor([[0.0], [1.0], [4.0], [9.0]]), torch.tensor([0, 0, 1, 1]))
        0.75

    Reference:
        Musgrave et al., "A metric learning reality check" (2020); Chapter 11, Section 11.1.1.
    """
    embeddings, labels = dense("embeddings", embeddings), dense("labels", labels)
    if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
        raise shape_error(
            "embeddings", "(n, d) with (n,) labels", {"embeddings": embeddings.shape, "labels": labels.shape}
        )
    embeddings = embeddings.float()
    if not embeddings.isfinite().all():
        raise value_error("embeddings", "finite values", "NaN or infinity")
    labels = labels.to(embeddings.device)
    _, classes, counts = torch.unique(labels, return_inverse=True, return_counts=True)
    relevant = counts[classes] - 1
    if not (relevant > 0).any():
        raise value_error("labels", "a class with at least two items", f"{len(labels)} items of {len(counts)} classes")
    rank = torch.arange(1, int(relevant.max()) + 1, device=labels.device)
    # Near 0 a squared distance is a difference of large numbers; centred embeddings keep more digits of it.
    embeddings = embeddings - embeddings.mean(0)
    squares = embeddings.square().sum(1)
    total = torch.zeros((), device=labels.device)
    for rows in torch.split(torch.arange(len(labels), device=labels.device), _CHUNK):
        distances = squares - 2 * embeddings[rows] @ embeddings.T
        distances[torch.arange(len(rows), device=labels.device), rows] = torch.inf
        neighbours = distances.topk(len(rank), largest=False).indices
        hits = (labels[neighbours] == labels[rows, None]) & (rank <= relevant[rows, None])
        precision = hits.cumsum(1) / rank
        total += ((precision * hits).sum(1) / relevant[rows].clamp_min(1)).sum()
    return float(total / (relevant > 0).sum())
