"""Checks of arguments that several modules share."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._core import type_error, value_error

WHOLE, REAL = (int, np.integer), (int, float, np.integer, np.floating)
LARGEST_SIDE = 16_384  # pixels
LARGEST_SEED = 2**63 - 1


def whole_number(argument: str, value: Any, least: int, most: int | None = None) -> int:
    """Return a whole number within its limits."""
    if not isinstance(value, WHOLE) or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise value_error(argument, f"a whole number {limits}", value)
    return int(value)


def side(size: Any) -> int:
    """Return the side of an image."""
    if not isinstance(size, WHOLE) or not 1 <= size <= LARGEST_SIDE:
        raise value_error("size", f"a positive number of pixels, {LARGEST_SIDE} at most", size)
    return int(size)


def seed_number(seed: Any) -> int:
    """Return a seed that numpy and torch take."""
    return whole_number("seed", seed, 0, LARGEST_SEED)


def number(argument: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """Return a finite number within its limits."""
    if torch.compiler.is_compiling():  # a graph of any number has none to look at
        return float(value)
    if not isinstance(value, REAL) or not math.isfinite(value) or not least <= value <= most:
        limits = f" from {least:g} to {most:g}" if most < math.inf else f" of at least {least:g}"
        raise value_error(argument, f"a finite number{limits if least > -math.inf else ''}", value)
    return float(value)


def positive(argument: str, value: Any) -> float:
    """Return a finite number above zero."""
    if not isinstance(value, REAL) or not math.isfinite(value) or value <= 0:
        raise value_error(argument, "a positive number", value)
    return float(value)


def dense(argument: str, tensor: Any) -> Tensor:
    """Return a tensor of real numbers that lie in memory."""
    if not isinstance(tensor, Tensor):
        raise type_error(argument, "a tensor", tensor)
    if tensor.layout != torch.strided or tensor.is_complex() or tensor.is_meta:
        got = f"{tensor.dtype} of layout {tensor.layout} on {tensor.device}"
        raise value_error(argument, "a dense tensor of real numbers", got)
    return tensor


def generator_on(device: torch.device, generator: Any) -> torch.Generator | None:
    """Return a generator that can draw on a device, or None."""
    if generator is not None and not isinstance(generator, torch.Generator):
        raise type_error("generator", "a torch.Generator or None", generator)
    if generator is not None and generator.device.type != device.type:
        raise value_error("generator", f"one on {device}", f"one on {generator.device}")
    return generator


def names(argument: str, values: Any, known: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return one or more different names, of the known ones where these are given."""
    chosen = tuple(values) if isinstance(values, Collection) and not isinstance(values, bytes) else ()
    different = all(isinstance(name, str) for name in chosen) and len(set(chosen)) == len(chosen)
    if not chosen or not different or not (known is None or set(chosen) <= set(known)):
        raise value_error(argument, f"some of {tuple(known)}, each once" if known else "different names", values)
    return chosen


def one_of(argument: str, value: Any, known: Sequence[str]) -> None:
    """Check that a value is among the known ones."""
    if not isinstance(value, str) or value not in known:
        raise value_error(argument, f"one of {', '.join(known)}", repr(value))


def paths_of(argument: str, values: Any) -> list[Path]:
    """Return a list of paths."""
    listed = isinstance(values, Sequence) and not isinstance(values, (str, bytes))
    if not listed or not all(isinstance(path, (str, os.PathLike)) for path in values):
        raise type_error(argument, "a list of image files", values)
    return [Path(path) for path in values]


def real_array(argument: str, values: Any) -> NDArray[np.float64]:
    """Return an array of finite real numbers."""
    array = dense(argument, values).detach().cpu().double().numpy() if isinstance(values, Tensor) else values
    try:
        array = np.asarray(array)
        if array.dtype.kind not in "buif":
            raise TypeError(f"{array.dtype}")
    except (TypeError, ValueError) as error:
        raise value_error(argument, "real numbers", f"{type(values).__name__} ({error})") from error
    if not np.isfinite(array).all():
        raise value_error(argument, "finite numbers", "NaN or infinity")
    return array.astype(np.float64)


def local_path(argument: str, value: Any) -> Path:
    """Return a path."""
    if not isinstance(value, (str, os.PathLike)):
        raise type_error(argument, "a path", value)
    return Path(value)
