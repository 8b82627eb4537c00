"""Checks of what makes a lexicon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._core import type_error, value_error


def checked_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the classes as a tuple."""
    names = tuple(classes)
    if isinstance(classes, str) or not all(isinstance(name, str) for name in names):
        raise type_error("classes", "a sequence of strings", classes)
    if len(names) < 2 or len(set(names)) < len(names):
        raise value_error("classes", "two different names or more", names)
    return names


def check_tokens(tokens: tuple[str, ...], rows: Mapping[str, int]) -> None:
    """Raise an error for entries that are no strings, empty or repeated."""
    if not tokens:
        raise value_error("tokens", "one entry or more", "none")
    for token in tokens:
        if not isinstance(token, str):
            raise type_error("tokens", "strings", token)
        if not token.strip():
            raise value_error("tokens", "no empty entries", token)
    if len(rows) < len(tokens):
        repeated = [token for row, token in enumerate(tokens) if rows[token] != row]
        raise value_error("tokens", "each entry once", f"{len(repeated)} repeated: {repeated[:5]}")


def checked_probabilities(
    probabilities: ArrayLike, tokens: tuple[str, ...], classes: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return the distributions as an array ``(n, K)``."""
    values = np.array(probabilities, dtype=float)
    if values.shape != (len(tokens), len(classes)):
        raise value_error("probabilities", f"shape {(len(tokens), len(classes))}, one row per token", values.shape)
    # Three printed digits per probability may miss 1 by this much.
    wrong = np.flatnonzero(~((values >= 0).all(1) & (np.abs(values.sum(1) - 1) <= 2e-3)))
    if wrong.size:
        row = wrong[0]
        expected = "non-negative numbers that sum to 1"
        raise value_error(f"probabilities of {tokens[row]!r}", expected, f"{values[row].tolist()}")
    return values
