"""Arrays and tensors: checked on the way in, given back as what they came in."""

from __future__ import annotations

from numbers import Real
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ._core import shape_error, type_error, value_error

Array: TypeAlias = Any  # a numpy array or a tensor; numpy is no dependency of this package


def is_array(value: object) -> bool:
    """Return whether ``value`` is a tensor or a numpy array, and not a list of images."""
    return isinstance(value, Tensor) or (hasattr(value, "__array_interface__") and hasattr(value, "ndim"))


def dense(argument: str, tensor: object) -> Tensor:
    """Return a tensor as it is, or raise the error for what is no tensor whose real numbers lie in memory."""
    if not isinstance(tensor, Tensor):
        raise type_error(argument, "a tensor", tensor)
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_complex():
        got = f"{tensor.dtype} of layout {tensor.layout} on {tensor.device}"
        raise value_error(argument, "a dense tensor of real numbers", got)
    return tensor


def as_number(argument: str, value: object) -> float:
    """Return a real number as float, or raise the error for anything else."""
    if not isinstance(value, Real):
        raise type_error(argument, "a number", value)
    return float(value)


def as_numbers(argument: str, value: Array) -> Tensor:
    """Return a finite real tensor of at least single precision."""
    if not getattr(getattr(value, "flags", None), "writeable", True):
        value = value.copy()  # torch warns of arrays that are mapped from a file for reading
    try:
        given = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise type_error(argument, "an array of numbers", value) from error
    numbers = dense(argument, given).detach()
    numbers = numbers.to(torch.promote_types(numbers.dtype, torch.float32))
    if not torch.isfinite(numbers).all():
        raise value_error(argument, "finite numbers", "NaN or infinity")
    return numbers


def as_vector(argument: str, value: Array) -> Tensor:
    """Return a finite tensor ``(n,)`` with at least one entry."""
    numbers = as_numbers(argument, value)
    if numbers.ndim != 1 or not len(numbers):
        raise shape_error(argument, "(n,) with n >= 1", {argument: numbers.shape})
    return numbers


def as_matrix(argument: str, value: Array) -> Tensor:
    """Return a finite tensor ``(n, d)`` with at least one row and one column."""
    numbers = as_numbers(argument, value)
    if numbers.ndim != 2 or not numbers.numel():
        raise shape_error(argument, "(n, d) with n >= 1 and d >= 1", {argument: numbers.shape})
    return numbers


def unit_rows(argument: str, matrix: Tensor) -> Tensor:
    """Divide each row by its length; a row of zeros is an error that names it."""
    lengths = torch.linalg.vector_norm(matrix, dim=1, keepdim=True)
    if (lengths == 0).any():
        row = (lengths[:, 0] == 0).nonzero()[0].item()
        raise value_error(argument, "rows of positive length", f"zeros in row {row}")
    unit: Tensor = matrix / lengths
    return unit


def given_back(result: Tensor, example: object) -> Array:
    """Return ``result`` as a numpy array where ``example`` is one, else as the tensor that it is."""
    given: Array = result.cpu().numpy() if is_array(example) and not isinstance(example, Tensor) else result
    return given
