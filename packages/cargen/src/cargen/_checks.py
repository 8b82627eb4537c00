"""Checks that several modules share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ._core import type_error, value_error


def whole_number(argument: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    """Return a number that is whole and within its limits.

    Raises:
        ValueError: it is not.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < minimum or (maximum is not None and value > maximum):
        limits = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise value_error(argument, f"a whole number, {limits}", value)
    return int(value)


def items(argument: str, value: Any, expected: str) -> list[Any]:
    """Return what a sequence, an array or any other iterable but a text or a mapping holds.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        raise type_error(argument, expected, value)
    return [*value]


def mapping(argument: str, value: Any, expected: str) -> Mapping[Any, Any]:
    """Return a mapping.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, Mapping):
        raise type_error(argument, expected, value)
    return value


def location(argument: str, value: Any) -> Path:
    """Return the path of a file or a folder.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str | os.PathLike):
        raise type_error(argument, "a path", value)
    return Path(value)
