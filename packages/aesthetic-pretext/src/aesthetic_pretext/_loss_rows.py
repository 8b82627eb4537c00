"""What the losses share: reductions, and checks of the rows of a batch."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from ._core import shape_error, value_error
from ._registry import MAX_LEVEL
from ._targets import NUM_DISTORTIONS

Reduction: TypeAlias = Literal["mean", "sum", "none"]


def reduced(rows: Tensor, levels: Tensor, groups: Tensor, reduction: Reduction) -> Tensor:
    """Return the sum over rows as the mean over images, as it is, or the rows."""
    if reduction == "none":
        return rows
    if reduction == "sum":
        return rows.sum()
    if reduction == "mean":
        image = torch.where(levels != 0, groups.div(NUM_DISTORTIONS, rounding_mode="floor"), -1)
        return rows.sum() / (is_first(image) & (levels != 0)).sum().clamp_min(1)
    raise value_error("reduction", "'mean', 'sum' or 'none'", repr(reduction))


def before(values: Tensor, fill: int) -> Tensor:
    """Return ``(n, 5)``: the four values before each value, then itself."""
    return F.pad(values, (MAX_LEVEL - 1, 0), value=fill).unfold(0, MAX_LEVEL, 1)


def is_first(ids: Tensor) -> Tensor:
    """Return a mask of the first row of each id."""
    ordered, rows = ids.sort(stable=True)
    new = torch.cat([torch.ones_like(ordered[:1], dtype=torch.bool), ordered[1:] != ordered[:-1]])
    return torch.zeros_like(new).scatter(0, rows, new)


def column(scores: Tensor, levels: Tensor, groups: Tensor) -> Tensor:
    """Return scores as a column in single precision at least."""
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    if scores.ndim != 1:
        raise shape_error("scores", "(n,) or (n, 1)", {"scores": scores.shape})
    check_rows("scores", scores, levels, groups)
    return single(scores)


def matrix(values: Tensor, name: str, levels: Tensor, groups: Tensor) -> Tensor:
    """Return a matrix in single precision at least."""
    if values.ndim != 2 or values.shape[1] != NUM_DISTORTIONS:
        raise shape_error(name, f"(n, {NUM_DISTORTIONS})", {name: values.shape})
    check_rows(name, values, levels, groups)
    return single(values)


def single(values: Tensor) -> Tensor:
    """Return half precision as single precision."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def check_rows(name: str, values: Tensor, levels: Tensor, groups: Tensor) -> None:
    """Check what belongs to the rows of a batch."""
    for other, tensor in (("levels", levels), ("groups", groups)):
        if tensor.shape != values.shape[:1]:
            raise shape_error(other, f"one integer per row of {name}", {name: values.shape, other: tensor.shape})
        if tensor.is_floating_point() or tensor.is_complex():
            raise value_error(other, "integers", f"dtype {tensor.dtype}")
    # Looking at values waits for a device and breaks a compiled graph; on the CPU, eagerly, it is free.
    if levels.device.type == "cpu" and not torch.compiler.is_compiling():
        if levels.numel() and int(levels.abs().max()) > MAX_LEVEL:
            raise value_error("levels", f"-{MAX_LEVEL} to {MAX_LEVEL}", int(levels.abs().max()))
        if bool(((levels != 0) & (groups < 0)).any()):
            raise value_error("groups", "image * 21 + distortion in each row whose level is not 0", "a negative id")


def check_ladders(levels: Tensor, groups: Tensor) -> None:
    """Check that a ladder has one row per level."""
    if levels.device.type == "cpu" and not torch.compiler.is_compiling():
        counts = (groups * (2 * MAX_LEVEL + 1) + levels)[levels != 0].unique(return_counts=True)[1]
        if counts.numel() and int(counts.max()) > 1:
            raise value_error("levels", "each level at most once in a group", f"one {int(counts.max())} times")


def check_reference(reference: Tensor, levels: Tensor) -> None:
    """Check the rows of undistorted images."""
    if reference.shape != levels.shape or reference.is_floating_point():
        raise shape_error("reference", "one row number per row", {"levels": levels.shape, "reference": reference.shape})
    if levels.device.type == "cpu" and not torch.compiler.is_compiling() and reference.numel():
        low, high = int(reference.min()), int(reference.max())
        if low < 0 or high >= len(levels):
            raise value_error("reference", f"rows 0 to {len(levels) - 1}", f"{low} to {high}")
        if bool(((levels[reference] != 0) & (reference != torch.arange(len(levels)))).any()):
            raise value_error("reference", "rows of level 0", "a row of another level")
