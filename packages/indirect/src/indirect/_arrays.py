"""Embeddings in, and back out as the type they came in."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
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
        rows = _with_values(argument, embeddings)
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


def label_codes(argument: str, labels: Any, rows: int) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct labels, the number of each row's label among them, and how often each occurs.

    Raises:
        TypeError: labels that cannot be sorted.
        ValueError: another number of labels than rows.
    """
    if isinstance(labels, Tensor):
        labels = _with_values(argument, labels).detach().cpu()
    try:
        array = np.asarray(labels)
        found = np.unique(array, return_inverse=True, return_counts=True)
    except (TypeError, ValueError) as error:
        raise type_error(argument, "labels of one kind, one per row", labels) from error
    if array.shape != (rows,):
        raise shape_error(argument, "one label per row", {argument: array.shape, "rows": (rows,)})
    return found


def listed(argument: str, expected: str, given: Any) -> list[Any]:
    """Return what was given as a list, after checking that it is one and not empty."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise type_error(argument, expected, given)
    if not (items := list(given)):
        raise value_error(argument, "at least one", given)
    return items


def seed_of(argument: str, value: Any) -> int:
    """Return ``value`` after checking that it is a seed that torch and scikit-learn both take."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise type_error(argument, "a whole number", value)
    if not 0 <= value < 2**32:
        raise value_error(argument, "a whole number from 0 to 2**32 - 1", value)
    return int(value)


def known_device(argument: str, value: Any) -> torch.device | None:
    """Return the device, or None, after checking that tensors can be made there."""
    if value is None:
        return None
    try:
        device = torch.device(value)
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise value_error(argument, "a device that torch finds, such as 'cpu' or 'cuda'", repr(value)) from error
    if device.type == "meta":
        raise value_error(argument, "a device that holds values", repr(value))
    return device


def _with_values(argument: str, tensor: Tensor) -> Tensor:
    if tensor.is_meta or tensor.layout != torch.strided:
        kind = "one on the device meta" if tensor.is_meta else str(tensor.layout)
        raise value_error(argument, "a dense tensor with values", kind)
    return tensor


def positive_number(argument: str, value: Any) -> float:
    """Return ``value`` after checking that it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise type_error(argument, "a number", value)
    if not 0 < value <= sys.float_info.max:
        raise value_error(argument, "a positive number", value)
    return float(value)


def positive_integer(argument: str, value: Any) -> int:
    """Return ``value`` after checking that it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise type_error(argument, "a whole number", value)
    if value < 1:
        raise value_error(argument, "a whole number of at least 1", value)
    return int(value)
