"""Columns of text, whatever holds them, as Arrow arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from ._core import type_error, value_error

_SLICE_BYTES = 8 << 20
_SURROGATES = re.compile("[\ud800-\udfff]")


def to_arrow(texts: Any) -> pa.LargeStringArray:
    """Return texts as one Arrow array.

    Args:
        texts: strings or ``None`` in a list, an array or an Arrow, pandas or polars column. Bytes that are no UTF-8 and
            lone surrogates are replaced by U+FFFD.

    Raises:
        TypeError: one string, or a column of another type.
    """
    if isinstance(texts, (str, bytes)):
        raise type_error("texts", "a list or column of strings", texts)
    if hasattr(texts, "to_arrow"):  # polars
        texts = texts.to_arrow()
    array = texts if isinstance(texts, (pa.Array, pa.ChunkedArray)) else _from_python(texts)
    if pa.types.is_null(array.type):
        array = array.cast(pa.large_string())
    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not any(check(kind) for check in is_text):
        raise TypeError(str(value_error("texts", "a column of strings", f"one of {array.type}")))
    if pa.types.is_string_view(array.type):  # pyarrow 17 cannot cast it
        array = pa.array(array.to_pylist(), pa.large_string())
    array = _valid(array).cast(pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def slices(texts: pa.LargeStringArray) -> Iterator[tuple[int, pa.LargeStringArray]]:
    """Yield parts of bounded size, and the number of each part's first text, so that memory is bounded."""
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :][: len(texts) + 1] if len(texts) else [0, 0]
    limits = np.arange(offsets[0] + _SLICE_BYTES, offsets[-1], _SLICE_BYTES)
    cuts = np.unique([0, *np.searchsorted(offsets, limits), len(texts)]).tolist()
    for start, end in pairwise(cuts):
        yield start, texts.slice(start, end - start)


def _from_python(texts: Any) -> pa.Array | pa.ChunkedArray:
    try:
        return pa.array(texts, from_pandas=True)
    except UnicodeEncodeError:
        cleaned = [_SURROGATES.sub("\ufffd", text) if isinstance(text, str) else text for text in texts]
        return _from_python(cleaned)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise TypeError(str(value_error("texts", "strings or None", str(error)))) from error


def _valid(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        decoded = [
            raw if raw is None else raw.decode("utf-8", "replace") for raw in array.cast(pa.large_binary()).to_pylist()
        ]
        return pa.array(decoded, pa.large_string())
    return array
