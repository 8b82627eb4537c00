"""How well masks agree with hand-made ones."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

from ._core import shape_error, type_error, value_error
from ._images import Array, dense

MaskT = TypeVar("MaskT", Array, Tensor)


def overlap(mask: MaskT, truth: MaskT) -> MaskT:
    """Return the share of the true foreground that the mask covers.

    Args:
        mask: ``(..., h, w)`` bool, 8-bit 0..255, or in [0, 1]; array or tensor. Foreground is what reaches one half.
        truth: the true masks, of the same kind and shape.

    Returns:
        ``(...)`` shares in [0, 1], one per mask.

    Raises:
        ValueError: shapes differ, or a true mask has no foreground.

    Example:
        >>> overlap(np.array([[[0.9, 0.1, 0.8]]]), np.array([[[1.0, 1.0, 0.0]]]))
        array([0.5])

    Reference:
        Chapter 11, Section 11.1.1.
    """
    found, true = _binary(mask, truth)
    return _share((found & true).sum((-2, -1)), true.sum((-2, -1)))


def iou(mask: MaskT, truth: MaskT) -> MaskT:
    """Return the intersection over the union of mask and true mask.

    Args:
        mask: ``(..., h, w)`` as for `overlap`.
        truth: the true masks, of the same kind and shape.

    Returns:
        ``(...)`` values in [0, 1], one per mask.

    Raises:
        ValueError: shapes differ, or mask and true mask both have no foreground.

    Example:
        >>> iou(np.array([[[0.9, 0.1, 0.8]]]), np.array([[[1.0, 1.0, 0.0]]])).round(2)
        array([0.33])
    """
    found, true = _binary(mask, truth)
    return _share((found & true).sum((-2, -1)), (found | true).sum((-2, -1)))


def _binary(mask: MaskT, truth: MaskT) -> tuple[MaskT, MaskT]:
    for name, array in {"mask": mask, "truth": truth}.items():
        if isinstance(array, Tensor):
            dense(name, array)
        elif not isinstance(array, np.ndarray):
            raise type_error(name, "an array or a tensor", array)
        elif array.dtype.kind not in "buif":
            raise value_error(name, "an array of real numbers", f"one of {array.dtype}")
    if not isinstance(truth, Tensor if isinstance(mask, Tensor) else np.ndarray):
        raise type_error("truth", f"the kind of mask, {type(mask).__name__}", truth)
    if mask.shape != truth.shape:
        raise shape_error("truth", "the shape of mask", {"mask": mask.shape, "truth": truth.shape})
    found, true = (m >= (128 if str(m.dtype).endswith("uint8") else 0.5) for m in (mask, truth))
    return found, true


def _share(part: MaskT, whole: MaskT) -> MaskT:
    if (whole == 0).any():
        raise value_error("truth", "some foreground in every mask", "an empty one")
    return part / whole
