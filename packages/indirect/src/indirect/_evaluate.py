"""The measures of Table B.1 for several methods, over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._arrays import label_codes, listed, seed_of, to_tensor
from ._core import import_extra, track, type_error, value_error
from ._estimator import Estimator
from ._search import search
from ._trained_baselines import Oracle

MEASURES = {
    "MAP@R": "mean_average_precision_at_r",
    "Prec@1": "precision_at_1",
    "R-Prec": "r_precision",
    "AMI": "AMI",
    "NMI": "NMI",
    "MAP": "mean_average_precision",
    "MRR": "mean_reciprocal_rank",
}


@dataclass(frozen=True)
class Evaluation:
    """Scores from 0 to 1 (AMI may fall below), higher is better.

    Attributes:
        scores: for each method and measure one value per seed, ``(seeds,)``.
        failures: why a method has no scores, such as PCA with too few prompts.
    """

    scores: dict[str, dict[str, NDArray[np.float64]]]
    failures: dict[str, str]

    def mean(self, method: str, measure: str = "MAP@R") -> float:
        """Return the mean over seeds."""
        return float(self.scores[method][measure].mean())

    def to_markdown(self, measures: Sequence[str] | None = None) -> str:
        """Return a table in percent: one line per measure, mean and standard deviation over seeds per method."""
        names = [*self.scores, *self.failures]
        lines = [["", *names], ["---", *["---:"] * len(names)]]
        for measure in measures or next(iter(self.scores.values()), ()):
            cells = [_cell(self.scores[name][measure]) if name in self.scores else "n/a" for name in names]
            lines.append([measure, *cells])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(values: NDArray[np.float64]) -> str:
    spread = f" ± {100 * values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * values.mean():.1f}{spread}"


def evaluate(
    methods: Mapping[str, Estimator],
    prompts_or_embeddings: Any,
    images_or_embeddings: Any,
    labels: Any,
    *,
    seeds: Sequence[int] = range(5),
    measures: Sequence[str] = tuple(MEASURES),
    progress: bool | None = None,
) -> Evaluation:
    """Fit each method on texts with each seed, embed the images, and measure how well their labels are retrieved.

    Each image is a query; all others are the references. A method that draws nothing runs once per seed all the same,
    because k-means, behind AMI and NMI, draws too. ``Oracle`` is fitted on the images and labels.

    Args:
        methods: unfitted estimators, which stay unfitted.
        prompts_or_embeddings: as for ``InDiReCT.fit``.
        images_or_embeddings: image embeddings ``(m, r)``.
        labels: one per image; each value at least once, and one value at least twice.
        seeds: values of ``random_state``.
        measures: names out of ``MAP@R, Prec@1, R-Prec, AMI, NMI, MAP, MRR``.
        progress: bar on standard error; ``None`` only in a terminal.

    Returns:
        Scores per method, measure and seed. A method whose ``fit`` raises a ``ValueError`` is in ``failures``.

    Raises:
        ImportError: the extra ``evaluate`` is not installed.
        ValueError: no methods or seeds, unknown measures, another number of labels than images, or all labels
            different.

    Reference:
        Table 13.2 and Table B.1.
    """
    if not isinstance(methods, Mapping):
        raise type_error("methods", "a mapping from names to estimators", methods)
    if not methods:
        raise value_error("methods", "at least one", methods)
    seeds = [seed_of("seeds", seed) for seed in listed("seeds", "whole numbers", seeds)]
    images = to_tensor("images_or_embeddings", images_or_embeddings)
    measures, codes = _checked(images, labels, measures)
    scores: dict[str, dict[str, list[float]]] = {}
    failures: dict[str, str] = {}
    for name, method in track(methods.items(), "evaluating", total=len(methods), progress=progress):
        runs = []
        for seed in seeds:
            fitted = type(method)(**method.get_params())
            if "random_state" in fitted.get_params():
                fitted.set_params(random_state=seed)
            try:
                source = (images, codes) if isinstance(method, Oracle) else (prompts_or_embeddings,)
                fitted.fit(*source)
            except ValueError as error:
                failures[name] = str(error)
                break
            runs.append(score(fitted.transform(images), codes, measures=measures, seed=seed))
        else:
            scores[name] = {measure: [run[measure] for run in runs] for measure in measures}
    arrays = {name: {m: np.array(values) for m, values in table.items()} for name, table in scores.items()}
    return Evaluation(arrays, failures)


def score(
    embeddings: Any, labels: Any, *, measures: Sequence[str] = tuple(MEASURES), seed: int = 0
) -> dict[str, float]:
    """Return the measures of one set of embeddings ``(m, d)`` by cosine, each image a query against all others.

    Args:
        embeddings: array or tensor.
        labels: one per row.
        measures: names out of ``MAP@R, Prec@1, R-Prec, AMI, NMI, MAP, MRR``.
        seed: of the k-means behind AMI and NMI.

    Raises:
        ImportError: the extra ``evaluate`` is not installed.
        ValueError: as ``evaluate``.
    """
    library = import_extra("pytorch_metric_learning.utils.accuracy_calculator", package="indirect", extra="evaluate")
    clusters = import_extra("sklearn.cluster", package="indirect", extra="evaluate")

    def neighbours(query: Tensor, k: int, reference: Tensor, _: bool) -> tuple[Tensor, Tensor]:
        # The calculator asks for all but the query itself, which need not come first among equals.
        cosines, rows = search(query, reference, k + 1)
        other = rows != torch.arange(len(query), device=rows.device)[:, None]
        other[other.all(1), -1] = False
        return 1 - cosines[other].view(-1, k), rows[other].view(-1, k)

    def k_means(rows: Tensor, count: int) -> Tensor:
        model = clusters.KMeans(count, n_init=1, random_state=seed)
        return torch.as_tensor(model.fit_predict(rows.cpu().numpy()), device=rows.device)

    rows = torch.nn.functional.normalize(to_tensor("embeddings", embeddings).detach(), dim=1)
    seed = seed_of("seed", seed)
    measures, numbers = _checked(rows, labels, measures)
    codes = torch.as_tensor(numbers, device=rows.device)
    calculator = library.AccuracyCalculator(
        include=tuple(MEASURES[name] for name in measures), knn_func=neighbours, kmeans_func=k_means
    )
    found = calculator.get_accuracy(rows, codes)
    return {name: float(found[MEASURES[name]]) for name in measures}


def _checked(rows: Tensor, labels: Any, measures: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the measures, and the labels as numbers from 0 on, after checking both."""
    names = listed("measures", f"names out of {list(MEASURES)}", measures)
    if unknown := [name for name in names if name not in list(MEASURES)]:
        raise value_error("measures", f"names out of {list(MEASURES)}", unknown)
    _, codes, counts = label_codes("labels", labels, len(rows))
    if counts.max() < 2:
        raise value_error("labels", "a value that two images share", "all different")
    return names, codes
