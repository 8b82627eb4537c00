"""What a similarity and the arguments of a loss must look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ._arguments import check_ignore_index, check_tensor, check_values, share
from ._core import shape_error, value_error

if TYPE_CHECKING:
    from ._dense import Similarity


def check_square(similarity: Tensor) -> None:
    """Raise unless ``similarity`` is a square matrix."""
    check_tensor("similarity", similarity, "a tensor (c, c), OrdinalSimilarity or SparseSimilarity")
    if similarity.ndim != 2 or similarity.shape[0] != similarity.shape[1] or not len(similarity):
        raise shape_error("similarity", "a square matrix (c, c)", {"similarity": similarity.shape})
    if similarity.requires_grad:
        raise value_error("similarity", "a constant that needs no gradient", "one with requires_grad=True")


def check_entries(name: str, entries: Tensor) -> None:
    """Raise unless all entries lie in [0, 1] and every row has a positive one."""
    check_values(name, entries)
    # Rounding may lift the cosine of a vector with itself just above one.
    fits = (entries >= 0) & (entries <= 1 + 1e-4)
    if not fits.all():
        raise value_error(name, "similarities in [0, 1]", f"{entries[~fits][0].item()} in {(~fits).sum()} place(s)")
    empty = (entries == 0).all(-1).nonzero().flatten().tolist()
    if empty:
        raise value_error(name, "a positive similarity in every row", f"only zeros in row(s) {empty}")


def check_loss_arguments(
    input: Tensor,
    target: Tensor,
    similarity: Similarity,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> None:
    """Raise unless the arguments of a loss fit together."""
    check_tensor("input", input, "a floating-point tensor")
    check_tensor("target", target, "a tensor of class indices or class probabilities")
    check_options(similarity, weight, ignore_index, reduction, label_smoothing)
    if not input.is_floating_point():
        raise value_error("input", "a floating-point tensor", str(input.dtype))
    shapes = {"input": input.shape, "target": target.shape}
    if input.ndim == 0:
        raise shape_error("input", "(c), (n, c) or (n, c, d1, ..., dk)", shapes)
    if input.shape[min(1, input.ndim - 1)] != similarity.num_classes:
        c = similarity.num_classes
        raise shape_error("input", f"one logit per class of the {(c, c)} similarity", {"input": input.shape})
    if target.is_floating_point():
        if target.shape != input.shape:
            raise shape_error("target", "class probabilities of the shape of input", shapes)
        if ignore_index >= 0:
            raise value_error("ignore_index", "no class index with class probabilities as target", ignore_index)
    elif target.shape != input.shape[:1] * (input.ndim > 1) + input.shape[2:]:
        raise shape_error("target", "one class index per position of input", shapes)
    check_devices(input.device, target=target, weight=weight, similarity=similarity._entries)


def check_devices(expected: torch.device, **tensors: Tensor | None) -> None:
    """Raise unless all tensors are on the device of the input."""
    for name, tensor in tensors.items():
        if tensor is not None and tensor.device != expected:
            raise value_error(name, f"a tensor on the device of the input ({expected})", f"one on {tensor.device}")


def check_options(
    similarity: Similarity, weight: Tensor | None, ignore_index: int, reduction: str, label_smoothing: float
) -> None:
    """Raise unless the options that all losses share are valid."""
    if weight is not None:
        check_tensor("weight", weight)
    if weight is not None and weight.shape != (similarity.num_classes,):
        raise shape_error("weight", f"one weight per class ({similarity.num_classes},)", {"weight": weight.shape})
    if reduction not in ("mean", "sum", "none"):
        raise value_error("reduction", "'mean', 'sum' or 'none'", repr(reduction))
    share("label_smoothing", label_smoothing, closed=True)
    check_ignore_index(ignore_index)


def check_classes(target: Tensor, num_classes: int) -> None:
    """Raise unless all class indices in ``target`` exist."""
    if not target.numel():
        return
    low, high = (int(bound) for bound in target.aminmax())
    if low < 0 or high >= num_classes:
        raise value_error("target", f"class indices 0..{num_classes - 1} or ignore_index", f"{low}..{high}")


def check_linear_arguments(
    hidden: Tensor,
    weight: Tensor,
    target: Tensor,
    similarity: Similarity,
    bias: Tensor | None,
    class_weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> None:
    """Raise unless the arguments of a linear loss fit together."""
    floating = {"hidden": hidden, "weight": weight} | ({} if bias is None else {"bias": bias})
    for name, tensor in floating.items():
        check_tensor(name, tensor, "a floating-point tensor")
        if not tensor.is_floating_point():
            raise value_error(name, "a floating-point tensor", str(tensor.dtype))
        if tensor.dtype != hidden.dtype and not torch.is_autocast_enabled(hidden.device.type):
            raise value_error(name, f"the dtype of hidden, {hidden.dtype}", str(tensor.dtype))
    check_tensor("target", target, "a tensor of class indices")
    check_options(similarity, class_weight, ignore_index, reduction, label_smoothing)
    shapes = {"hidden": hidden.shape, "weight": weight.shape}
    if hidden.ndim == 0 or weight.ndim != 2 or hidden.shape[-1] != weight.shape[1]:
        raise shape_error("weight", "hidden (*, d) and weight (c, d)", shapes)
    if weight.shape[0] != similarity.num_classes:
        raise shape_error("weight", f"one row for each of the {similarity.num_classes} classes", shapes)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise shape_error("bias", f"one entry per class ({similarity.num_classes},)", {"bias": bias.shape})
    if target.is_floating_point():
        raise value_error("target", "class indices, because probabilities need n x c memory", str(target.dtype))
    if target.shape != hidden.shape[:-1]:
        raise shape_error("target", "one class index per row of hidden", {**shapes, "target": target.shape})
    others = {"weight": weight, "bias": bias, "target": target, "class_weight": class_weight}
    check_devices(hidden.device, **others, similarity=similarity._entries)
