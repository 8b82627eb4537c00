"""The same labels in the host's own tables: each function calls ``label_batch`` on the host's Arrow batches.

Who has a frame has its library, so none of them is an extra of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pyarrow as pa

from ._checks import check_type
from ._core import type_error, value_error
from ._labeler import Labeler
from ._texts import to_arrow


def label_pandas(frame: Any, labeler: Labeler[Any], *, column: str = "text", prefix: str = "") -> Any:
    """Return a pandas frame with the columns of ``label_batch``; index and other columns stay as they are."""
    _check("frame", frame, "set_axis", "a pandas frame", labeler)
    if column not in [*frame.columns]:
        raise value_error("column", f"one of {[*frame.columns]}", column)
    table = pa.table({column: to_arrow(frame[column])})
    labelled = labeler.label_batch(table, column=column, prefix=prefix).to_pandas()
    return frame.join(labelled.drop(columns=column).set_axis(frame.index))


def label_polars(frame: Any, labeler: Labeler[Any], *, column: str = "text", prefix: str = "") -> Any:
    """Return a polars frame with the columns of ``label_batch``."""
    _check("frame", frame, "to_arrow", "a polars frame", labeler)
    polars = import_module("polars")

    return polars.from_arrow(labeler.label_batch(frame.to_arrow(), column=column, prefix=prefix))


def label_dataset(
    dataset: Any, labeler: Labeler[Any], *, column: str = "text", prefix: str = "", **options: Any
) -> Any:
    """Return a HuggingFace dataset with the columns of ``label_batch``; ``options`` are those of ``map``."""
    _check("dataset", dataset, "with_format", "a HuggingFace dataset", labeler)
    function = _BatchFunction(labeler, column, prefix)
    return dataset.with_format("arrow").map(function, batched=True, **options).with_format(None)


def label_spark(frame: Any, labeler: Labeler[Any], *, column: str = "text", prefix: str = "") -> Any:
    """Return a Spark frame with the columns of ``label_batch``, through ``mapInArrow``."""
    _check("frame", frame, "mapInArrow", "a Spark frame", labeler)
    types = import_module("pyspark.sql.pandas.types")

    schema = labeler.output_schema(types.to_arrow_schema(frame.schema), column=column, prefix=prefix)
    function = _BatchFunction(labeler, column, prefix)

    def label_all(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return map(function, batches)

    return frame.mapInArrow(label_all, types.from_arrow_schema(schema))


def label_ray(dataset: Any, labeler: Labeler[Any], *, column: str = "text", prefix: str = "", **options: Any) -> Any:
    """Return a Ray dataset with the columns of ``label_batch``; ``options`` are those of ``map_batches``."""
    _check("dataset", dataset, "map_batches", "a Ray dataset", labeler)
    return dataset.map_batches(_BatchFunction(labeler, column, prefix), batch_format="pyarrow", **options)


def label_dask(frame: Any, labeler: Labeler[Any], *, column: str = "text", prefix: str = "") -> Any:
    """Return a Dask frame with the columns of ``label_batch``."""
    _check("frame", frame, "map_partitions", "a Dask frame", labeler)
    meta = label_pandas(frame._meta, labeler, column=column, prefix=prefix)
    return frame.map_partitions(label_pandas, labeler, column=column, prefix=prefix, meta=meta)


def _check(argument: str, table: Any, method: str, expected: str, labeler: object) -> None:
    if not hasattr(table, method):
        raise type_error(argument, expected, table)
    check_type("labeler", labeler, Labeler, "a LexiconLabeler or AverageLabeler")


class _BatchFunction:
    """``label_batch`` with its options, as engines pickle it."""

    def __init__(self, labeler: Labeler[Any], column: str, prefix: str) -> None:
        self.labeler, self.column, self.prefix = labeler, column, prefix

    def __call__(self, batch: pa.RecordBatch | pa.Table) -> pa.RecordBatch | pa.Table:
        return self.labeler.label_batch(batch, column=self.column, prefix=self.prefix)
