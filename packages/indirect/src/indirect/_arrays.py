"""Embeddings in, and back out as the type they came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._core import shape_error, type_error, value_error


def to_tensor(argument: str, embeddings: Any, *, columns: int | None = None) -> Tensor:
    """Return embeddings ``(n, r)`` as floats of single or double precision, after checking them.

    Args:
        argument: name for error messages.
        embeddings: tensor, or anything ``numpy.asarray`` takes. Half precision and integers become single precision.
        columns: the only number of columns allowed.

    Raises:
        TypeError: not numbers.
        ValueError: not two axes, no rows, the wrong number of columns, NaN or infinity, or a row of zeros.
    """
    if isinstance(embeddings, Tensor):
        rows = embeddings
    else:
        try:
            array = np.asarray(embeddings)
        except ValueError as error:
            raise value_error(argument, "rows of equal length", str(error)) from error
        if array.dtype.kind not in "fiu":
            raise type_error(argument, "an array or tensor of real numbers (n, r)", embeddings)
        # A memory-mapped array may be read-only, about which from_numpy warns.
        rows = torch.from_numpy(np.array(array, dtype=np.float64 if array.dtype == np.float64 else np.float32))
    if rows.ndim != 2 or not len(rows) or (columns is not None and rows.shape[1] != columns):
        raise shape_error(argument, f"(n, {columns or 'r'}) with n >= 1", {argument: rows.shape})
    if rows.is_complex():
        raise type_error(argument, "real numbers", embeddings)
    if rows.dtype != torch.float64:
        rows = rows.float()
    # One pass finds both: the length of a row is NaN or infinite if a number in it is.
    lengths = torch.linalg.vector_norm(rows.detach(), dim=1)
    wrong = ~lengths.isfinite() | (lengths == 0)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        kind = "zeros only" if lengths[row] == 0 else "NaN or infinity"
        raise value_error(argument, "finite rows of positive length", f"{kind} in row {row}")
    return rows


def like(result: Tensor, original: Any) -> Any:
    """Return a result as a tensor or an array, whichever ``original`` is; floats in its dtype, if that is one."""
    if isinstance(original, Tensor):
        return result.to(original.dtype) if result.is_floating_point() and original.is_floating_point() else result
    array = result.detach().cpu().numpy()
    dtype = getattr(original, "dtype", array.dtype)
    return array.astype(dtype, copy=False) if array.dtype.kind == dtype.kind == "f" else array


def positive_number(argument: str, value: Any) -> float:
    """Return ``value`` after checking that it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise type_error(argument, "a number", value)
    if not 0 < value < float("inf"):
        raise value_error(argument, "a positive number", value)
    return float(value)


def positive_integer(argument: str, value: Any) -> int:
    """Return ``value`` after checking that it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise type_error(argument, "a whole number", value)
    if value < 1:
        raise value_error(argument, "a whole number of at least 1", value)
    return int(value)
