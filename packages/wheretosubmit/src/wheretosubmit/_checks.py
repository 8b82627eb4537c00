"""Checks of arguments."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from ._core import type_error, value_error


def check_type(name: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Refuse what is of another type."""
    if not isinstance(value, kind):
        raise type_error(name, expected, value)


def positive(name: str, value: object) -> None:
    """Refuse what is not a positive integer."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise value_error(name, "a positive integer", value)


def check_seed(seed: object) -> None:
    """Refuse what is no seed of numpy."""
    if not isinstance(seed, Integral) or seed < 0:
        raise value_error("seed", "an integer of at least 0", seed)


def share(name: str, value: object) -> None:
    """Refuse what is not a number from 0 to below 1."""
    if not isinstance(value, Real) or not 0 <= float(value) < 1:
        raise value_error(name, "a number from 0 to below 1", value)


def as_list(name: str, values: Any, expected: str) -> list[Any]:
    """Return what a sequence holds; a single string and a mapping are none."""
    try:
        items = list(values)
    except TypeError as error:
        raise type_error(name, expected, values) from error
    if isinstance(values, (str, bytes, Mapping)):
        raise type_error(name, expected, values)
    return items


def as_strings(name: str, values: Any) -> list[str]:
    """Return a sequence of strings as a list."""
    strings = as_list(name, values, "a sequence of strings")
    for string in strings:
        check_type(name, string, str, "a sequence of strings")
    return strings


def as_numbers(name: str, values: Any) -> list[float]:
    """Return a sequence of numbers as a list of floats."""
    numbers = as_list(name, values, "a sequence of numbers")
    try:
        return [float(number) for number in numbers]
    except (OverflowError, TypeError, ValueError) as error:
        raise TypeError(str(value_error(name, "numbers", str(error)))) from error
