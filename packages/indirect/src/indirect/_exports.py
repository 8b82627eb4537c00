"""The projection in the form that other programs take: layers, files and search indexes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ._core import atomic_path, import_extra, type_error, value_error
from ._estimator import Estimator
from ._objective import project


class LinearEstimator(Estimator):
    """An estimator whose projection is ``components_`` ``(r', r)`` and a normalisation, with its exports."""

    components_: Any

    def _project(self, rows: Tensor) -> Tensor:
        return project(rows, torch.as_tensor(self.components_, dtype=rows.dtype, device=rows.device))

    def to_linear(self) -> nn.Linear:
        """Return the layer ``(n, r)`` to ``(n, r')`` without bias; its outputs still need unit length."""
        self._check_fitted()
        weight = torch.tensor(self.components_)
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=weight.dtype)
        layer.weight = nn.Parameter(weight, requires_grad=False)
        return layer

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write an ONNX model from ``embeddings`` ``(n, r)`` to unit rows ``projected`` ``(n, r')``, in float32.

        Raises:
            ImportError: the extra ``onnx`` is not installed.
        """
        self._check_fitted()
        onnx = import_extra("onnx", package="indirect", extra="onnx")
        helper, number = onnx.helper, onnx.TensorProto.FLOAT
        new, old = self.components_.shape
        graph = helper.make_graph(
            [
                helper.make_node("MatMul", ["embeddings", "components"], ["products"]),
                helper.make_node("LpNormalization", ["products"], ["projected"], axis=1, p=2),
            ],
            "indirect",
            [helper.make_tensor_value_info("embeddings", number, ["n", old])],
            [helper.make_tensor_value_info("projected", number, ["n", new])],
            [onnx.numpy_helper.from_array(np.ascontiguousarray(self.components_.T, dtype=np.float32), "components")],
        )
        # Old versions of both formats, which every runtime of today reads.
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        with atomic_path(path) as temporary:
            onnx.save(model, str(temporary))

    def to_faiss(self, index: Any = None) -> Any:
        """Return a FAISS ``IndexPreTransform`` that takes unprojected embeddings, in ``add`` and in ``search``.

        Args:
            index: empty index for r' dimensions; by default the exact ``IndexFlatIP``, whose scores are cosines.

        Raises:
            ImportError: the extra ``faiss`` is not installed.
            ValueError: an index for another number of dimensions.
        """
        self._check_fitted()
        faiss = import_extra("faiss", package="indirect", extra="faiss")
        new, old = self.components_.shape
        index = faiss.IndexFlatIP(new) if index is None else index
        if getattr(index, "d", None) != new:
            raise value_error("index", f"a FAISS index for {new} dimensions", getattr(index, "d", index))
        transform = faiss.LinearTransform(old, new, False)
        faiss.copy_array_to_vector(np.ascontiguousarray(self.components_, dtype=np.float32).ravel(), transform.A)
        transform.is_trained = True
        combined = faiss.IndexPreTransform(index)
        combined.prepend_transform(faiss.NormalizationTransform(new, 2.0))
        combined.prepend_transform(transform)
        return combined

    def to_usearch(self, embeddings: Any, **options: Any) -> Any:
        """Return a usearch index of projected embeddings, whose keys are the row numbers.

        Args:
            embeddings: what ``transform`` takes.
            **options: arguments of ``usearch.index.Index``. Vectors are kept in float32 unless ``dtype`` says
                otherwise: usearch's own default rounds them to bfloat16 on some processors.

        Raises:
            ImportError: the extra ``usearch`` is not installed.
        """
        usearch = import_extra("usearch.index", package="indirect", extra="usearch")
        projected = torch.as_tensor(self.transform(embeddings)).detach().cpu().numpy().astype(np.float32)
        index = usearch.Index(**{"ndim": projected.shape[1], "metric": "cos", "dtype": "f32", **options})
        index.add(np.arange(len(projected)), projected)
        return index

    def to_arrow(self) -> Callable[[Any], Any]:
        """Return a function from an Arrow array of embeddings to one of projected embeddings, for query engines.

        It takes list or fixed-size list arrays of numbers (or chunked arrays), and returns fixed-size lists of float32;
        a missing embedding stays missing. With DuckDB, Spark (``mapInArrow``), Ray or Daft, many notions share one
        table of stored embeddings.

        Raises:
            ImportError: the extra ``arrow`` is not installed.
        """
        self._check_fitted()
        arrow = import_extra("pyarrow", package="indirect", extra="arrow")
        new, old = self.components_.shape

        def is_list_of_numbers(kind: Any) -> bool:
            types = arrow.types
            lists = (types.is_list, types.is_large_list, types.is_fixed_size_list)
            numbers = (types.is_floating, types.is_integer)
            return any(fits(kind) for fits in lists) and any(fits(kind.value_type) for fits in numbers)

        def transform(column: Any) -> Any:
            if isinstance(column, arrow.ChunkedArray):
                column = column.combine_chunks()
            if not isinstance(column, arrow.Array):
                raise type_error("column", "an Arrow array", column)
            if not is_list_of_numbers(column.type):
                raise value_error("column", "lists of numbers", str(column.type))
            present = column.is_valid()
            lengths = arrow.compute.list_value_length(column.filter(present)).unique().to_pylist()
            projected = np.zeros((len(column), new), dtype=np.float32)
            if lengths:
                if lengths != [old]:
                    raise value_error("column", f"lists of {old} numbers", f"lists of {sorted(lengths)}")
                flat = column.filter(present).flatten().to_numpy(zero_copy_only=False)
                projected[present.to_numpy(zero_copy_only=False)] = self.transform(flat.reshape(-1, old))
            values = arrow.array(projected.ravel())
            return arrow.FixedSizeListArray.from_arrays(values, new, mask=arrow.compute.invert(present))

        return transform
