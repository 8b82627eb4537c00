"""Maps and masks as numpy or torch in, the same out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._core import shape_error, type_error, value_error

Array = TypeVar("Array", Tensor, NDArray[Any])


def over_maps(function: Callable[[Tensor, Tensor], Tensor], **maps: Array) -> Array:
    """Apply a function of two batches ``(n, h, w)`` to two named arguments, one map ``(h, w)`` each or many.

    The function receives floating-point tensors of float32 at least and returns a tensor whose first axis, if any, is
    the batch; that axis is dropped again for single maps. The result is what came in: a tensor, or numpy.
    """
    (first, a), (second, b) = maps.items()
    left, right = checked(first, a), checked(second, b)
    if isinstance(a, Tensor) != isinstance(b, Tensor):
        raise type_error(second, f"the type of {first}, {type(a).__name__}", b)
    if left.shape != right.shape or left.ndim not in (2, 3) or 0 in left.shape:
        expected = "two maps (h, w) or two batches (n, h, w) of the same shape"
        raise shape_error(second, expected, {first: left.shape, second: right.shape})
    common = torch.promote_types(left.dtype, right.dtype)
    single = left.ndim == 2
    left, right = (images[None].to(common) if single else images.to(common) for images in (left, right))
    result = function(left, right)
    if not finite(result):
        highest = max(float(images.abs().max()) for images in (left, right))
        raise value_error(f"{first} and {second}", "values whose squares are finite", f"values up to {highest:g}")
    if single and result.ndim:
        result = result[0]
    return result if isinstance(a, Tensor) else result.numpy()[()]


def dense(argument: str, tensor: object) -> Tensor:
    """Return a tensor detached, or raise the error for what is no tensor whose real numbers lie in memory."""
    if not isinstance(tensor, Tensor):
        raise type_error(argument, "a tensor", tensor)
    unusual = tensor.is_meta or tensor.is_complex() or tensor.is_quantized or tensor.is_nested
    # Floating-point numbers of one byte are for storage; torch does not compute with them.
    if tensor.layout != torch.strided or unusual or (tensor.is_floating_point() and tensor.element_size() == 1):
        kind = "nested " if tensor.is_nested else ""
        got = f"{kind}{tensor.dtype} of layout {tensor.layout} on {tensor.device}"
        raise value_error(argument, "a dense tensor of real numbers", got)
    return tensor.detach()


def finite(tensor: Tensor) -> bool:
    """Return whether all values are finite, much faster than ``isfinite().all()``."""
    if tensor.numel() == 0:
        return True
    lowest, highest = tensor.aminmax()
    return bool(lowest * 0 == highest * 0)  # infinity times zero is NaN, which equals nothing


def number(argument: str, value: object) -> float:
    """Return a real number as float, or raise the error for anything else."""
    if not isinstance(value, Real):
        raise type_error(argument, "a number", value)
    return float(value)


def whole(argument: str, value: object, *, least: int) -> int:
    """Return a whole number of at least ``least``, or raise the error for anything else."""
    if not isinstance(value, Integral) or value < least:
        raise value_error(argument, f"a whole number of at least {least}", value)
    return int(value)


def flag(argument: str, value: object) -> bool:
    """Return True or False, or raise the error for anything else."""
    if not isinstance(value, (bool, np.bool_)):
        raise type_error(argument, "True or False", value)
    return bool(value)


def listed(argument: str, values: Any) -> list[str]:
    """Return a sequence of names as a list, or raise the error for anything else, also for a single name."""
    sequence = isinstance(values, (Sequence, Set)) and not isinstance(values, (str, bytes))
    if not sequence or not all(isinstance(value, str) for value in values):
        raise type_error(argument, "a sequence of names", values)
    return list(values)


def mapped(argument: str, values: object) -> Mapping[str, Any]:
    """Return a mapping from names, or raise the error for anything else."""
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise type_error(argument, "a mapping from names", values)
    return values


def checked(argument: str, array: object) -> Tensor:
    """Return a tensor of finite floating-point numbers, of float32 at least."""
    if isinstance(array, np.ndarray) and array.dtype.kind not in "buif":
        raise value_error(argument, "an array of real numbers", f"one of {array.dtype}")
    if not isinstance(array, (Tensor, np.ndarray)):
        raise type_error(argument, "a tensor or a numpy array", array)
    tensor = dense(argument, array if isinstance(array, Tensor) else torch.from_numpy(_native(array)))
    if not tensor.is_floating_point() or tensor.dtype in (torch.float16, torch.bfloat16):
        tensor = tensor.float()
    if not finite(tensor):
        raise value_error(argument, "finite values", "NaN or infinity")
    return tensor


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy that torch takes: writable, no negative strides, this machine's byte order, float64 at most."""
    wide = array.dtype.kind == "f" and array.dtype.itemsize > 8
    return np.array(array, dtype=np.float64 if wide else array.dtype.newbyteorder("="))


def nonnegative(argument: str, maps: Tensor) -> None:
    """Raise a ``ValueError`` when a map has values below zero."""
    if (maps < 0).any():
        raise value_error(argument, "values of at least 0", "negative ones")
