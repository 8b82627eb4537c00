"""What the losses share: reductions, and checks of the rows of a batch."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from ._checks import dense
from ._core import shape_error, value_error
from ._registry import MAX_LEVEL
from ._targets import NUM_DISTORTIONS

Reduction: TypeAlias = Literal["mean", "sum", "none"]
REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)
LARGEST_GROUP = 2**58  # so that an id of group and level fits 64 bits


def check_reduction(reduction: Any) -> None:
    """Raise the error for a reduction that there is not."""
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise value_error("reduction", "'mean', 'sum' or 'none'", repr(reduction))


def reduced(rows: Tensor, levels: Tensor, groups: Tensor, reduction: Reduction) -> Tensor:
    """Return the sum over rows as the mean over images, as it is, or the rows."""
    check_reduction(reduction)
    if reduction == "none":
        return rows
    if reduction == "sum":
        return rows.sum()
    image = torch.where(levels != 0, groups.div(NUM_DISTORTIONS, rounding_mode="floor"), -1)
    return rows.sum() / (is_first(image) & (levels != 0)).sum().clamp_min(1)


def before(values: Tensor, fill: int) -> Tensor:
    """Return ``(n, 5)``: the four values before each value, then itself."""
    return F.pad(values, (MAX_LEVEL - 1, 0), value=fill).unfold(0, MAX_LEVEL, 1)


def is_first(ids: Tensor) -> Tensor:
    """Return a mask of the first row of each id."""
    ordered, rows = ids.sort(stable=True)
    new = torch.cat([torch.ones_like(ordered[:1], dtype=torch.bool), ordered[1:] != ordered[:-1]])
    return torch.zeros_like(new).scatter(0, rows, new)


def column(scores: Tensor, levels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores as a column in single precision at least, and the levels and groups of its rows."""
    if dense("scores", scores).ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    if scores.ndim != 1:
        raise shape_error("scores", "(n,) or (n, 1)", {"scores": scores.shape})
    return single(scores), *_rows("scores", scores, levels, groups)


def matrix(name: str, values: Tensor, levels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a matrix in single precision at least, and the levels and groups of its rows."""
    if dense(name, values).ndim != 2 or values.shape[1] != NUM_DISTORTIONS:
        raise shape_error(name, f"(n, {NUM_DISTORTIONS})", {name: values.shape})
    return single(values), *_rows(name, values, levels, groups)


def single(values: Tensor) -> Tensor:
    """Return whole numbers and half precision as single precision."""
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def _rows(name: str, values: Tensor, levels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Check what belongs to the rows of a batch."""
    levels, groups = (_whole(other, rows, name, values) for other, rows in (("levels", levels), ("groups", groups)))
    if values_can_be_read(levels):
        if levels.numel() and int(levels.abs().max()) > MAX_LEVEL:
            raise value_error("levels", f"-{MAX_LEVEL} to {MAX_LEVEL}", int(levels.abs().max()))
        if bool(((levels != 0) & (groups < 0)).any()):
            raise value_error("groups", "image * 21 + distortion in each row whose level is not 0", "a negative id")
        if groups.numel() and int(groups.max()) > LARGEST_GROUP:
            raise value_error("groups", f"at most {LARGEST_GROUP}", int(groups.max()))
    return levels, groups


def _whole(argument: str, rows: Tensor, name: str, values: Tensor) -> Tensor:
    """Return one whole number per row of values, in 64 bits."""
    if dense(argument, rows).shape != values.shape[:1]:
        raise shape_error(argument, f"one integer per row of {name}", {name: values.shape, argument: rows.shape})
    if rows.is_floating_point() or rows.dtype == torch.bool:
        raise value_error(argument, "integers", f"dtype {rows.dtype}")
    if rows.device != values.device:
        raise value_error(argument, f"a tensor on {values.device}, as {name}", f"one on {rows.device}")
    return rows.long()


def values_can_be_read(rows: Tensor) -> bool:
    """Tell whether looking at values is free: it waits for a device, and breaks a compiled graph."""
    return rows.device.type == "cpu" and not torch.compiler.is_compiling()


def check_ladders(levels: Tensor, groups: Tensor) -> None:
    """Check that a ladder has one row per level."""
    if values_can_be_read(levels):
        counts = (groups * (2 * MAX_LEVEL + 1) + levels)[levels != 0].unique(return_counts=True)[1]
        if counts.numel() and int(counts.max()) > 1:
            raise value_error("levels", "each level at most once in a group", f"one {int(counts.max())} times")


def reference_rows(reference: Tensor, levels: Tensor) -> Tensor:
    """Check and return the rows of undistorted images."""
    reference = _whole("reference", reference, "levels", levels)
    if values_can_be_read(levels) and reference.numel():
        low, high = int(reference.min()), int(reference.max())
        if low < 0 or high >= len(levels):
            raise value_error("reference", f"rows 0 to {len(levels) - 1}", f"{low} to {high}")
        if bool(((levels[reference] != 0) & (reference != torch.arange(len(levels)))).any()):
            raise value_error("reference", "rows of level 0", "a row of another level")
    return reference
