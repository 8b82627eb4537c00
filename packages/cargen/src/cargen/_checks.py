"""Checks that several modules share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import value_error


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
