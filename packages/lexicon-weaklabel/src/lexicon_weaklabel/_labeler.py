"""What both labelers share: texts in, labels out."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ._chunks import Occurrences
from ._core import type_error, value_error
from ._labels import Explanation, Labels, ScoredLabels, Signal, Spans
from ._matching import Matcher, Tokenizer
from ._texts import slices, to_arrow

Result = TypeVar("Result", Labels, ScoredLabels)
_SPANS = pa.list_(pa.struct({"start": pa.int32(), "end": pa.int32()}))


class Labeler(ABC, Generic[Result]):
    """Find the entries of a lexicon in texts and label the texts by them.

    Attributes:
        classes: names of the classes.
        entries: the lexicon's tokens; ``spans.entry`` counts them.
        tokenizer: what cuts texts into tokens.
        unreachable: the entries that no text can contain because the tokenizer cuts them, such as phrases.
        settings: the options beside lexicon and tokenizer.
    """

    classes: tuple[str, ...]
    settings: dict[str, Any]
    _value_field: pa.Field  # the column of probabilities or scores

    def __init__(self, entries: Iterable[str], tokenizer: Tokenizer | None) -> None:
        self._matcher = Matcher(entries, tokenizer)
        self.entries = self._matcher.entries
        self.tokenizer = self._matcher.tokenizer
        self.unreachable = self._matcher.unreachable

    @abstractmethod
    def _result(self, found: Occurrences, present: NDArray[np.bool_]) -> Result:
        """Return the labels of all texts; those not ``present`` are null."""

    @abstractmethod
    def _values(self, labels: Result) -> NDArray[np.float64]:
        """Return the column of ``_value_field`` as numbers."""

    @abstractmethod
    def _value_of(self, entry: int) -> tuple[float, ...] | float:
        """Return what one entry of the lexicon says."""

    def fingerprint(self) -> str:
        """Return a hash of everything but the tokenizer's code that decides what label a text gets."""
        kind = type(self.tokenizer)
        values = [self._value_of(entry) for entry in range(len(self.entries))]
        parts = [type(self).__name__, self.settings, f"{kind.__module__}.{kind.__qualname__}", self.entries, values]
        return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def label(self, texts: Any) -> Result:
        """Label texts.

        Args:
            texts: ``n`` strings or nulls in a list, an array or an Arrow, pandas or polars column. Bytes that are no
                UTF-8 and lone surrogates count as U+FFFD.

        Raises:
            TypeError: not a column of strings.
        """
        array = to_arrow(texts)
        parts = []
        for first, part in slices(array.fill_null("")):
            found = self._matcher.find(part)
            parts.append((found.row + first, found.entry, found.start, found.end))
        columns = map(np.concatenate, zip(*parts)) if parts else [np.zeros(0, np.int64)] * 4
        return self._result(Occurrences(*columns), ~np.asarray(array.is_null(), dtype=bool))

    def explain(self, text: str) -> Explanation:
        """Return the signal tokens of one text, what each says, and the label."""
        if not isinstance(text, str):
            raise type_error("text", "a string", text)
        labels = self.label([text])
        value = self._values(labels)[0]
        signals = [
            Signal(text[start:end], self.entries[entry], start, end, self._value_of(entry))
            for (start, end), entry in zip(labels.spans[0], labels.spans.entry.tolist())
        ]
        return Explanation(text, labels.label[0], tuple(value) if value.ndim else float(value), tuple(signals))

    def label_batch(
        self, batch: pa.RecordBatch | pa.Table, *, column: str = "text", prefix: str = ""
    ) -> pa.RecordBatch | pa.Table:
        """Return an Arrow batch or table with the labels in further columns.

        The new columns are ``label`` (string), ``probabilities`` (list of float64 in the order of ``classes``) or
        ``score`` (float64), ``covered`` (bool; false means an uncertain default) and ``spans`` (list of start and
        end). All of them are null where the text is null.

        Args:
            batch: record batch or table.
            column: name of the column of texts.
            prefix: put before the names of the new columns.

        Raises:
            ValueError: there is no such column, or the batch has one with a name of the new ones.
            TypeError: no Arrow batch, or no column of strings.
        """
        if not isinstance(batch, (pa.RecordBatch, pa.Table)):
            raise type_error("batch", "a pyarrow.RecordBatch or Table", batch)
        schema = self.output_schema(batch.schema, column=column, prefix=prefix)
        texts = to_arrow(batch.column(column))
        labels = self.label(texts)
        null = np.asarray(texts.is_null(), dtype=bool)
        new: list[pa.Array] = [
            pa.array(labels.label, pa.string()),
            _column(self._values(labels), null),
            pa.array(labels.covered, mask=null),
            _span_column(labels.spans, null),
        ]
        return type(batch).from_arrays([*batch.columns, *new], schema=schema)

    def output_schema(self, schema: pa.Schema, *, column: str = "text", prefix: str = "") -> pa.Schema:
        """Return the schema of what ``label_batch`` makes of batches with this schema."""
        if column not in schema.names:
            raise value_error("column", f"one of {schema.names}", column)
        covered, spans = pa.field("covered", pa.bool_()), pa.field("spans", _SPANS)
        for field in (pa.field("label", pa.string()), self._value_field, covered, spans):
            name = f"{prefix}{field.name}"
            if name in schema.names:
                raise value_error("prefix", f"one with which {name!r} is a new column", prefix)
            schema = schema.append(field.with_name(name))
        return schema


def _column(values: NDArray[np.float64], null: NDArray[np.bool_]) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values, mask=null)
    # A null has no values: older Parquet writers refuse any below it.
    offsets = np.concatenate([[0], np.cumsum(np.where(null, 0, values.shape[1]))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values[~null].ravel()), mask=pa.array(null))


def _span_column(spans: Spans, null: NDArray[np.bool_]) -> pa.ListArray:
    positions = [pa.array(values, pa.int32()) for values in (spans.start, spans.end)]
    values = pa.StructArray.from_arrays(positions, fields=[*_SPANS.value_type])
    return pa.ListArray.from_arrays(pa.array(spans.offsets, pa.int32()), values, mask=pa.array(null))
