"""Checks of single arguments: each returns what it was given, or raises an error that says what was expected."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._core import type_error, value_error

T = TypeVar("T")


def check_type(argument: str, value: Any, kind: type[T], wanted: str) -> T:
    """Return ``value``, an instance of ``kind``."""
    if not isinstance(value, kind):
        raise type_error(argument, wanted, value)
    return value


def check_text(argument: str, value: Any, wanted: str = "a text") -> str:
    """Return a text."""
    return check_type(argument, value, str, wanted)


def check_flag(argument: str, value: Any, *, optional: bool = False) -> bool | None:
    """Return True or False, or None where that is allowed."""
    if not isinstance(value, (bool, np.bool_)) and not (optional and value is None):
        raise type_error(argument, "True, False or None" if optional else "True or False", value)
    return value  # type: ignore[return-value]


def check_choice(argument: str, value: Any, choices: Collection[str]) -> str:
    """Return one of the texts."""
    if not isinstance(value, str) or value not in choices:
        raise value_error(argument, f"one of {', '.join(choices)}", _shown(value))
    return value


def check_number(
    argument: str, value: Any, *, above: float = -math.inf, minimum: float = -math.inf, maximum: float = math.inf
) -> float:
    """Return a finite number within the bounds, as Python's own: a numpy integer would overflow at its few bits."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise type_error(argument, "a number", value)
    bounds = [f"above {above:g}"] if above > -math.inf else [f"of at least {minimum:g}"] if minimum > -math.inf else []
    bounds += [f"at most {maximum:g}"] if maximum < math.inf else []
    wanted = f"a number {', '.join(bounds)}" if bounds else "a finite number"
    number: float = value.item() if isinstance(value, np.generic) else value
    if not abs(number) <= sys.float_info.max or not (above < number and minimum <= number <= maximum):
        raise value_error(argument, wanted, _shown(number))
    return number


def check_whole(argument: str, value: Any, *, minimum: int = 0, maximum: int = 2**63 - 1) -> int:
    """Return a whole number within the bounds."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise type_error(argument, "a whole number", value)
    if isinstance(value, (float, np.floating)) or not minimum <= value <= maximum:
        to = f"from {minimum} to {maximum}" if maximum < 2**63 - 1 else f"of at least {minimum}"
        raise value_error(argument, f"a whole number {to}", _shown(value))
    return operator.index(value)


def check_values(argument: str, values: Any, wanted: str = "a sequence of values") -> tuple[Any, ...]:
    """Return the values of a sequence or another iterable that is neither a text nor a mapping."""
    if isinstance(values, (str, bytes, bytearray, Mapping)) or not isinstance(values, Iterable):
        raise type_error(argument, wanted, values)
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise value_error(argument, wanted, f"an array of shape {values.shape}")
        return tuple(values.tolist())
    return tuple(values)


def check_numbers(argument: str, values: Any) -> NDArray[np.float64]:
    """Return finite numbers as an array of any shape."""
    try:
        array = np.asarray(values)
        numbers = array.astype(np.float64) if array.dtype.kind in "biuf" else None
    except (TypeError, ValueError, OverflowError):
        numbers = None
    if numbers is None:
        raise type_error(argument, "numbers", values)
    if not np.isfinite(numbers).all():
        raise value_error(argument, "finite numbers", "NaN or infinity")
    return numbers


def check_path(argument: str, path: Any) -> Path:
    """Return a path of the file system."""
    if not isinstance(path, (str, os.PathLike)) or not isinstance(text := os.fspath(path), str):
        raise type_error(argument, "a path", path)
    if not text or "\0" in text:
        raise value_error(argument, "a path, not empty and without a null character", repr(text))
    return Path(text)


def _shown(value: Any) -> str:
    """Return a value as one line."""
    return " ".join(repr(value).split())
