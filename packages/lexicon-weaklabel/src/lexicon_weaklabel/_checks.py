"""Checks of arguments, and of what makes a lexicon."""

from __future__ import annotations

import math
import os
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._core import type_error, value_error


def check_type(argument: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Raise an error for a value of another type."""
    if not isinstance(value, kind):
        raise type_error(argument, expected, value)


def check_count(argument: str, value: object) -> None:
    """Raise an error for what is no positive integer."""
    if value is True or not isinstance(value, Integral) or value < 1:
        raise value_error(argument, "an integer of at least 1", value)


def check_counts(**values: object) -> None:
    """Raise an error for the first argument that is no positive integer."""
    for argument, value in values.items():
        check_count(argument, value)


def check_share(argument: str, value: object) -> None:
    """Raise an error for what is no number from 0 to 1."""
    check_number(argument, value, "a number from 0 to 1")
    if not 0 <= value <= 1:  # type: ignore[operator]
        raise value_error(argument, "a number from 0 to 1", value)


def check_finite(argument: str, value: object, *, zero: bool) -> None:
    """Raise an error for what is no finite number above 0, or of at least 0 where ``zero`` is allowed."""
    expected = f"a finite number {'of at least' if zero else 'above'} 0"
    check_number(argument, value, expected)
    if not 0 <= value < math.inf or (value == 0 and not zero):  # type: ignore[operator]
        raise value_error(argument, expected, value)


def check_path(argument: str, value: object) -> None:
    """Raise an error for what names no file."""
    check_type(argument, value, (str, os.PathLike), "a path")


def check_seed(seed: object, below: float = math.inf) -> None:
    """Raise an error for a seed that numpy, or what takes only those ``below`` a limit, does not take."""
    if not isinstance(seed, Integral) or seed < 0 or not seed < below:
        limit = "" if below == math.inf else f" and below {below}"
        raise value_error("seed", f"an integer of at least 0{limit}", seed)


def check_number(argument: str, value: object, expected: str) -> None:
    """Raise an error for what is no real number."""
    check_type(argument, value, Real, expected)


def checked_numbers(argument: str, values: Any) -> NDArray[np.float64]:
    """Return a copy of the values as an array of numbers."""
    try:
        return np.array(values, dtype=float)
    except (OverflowError, TypeError, ValueError) as error:
        raise TypeError(str(value_error(argument, "numbers", str(error)))) from error


def checked_tuple(argument: str, values: Any, expected: str = "a sequence of strings") -> tuple[Any, ...]:
    """Return what a sequence holds; a single string is none."""
    try:
        items = tuple(values)
    except TypeError:
        items = None
    if items is None or isinstance(values, (str, bytes)):
        raise type_error(argument, expected, values)
    return items


def checked_strings(argument: str, values: Any) -> tuple[str, ...]:
    """Return a sequence of strings as a tuple."""
    strings = checked_tuple(argument, values)
    for string in strings:
        check_type(argument, string, str, "a sequence of strings")
    return strings


def checked_classes(classes: Any) -> tuple[str, ...]:
    """Return the names of the classes as a tuple."""
    names = checked_strings("classes", classes)
    if len(names) < 2 or len(set(names)) < len(names):
        raise value_error("classes", "two different names or more", names)
    return names


def checked_tokens(entries: Any) -> tuple[str, ...]:
    """Return the entries of a lexicon: strings, none of them empty or repeated."""
    tokens = checked_strings("tokens", entries)
    if not tokens:
        raise value_error("tokens", "one entry or more", "none")
    for token in tokens:
        if not token.strip():
            raise value_error("tokens", "no empty entries", token)
    rows = {token: row for row, token in enumerate(tokens)}
    if len(rows) < len(tokens):
        repeated = [token for row, token in enumerate(tokens) if rows[token] != row]
        raise value_error("tokens", "each entry once", f"{len(repeated)} repeated: {repeated[:5]}")
    return tokens


def checked_probabilities(
    probabilities: ArrayLike, tokens: tuple[str, ...], classes: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return the distributions as an array ``(n, K)``."""
    values = checked_numbers("probabilities", probabilities)
    if values.shape != (len(tokens), len(classes)):
        raise value_error("probabilities", f"shape {(len(tokens), len(classes))}, one row per token", values.shape)
    # Three printed digits per probability may miss 1 by this much.
    wrong = np.flatnonzero(~((values >= 0).all(1) & (np.abs(values.sum(1) - 1) <= 2e-3)))
    if wrong.size:
        row = wrong[0]
        expected = "non-negative numbers that sum to 1"
        raise value_error(f"probabilities of {tokens[row]!r}", expected, f"{values[row].tolist()}")
    return values
