"""Normalised R-Precision as a ``torchmetrics.Metric`` (extra ``metrics``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ._core import import_extra, shape_error, type_error, value_error
from ._distances import Distance
from ._null import Null
from .functional import normalized_r_precision

if TYPE_CHECKING:
    from torchmetrics import Metric
    from torchmetrics.utilities import dim_zero_cat
else:
    Metric = import_extra("torchmetrics", package="nrprecision", extra="metrics").Metric
    dim_zero_cat = import_extra("torchmetrics.utilities", package="nrprecision", extra="metrics").dim_zero_cat


class NormalizedRPrecision(Metric):
    """Normalised R-Precision of all embeddings seen since the last reset.

    Accumulate with ``update`` and read with ``compute``. Calling the metric itself would also score the batch alone,
    which means little, since the value grows with the number of items. With several processes ``compute`` gathers the
    embeddings of all, each of which needs at least one batch, and every process returns the value of the whole set.

    Args:
        properties: names of the properties; ``update`` then takes a mapping and ``compute`` returns one. Without
            names there is one set of labels and one value.
        distance: as in ``normalized_r_precision``.
        null: as in ``normalized_r_precision``.
        max_k: as in ``normalized_r_precision``.
        normalize_embeddings: as in ``normalized_r_precision``.
        **kwargs: options of ``torchmetrics.Metric``.

    Example:
        >>> metric = NormalizedRPrecision()
        >>> metric.update(torch.tensor([[0.0], [0.1], [0.2]]), torch.tensor([0, 0, 0]))
        >>> metric.update(torch.tensor([[5.0], [5.1], [5.2]]), torch.tensor([1, 1, 1]))
        >>> metric.compute()
        tensor(1.4142)

    Reference:
        Chapter 7, Eq. 7.3; Kobs et al. 2021.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    embeddings: list[Tensor]
    labels: list[Tensor]

    def __init__(
        self,
        properties: tuple[str, ...] | list[str] | None = None,
        *,
        distance: Distance = "euclidean",
        null: Null = "binomial",
        max_k: int | None = None,
        normalize_embeddings: bool = False,
        **kwargs: Any,
    ) -> None:
        """Store the options and start empty."""
        super().__init__(**kwargs)
        self.properties = None if properties is None else tuple(properties)
        self.options: dict[str, Any] = {
            "distance": distance,
            "null": null,
            "max_k": max_k,
            "normalize_embeddings": normalize_embeddings,
        }
        self.add_state("embeddings", default=[], dist_reduce_fx="cat")
        self.add_state("labels", default=[], dist_reduce_fx="cat")

    def update(self, embeddings: Tensor, labels: Tensor | Mapping[str, Tensor]) -> None:
        """Add a batch.

        Args:
            embeddings: ``(batch, d)``.
            labels: integers ``(batch,)``, or a mapping name -> integers ``(batch,)`` when the metric has names.

        Raises:
            TypeError: labels are no tensors.
            ValueError: labels are no integers, the shapes do not fit, or the names are not those of the constructor.
        """
        if self.properties is None:
            columns: dict[str, Any] = {"labels": labels}
        elif isinstance(labels, Mapping) and set(labels) == set(self.properties):
            columns = {f"labels[{name!r}]": labels[name] for name in self.properties}
        else:
            got = list(labels) if isinstance(labels, Mapping) else type(labels).__name__
            raise value_error("labels", f"a mapping with the names {list(self.properties)}", got)
        if not isinstance(embeddings, Tensor):
            raise type_error("embeddings", "a tensor (batch, d)", embeddings)
        if embeddings.ndim != 2:
            raise shape_error("embeddings", "(batch, d)", {"embeddings": embeddings.shape})
        for argument, column in columns.items():
            if not isinstance(column, Tensor):
                raise type_error(argument, "a tensor of integers", column)
            if column.is_floating_point() or column.is_complex():
                raise value_error(argument, "a tensor of integers", str(column.dtype))
            if column.shape != embeddings.shape[:1]:
                shapes = {argument: column.shape, "embeddings": embeddings.shape}
                raise shape_error(argument, "one label per row of embeddings", shapes)
        self.embeddings.append(embeddings.detach())
        self.labels.append(torch.stack([column.detach().long() for column in columns.values()], dim=1))

    def compute(self) -> Tensor | dict[str, Tensor]:
        """Return the value of all items, or a mapping name -> value when the metric has names."""
        embeddings, labels = dim_zero_cat(self.embeddings), dim_zero_cat(self.labels)
        names = self.properties or ("label",)
        columns = dict(zip(names, labels.unbind(dim=1)))
        scores = normalized_r_precision(embeddings, columns, progress=False, **self.options)
        values = torch.as_tensor(scores.nr_precision, dtype=torch.float32, device=embeddings.device)
        return values[0] if self.properties is None else dict(zip(names, values))
