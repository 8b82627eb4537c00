"""Exact nearest neighbours by cosine, for any number of rows."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from ._arrays import like, positive_integer, to_tensor

_BLOCK = 2**24  # cosines held at a time


def search(queries: Any, embeddings: Any, k: int = 10) -> tuple[Any, Any]:
    """Return the k most similar rows for each query, the most similar first, exactly.

    Args:
        queries: ``(m, d)``, array or tensor.
        embeddings: ``(n, d)``.
        k: number of neighbours; all n if there are fewer.

    Returns:
        Cosines ``(m, k)`` and row numbers ``(m, k)``: arrays or tensors as the queries are.

    Raises:
        ValueError: different dimensions, NaN or rows of zeros.

    Example:
        >>> import numpy as np
        >>> from indirect import search
        >>> cosines, rows = search(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]), k=2)
        >>> rows.tolist(), cosines.round(3).tolist()
        ([[1, 2]], [[1.0, 0.707]])
    """
    rows = F.normalize(to_tensor("embeddings", embeddings), dim=1)
    asked = F.normalize(to_tensor("queries", queries, columns=rows.shape[1]), dim=1).to(rows)
    k = min(positive_integer("k", k), len(rows))
    found = [(block @ rows.T).topk(k, dim=1) for block in asked.split(max(1, _BLOCK // len(rows)))]
    cosines, neighbours = torch.cat([top.values for top in found]), torch.cat([top.indices for top in found])
    return like(cosines, queries), like(neighbours, queries)
