"""Labels of any kind to integer codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._core import shape_error, type_error, value_error
from ._inputs import check_readable


@dataclass(frozen=True, eq=False)
class Property:
    """One property of ``n`` items: codes 0..values-1, or -1 where the label is missing."""

    name: str
    codes: NDArray[np.int64]
    counts: NDArray[np.int64]  # items per code

    @property
    def labelled(self) -> int:
        """Number of items with a label."""
        return int(self.counts.sum())

    def count_of(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many items share each given item's value, itself included; 0 without a label."""
        codes = self.codes[items]
        return np.where(codes < 0, 0, self.counts[codes])


def encode_properties(properties: Any, shape: tuple[int, ...]) -> list[Property]:
    """Return the properties in their given order.

    Args:
        properties: labels ``(n,)``, a mapping name -> labels, or a pandas or polars frame. None, NaN, NaT and
            ``pandas.NA`` are missing labels.
        shape: shape ``(n, d)`` of the embeddings.

    Raises:
        ValueError: a property has the wrong length, one value only, or no value that two items share.
    """
    columns: Mapping[str, Any]
    if isinstance(properties, Mapping):
        columns = {str(name): labels for name, labels in properties.items()}
    elif hasattr(properties, "columns") and hasattr(properties, "__getitem__"):
        columns = {str(name): properties[name] for name in properties.columns}
    else:
        columns = {"label": properties}
    if not columns:
        raise value_error("properties", "at least one property", "none")
    return [_encode(name, labels, shape) for name, labels in columns.items()]


def _encode(name: str, labels: Any, shape: tuple[int, ...]) -> Property:
    argument = f"properties[{name!r}]"
    values = _to_numpy(argument, labels)
    if values.ndim != 1 or len(values) != shape[0]:
        raise shape_error(argument, "one label per embedding", {"labels": values.shape, "embeddings": shape})
    present = ~_missing(values)
    distinct, inverse = _unique(argument, values[present])
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[present] = inverse
    counts = np.bincount(inverse, minlength=distinct)
    labelled = len(inverse)
    if labelled < 2:
        raise value_error(argument, "at least two labels that are not missing", f"{labelled} of {len(values)}")
    if distinct == 1:
        raise value_error(argument, "at least two different values", f"one value for all {labelled} labelled items")
    advice = "; bin a continuous property first" if values.dtype.kind == "f" else ""
    if distinct == labelled:
        raise value_error(argument, f"values that two items share{advice}", f"{distinct} different values")
    if advice and 2 * distinct > labelled:
        raise value_error(
            argument, f"few values with many items each{advice}", f"{distinct} different values of {labelled} labels"
        )
    return Property(name, codes, counts)


def _to_numpy(argument: str, labels: Any) -> NDArray[Any]:
    if isinstance(labels, torch.Tensor):
        check_readable(argument, labels)
        labels = labels.detach().cpu()
        labels = (labels.float() if labels.dtype == torch.bfloat16 else labels).numpy()
    if hasattr(labels, "to_pylist"):
        labels = labels.to_pylist()  # Arrow's own to_numpy() loses the missing values of a dictionary column
    elif hasattr(labels, "to_numpy"):
        converted: NDArray[Any] = np.asarray(labels.to_numpy())
        return converted
    if isinstance(labels, np.ndarray):
        if labels.dtype.kind == "V":
            raise value_error(argument, "one value per item", f"records of {labels.dtype}")
        return np.asarray(labels)
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        raise type_error(argument, "an array or a list of labels", labels)
    labels = list(labels)
    kinds = {type(label) for label in labels}
    if float in kinds and kinds <= {int, float, type(None)}:
        return np.asarray(labels, dtype=np.float64)
    # numpy would turn [1, "1"] into two equal strings.
    if kinds in ({bool}, {int}, {str}):
        return np.asarray(labels)
    values = np.empty(len(labels), dtype=object)
    values[:] = labels
    return values


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind == "O":
        return np.fromiter((_is_missing(value) for value in values), dtype=bool, count=len(values))
    missing: NDArray[np.bool_] = np.not_equal(values, values)  # NaN and NaT differ from themselves
    return missing


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return not value == value  # noqa: PLR0124, SIM201
    except TypeError:  # pandas.NA has no truth value
        return True


def _unique(argument: str, values: NDArray[Any]) -> tuple[int, NDArray[np.int64]]:
    if values.dtype.kind != "O":
        distinct, inverse = np.unique(values, return_inverse=True)
        return len(distinct), inverse
    codes: dict[Any, int] = {}
    try:
        inverse = np.fromiter((codes.setdefault(value, len(codes)) for value in values), np.int64, len(values))
    except TypeError as error:
        raise value_error(argument, "hashable labels", str(error)) from error
    return len(codes), inverse
