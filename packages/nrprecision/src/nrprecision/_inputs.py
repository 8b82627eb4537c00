"""Checks of the arguments that all functions share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._core import shape_error, type_error, value_error
from ._distances import row_chunks

Array = NDArray[Any]


def check_embeddings(embeddings: Any, *, normalize: bool) -> Array | torch.Tensor:
    """Return finite ``(n, d)`` floats of single or double precision: a CUDA tensor stays one, all else is an array.

    Half precision becomes single, integers become double. An array, memory-mapped or not, is copied only then.
    """
    points: Array | torch.Tensor
    if isinstance(embeddings, torch.Tensor):
        check_readable("embeddings", embeddings)
        if embeddings.dtype in (torch.float16, torch.bfloat16):
            embeddings = embeddings.float()
        points = embeddings.detach() if embeddings.is_cuda else embeddings.detach().cpu().numpy()
    else:
        points = np.asarray(embeddings)
    if points.ndim != 2 or len(points) < 2 or points.shape[1] < 1:
        raise shape_error("embeddings", "(n, d) with at least two items", {"embeddings": points.shape})
    if isinstance(points, torch.Tensor):
        points = points if points.dtype == torch.float32 else points.double()
    elif points.dtype.kind not in "fiu":
        raise type_error("embeddings", "real numbers", points.flat[0])
    elif points.dtype != np.float32:
        points = points.astype(np.float32 if points.dtype == np.float16 else np.float64, copy=False)
    for rows in row_chunks(points):
        part: Any = points[rows]
        finite = (torch.isfinite if isinstance(part, torch.Tensor) else np.isfinite)(part).all(1)
        if not finite.all():
            row = rows.start + finite.tolist().index(False)
            raise value_error("embeddings", "finite numbers", f"NaN or infinity in row {row}")
    return _normalized(points) if normalize else points


def check_readable(argument: str, tensor: torch.Tensor) -> None:
    """Raise unless the values of a tensor can be read: it is not sparse and not on the device meta."""
    if tensor.layout != torch.strided or tensor.is_meta:
        raise value_error(argument, "a dense tensor with values", f"one of {tensor.layout} on {tensor.device}")


def _normalized(points: Array | torch.Tensor) -> Array | torch.Tensor:
    norms: Any
    normalized: Array | torch.Tensor
    if isinstance(points, torch.Tensor):
        points = points.double()
        norms = torch.linalg.vector_norm(points, dim=1, keepdim=True)
    else:
        points = points.astype(np.float64)
        norms = np.linalg.norm(points, axis=1, keepdims=True)
    if (norms == 0).any():
        row = norms[:, 0].tolist().index(0)
        raise value_error("embeddings", "rows of positive norm for normalize_embeddings=True", f"row {row} without")
    normalized = points / norms
    return normalized


def check_queries(queries: Any, n: int, *, seed: int | None, sharded: bool) -> NDArray[np.int64]:
    """Return the rows to query: all, the given ones, or a random sample of the given size."""
    if queries is None:
        return np.arange(n)
    if isinstance(queries, (int, np.integer)) and not isinstance(queries, bool):
        if not 1 <= queries <= n:
            raise value_error("queries", f"a number from 1 to {n}", int(queries))
        if sharded and seed is None:
            raise value_error("seed", "a number, so that all processes draw the same queries", None)
        check_seed(seed)
        return np.sort(np.random.default_rng(seed).choice(n, int(queries), replace=False))
    indices = np.asarray(queries.cpu() if isinstance(queries, torch.Tensor) else queries)
    if indices.ndim != 1 or not len(indices) or indices.dtype.kind not in "iu":
        raise value_error("queries", "a number or a list of row indices", f"{indices.dtype} {indices.shape}")
    if indices.min() < 0 or indices.max() >= n:
        raise value_error("queries", f"row indices from 0 to {n - 1}", f"{indices.min()} to {indices.max()}")
    return indices.astype(np.int64)


def check_seed(seed: object) -> None:
    """Raise unless ``seed`` is None or a whole number that is not negative."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
        raise value_error("seed", "a whole number that is not negative, or None", seed)


def check_positive(argument: str, value: int | None) -> None:
    """Raise unless ``value`` is None or a positive whole number."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise type_error(argument, "a positive whole number", value)
    if value < 1:
        raise value_error(argument, "a positive whole number", value)
