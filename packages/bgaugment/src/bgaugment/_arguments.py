"""Checks of arguments that are no images: counts, sizes, sequences, functions, paths and devices."""

from __future__ import annotations

import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch

from ._core import type_error, value_error


def check_whole(argument: str, value: object, least: int, most: float = float("inf")) -> None:
    """Raise the error for what is no whole number from ``least`` to ``most``."""
    if isinstance(value, bool) or not (isinstance(value, Integral) and least <= int(value) <= most):
        limit = f"of at least {least}" if most == float("inf") else f"from {least} to {most}"
        raise value_error(argument, f"a whole number {limit}", value)


def check_share(argument: str, value: object) -> None:
    """Raise the error for what is no number from 0 to 1."""
    if not (isinstance(value, Real) and 0 <= float(value) <= 1):
        raise value_error(argument, "a number from 0 to 1", value)


def check_size(size: object) -> None:
    """Raise the error for what is no height and width in pixels."""
    # A compiler knows no abstract numbers, but takes these.
    if not (isinstance(size, (tuple, list)) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
        raise value_error("size", "height and width of at least one pixel", size)


def check_function(argument: str, value: object) -> None:
    """Raise the error for what is neither None nor can be called."""
    if value is not None and not callable(value):
        raise type_error(argument, "a function or None", value)


def length(argument: str, value: Any) -> int:
    """Return the length of a sequence, or raise the error for what has none."""
    try:
        return len(value)
    except TypeError:
        raise type_error(argument, "a sequence", value) from None


def as_path(argument: str, value: object) -> Path:
    """Return a path as an object, or raise the error for what is none."""
    if not isinstance(value, (str, os.PathLike)):
        raise type_error(argument, "a path", value)
    if "\0" in str(value):
        raise value_error(argument, "a path", value)
    return Path(value)


def as_device(device: Any) -> torch.device:
    """Return a device by its name, or raise the error for what is none or is not here."""
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    # A torch without an accelerator says so by assertion.
    except (RuntimeError, TypeError, ValueError, AssertionError):
        raise value_error("device", "a torch device of this machine", device) from None
    return found
