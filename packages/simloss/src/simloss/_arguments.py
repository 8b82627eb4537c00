"""Checks of arguments that several functions share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ._core import shape_error, type_error, value_error

if TYPE_CHECKING:
    from torch.types import Device


def positive_integer(argument: str, value: object) -> int:
    """Return ``value`` if it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise type_error(argument, "a whole number", value)
    if value < 1:
        raise value_error(argument, "a whole number of at least 1", value)
    return int(value)


def check_tensor(argument: str, value: object, expected: str = "a tensor") -> None:
    """Raise unless ``value`` is a real tensor that is not sparse."""
    if not isinstance(value, Tensor):
        raise type_error(argument, expected, value)
    if value.layout != torch.strided:
        raise value_error(argument, f"{expected} that is not sparse", str(value.layout))
    if value.is_complex():
        raise value_error(argument, "real numbers", str(value.dtype))


def check_values(argument: str, value: object, expected: str = "a tensor") -> None:
    """Raise unless ``value`` is such a tensor and its values can be read."""
    check_tensor(argument, value, expected)
    if isinstance(value, Tensor) and value.is_meta:
        raise value_error(argument, f"{expected} with values", "one on the device meta")


def check_ignore_index(value: object) -> None:
    """Raise unless ``value`` is a whole number that a tensor of class indices can hold."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise type_error("ignore_index", "a whole number", value)
    if not -(2**63) <= int(value) < 2**63:
        raise value_error("ignore_index", "a whole number of 64 bits", value)


def share(argument: str, value: object, *, closed: bool = False) -> float:
    """Return ``value`` if it is a number in ``[0, 1)``, or in ``[0, 1]`` when ``closed``."""
    interval = "[0, 1]" if closed else "[0, 1)"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise type_error(argument, f"a number in {interval}", value)
    number = float(value)
    if not (0 <= number < 1 or (closed and number == 1)):
        raise value_error(argument, f"a number in {interval}", value)
    return number


def floating_matrix(argument: str, value: Any, *, device: Device = None) -> Tensor:
    """Return ``value`` as a finite floating-point matrix ``(n, d)`` without empty sides."""
    try:
        # torch.as_tensor would warn about arrays that are read-only, as those of pandas and gensim are.
        matrix = value.to(device) if isinstance(value, Tensor) else torch.tensor(value, device=device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise type_error(argument, "a matrix of numbers", value) from error
    check_values(argument, matrix, "a matrix of numbers")
    if matrix.ndim != 2 or matrix.numel() == 0:
        raise shape_error(argument, "a matrix (rows, columns)", {argument: matrix.shape})
    if not matrix.is_floating_point():
        matrix = matrix.to(torch.float32)
    bad = (~matrix.isfinite()).any(1).nonzero().flatten().tolist()
    if bad:
        raise value_error(argument, "finite numbers", f"NaN or infinity in row {bad[0]} ({len(bad)} such rows)")
    return matrix


def square_matrix(argument: str, value: Any, *, device: Device = None) -> Tensor:
    """Return ``value`` as a finite floating-point matrix ``(c, c)``."""
    matrix = floating_matrix(argument, value, device=device)
    if matrix.shape[0] != matrix.shape[1]:
        raise shape_error(argument, "a square matrix (classes, classes)", {argument: matrix.shape})
    return matrix


def name_list(argument: str, names: object) -> list[str]:
    """Return ``names`` as a list of distinct strings, at least one."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise type_error(argument, "a sequence of class names", names)
    listed = list(names)
    for name in listed:
        if not isinstance(name, str):
            raise type_error(argument, "class names as strings", name)
    check_distinct(argument, listed)
    return listed


def check_distinct(argument: str, entries: Sequence[object]) -> None:
    """Raise unless there are entries and no two of them are equal."""
    if not entries:
        raise value_error(argument, "at least one entry", "none")
    repeated = [name for name, count in Counter(entries).items() if count > 1]
    if repeated:
        raise value_error(argument, "distinct entries", f"{quoted(repeated)} more than once")


def quoted(names: Iterable[object]) -> str:
    """Return names as they appear in a message: ``'rose', 'tulip'``."""
    return ", ".join(map(repr, names))
