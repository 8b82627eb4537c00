"""Checks of arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from ._core import type_error, value_error


def check_type(name: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Refuse what is of another type."""
    if not isinstance(value, kind):
        raise type_error(name, expected, value)


def choice(name: str, value: object, options: Iterable[str]) -> None:
    """Refuse what is none of the options."""
    if not isinstance(value, str) or value not in options:
        raise value_error(name, " or ".join(map(repr, options)), value)


def as_path(name: str, value: Any) -> Path:
    """Return a path that a file can have."""
    check_type(name, value, (str, os.PathLike), "a path")
    try:
        encoded = os.fsencode(value)
    except UnicodeEncodeError as error:
        raise value_error(name, "a path", value) from error
    if not encoded or b"\0" in encoded:
        raise value_error(name, "a path", value)
    return Path(os.fsdecode(encoded))


def positive(name: str, value: object) -> int:
    """Return a positive integer as Python's own."""
    if (number := _integer(value)) < 1:
        raise value_error(name, "a positive integer", value)
    return number


def check_seed(seed: object) -> int:
    """Return a seed as Python's own integer."""
    if not 0 <= (number := _integer(seed)) < 2**63:
        raise value_error("seed", "an integer from 0 to below 2 ** 63", seed)
    return number


def share(name: str, value: object) -> float:
    """Return a number from 0 to below 1 as Python's own."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < 1:
        raise value_error(name, "a number from 0 to below 1", value)
    return float(value)


def _integer(value: object) -> int:
    """Return an integer of any kind, or -1 for anything else."""
    return -1 if isinstance(value, bool) or not isinstance(value, Integral) else int(value)


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
