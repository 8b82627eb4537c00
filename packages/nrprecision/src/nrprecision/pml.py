"""Normalised R-Precision inside pytorch-metric-learning (extra ``pml``)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ._core import import_extra, value_error
from ._distances import Distance
from ._null import Null
from .functional import normalized_r_precision

if TYPE_CHECKING:
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.utils.accuracy_calculator import (
        AccuracyCalculator,
        maybe_get_avg_of_avgs,
    )
    from pytorch_metric_learning.utils.inference import CustomKNN
else:
    _calculator = import_extra("pytorch_metric_learning.utils.accuracy_calculator", package="nrprecision", extra="pml")
    AccuracyCalculator, maybe_get_avg_of_avgs = _calculator.AccuracyCalculator, _calculator.maybe_get_avg_of_avgs
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.utils.inference import CustomKNN


class NRPrecisionCalculator(AccuracyCalculator):  # type: ignore[misc]
    """``AccuracyCalculator`` with the additional metric ``"nr_precision"``; works without faiss.

    ``include=("nr_precision",)`` runs no k-NN search and keeps no index matrix; it needs no ``k``. Without faiss the
    inherited metrics use pytorch-metric-learning's own exact k-NN and scikit-learn's k-means.

    Args:
        include: metrics to compute, all by default.
        exclude: metrics to leave out.
        distance: of ``"nr_precision"``, as in ``normalized_r_precision``.
        null: of ``"nr_precision"``, as in ``normalized_r_precision``.
        **kwargs: further arguments of ``AccuracyCalculator``.

    Example:
        >>> calculator = NRPrecisionCalculator(include=("nr_precision", "r_precision"), k="max_bin_count")
        >>> embeddings = torch.tensor([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
        >>> accuracy = calculator.get_accuracy(embeddings, torch.tensor([0, 0, 0, 1, 1, 1]))
        >>> round(accuracy["nr_precision"], 4), accuracy["r_precision"]
        (1.4142, 1.0)

    Reference:
        Chapter 7, Eq. 7.3; Kobs et al. 2021.
    """

    def __init__(
        self,
        include: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
        *,
        distance: Distance = "euclidean",
        null: Null = "binomial",
        **kwargs: Any,
    ) -> None:
        """Store the options; put in a k-NN and a k-means where faiss cannot."""
        if find_spec("faiss") is None:
            kwargs["knn_func"] = kwargs.get("knn_func") or CustomKNN(
                LpDistance(normalize_embeddings=False), batch_size=256
            )
            kwargs["kmeans_func"] = kwargs.get("kmeans_func") or _kmeans
        super().__init__(include, exclude, **kwargs)
        self.distance = distance
        self.null = null

    def calculate_nr_precision(
        self,
        *,
        query: Tensor,
        reference: Tensor,
        reference_labels: Tensor,
        ref_includes_query: bool,
        **_: Any,
    ) -> float | list[float]:
        """Return the normalised R-Precision of the queries, averaged as the calculator was told.

        Raises:
            ValueError: the reference set does not include the queries, or labels are compared by a custom function:
                the chance level is defined for one set and equality only.
        """
        if not ref_includes_query:
            raise value_error("reference", "a set that includes the queries, or exclude=('nr_precision',)", "another")
        if self.label_comparison_fn is not torch.eq:
            raise value_error("label_comparison_fn", "none with 'nr_precision'", self.label_comparison_fn)
        # Integers again: pytorch-metric-learning has made the labels float32, which reads as a continuous property.
        codes = torch.unique(reference_labels, return_inverse=True)[1].cpu()
        scores = normalized_r_precision(
            reference,
            codes,
            distance=self.distance,
            null=self.null,
            queries=None if len(query) == len(reference) else range(len(query)),
            progress=False,
        )
        per_query = torch.as_tensor(scores.per_query[0])
        kept = ~per_query.isnan()
        result: float | list[float] = maybe_get_avg_of_avgs(
            per_query[kept], codes[: len(query)][kept, None], self.avg_of_avgs, self.return_per_class
        )
        return result


def _kmeans(embeddings: Tensor, clusters: int) -> Tensor:
    """Cluster without faiss; scikit-learn is a dependency of pytorch-metric-learning."""
    cluster = import_extra("sklearn.cluster", package="nrprecision", extra="pml")
    labels = cluster.KMeans(clusters, n_init=1, random_state=0).fit_predict(embeddings.cpu().numpy())
    return torch.as_tensor(labels, dtype=torch.long, device=embeddings.device)
