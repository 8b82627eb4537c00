"""How well a notion does with other dimensions, encoders and numbers of prompts (Figs. 13.4 to 13.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._arrays import listed, positive_integer, seed_of, to_tensor
from ._core import type_error, value_error
from ._estimator import Estimator
from ._evaluate import evaluate
from ._plots import plot_sweep


@dataclass(frozen=True)
class Sweep:
    """Scores of methods along one axis.

    Attributes:
        axis: what was varied.
        values: its values.
        measure: name of the score.
        scores: for each method ``(len(values), seeds)``; NaN where it could not be fitted.
    """

    axis: str
    values: list[Any]
    measure: str
    scores: dict[str, NDArray[np.float64]]

    def plot(self, *, axes: Any = None) -> tuple[Any, Any]:
        """Draw mean and standard deviation over seeds, one line per method (extra ``plot``); return figure and axes."""
        return plot_sweep(self, axes=axes)


def sweep_components(
    methods: Mapping[str, Estimator],
    prompts_or_embeddings: Any,
    images_or_embeddings: Any,
    labels: Any,
    *,
    components: Iterable[int],
    measure: str = "MAP@R",
    seeds: Sequence[int] = range(5),
) -> Sweep:
    """Vary the number of dimensions, as Fig. 13.4 does; a method without ``n_components`` is the same everywhere.

    Args:
        methods: as for ``evaluate``.
        prompts_or_embeddings: as for ``evaluate``.
        images_or_embeddings: as for ``evaluate``.
        labels: as for ``evaluate``.
        components: numbers of dimensions.
        measure: as for ``evaluate``.
        seeds: as for ``evaluate``.
    """

    def cases() -> Iterable[tuple[Any, Mapping[str, Estimator], Any, Any, Sequence[int]]]:
        for count in listed("components", "numbers of dimensions", components):
            changed = {name: _with_components(method, count) for name, method in methods.items()}
            yield count, changed, prompts_or_embeddings, images_or_embeddings, seeds

    return _sweep("dimensions", cases(), labels, measure)


def sweep_encoders(
    methods: Mapping[str, Estimator],
    embeddings: Mapping[str, tuple[Any, Any]],
    labels: Any,
    *,
    measure: str = "MAP@R",
    seeds: Sequence[int] = range(5),
) -> Sweep:
    """Vary the encoder, as Fig. 13.5 does.

    Args:
        methods: as for ``evaluate``.
        embeddings: for each encoder the embeddings of the prompts and of the images.
        labels: as for ``evaluate``.
        measure: as for ``evaluate``.
        seeds: as for ``evaluate``.
    """
    if not isinstance(embeddings, Mapping):
        raise type_error("embeddings", "a mapping from names to pairs (prompts, images)", embeddings)
    cases = ((name, methods, texts, images, seeds) for name, (texts, images) in embeddings.items())
    return _sweep("encoder", cases, labels, measure)


def sweep_prompts(
    methods: Mapping[str, Estimator],
    text_embeddings: Any,
    images_or_embeddings: Any,
    labels: Any,
    *,
    counts: Iterable[int],
    measure: str = "MAP@R",
    seeds: Sequence[int] = range(5),
) -> Sweep:
    """Vary the number of prompts, drawn anew with each seed, as Fig. 13.6 does.

    Args:
        methods: as for ``evaluate``.
        text_embeddings: ``(n, r)``, embedded before.
        images_or_embeddings: as for ``evaluate``.
        labels: as for ``evaluate``.
        counts: numbers of prompts, at most n.
        measure: as for ``evaluate``.
        seeds: of the draw and of the methods.
    """
    rows = to_tensor("text_embeddings", text_embeddings)
    results: list[Sweep] = []
    seeds = [seed_of("seeds", seed) for seed in listed("seeds", "whole numbers", seeds)]
    counts = [positive_integer("counts", count) for count in listed("counts", "numbers of prompts", counts)]
    if not all(2 <= count <= len(rows) for count in counts):
        raise value_error("counts", f"numbers from 2 to {len(rows)}", counts)
    for seed in seeds:
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
        cases = ((count, methods, rows[order[:count]], images_or_embeddings, [seed]) for count in counts)
        results.append(_sweep("prompts", cases, labels, measure))
    joined = {name: np.concatenate([result.scores[name] for result in results], axis=1) for name in methods}
    return Sweep("prompts", counts, measure, joined)


def _sweep(
    axis: str,
    cases: Iterable[tuple[Any, Mapping[str, Estimator], Any, Any, Sequence[int]]],
    labels: Any,
    measure: str,
) -> Sweep:
    values: list[Any] = []
    rows: dict[str, list[NDArray[np.float64]]] = {}
    for value, methods, prompts, images, seeds in cases:
        result = evaluate(methods, prompts, images, labels, seeds=seeds, measures=[measure], progress=False)
        values.append(value)
        for name in methods:
            missing = np.full(len(seeds), np.nan)
            found = result.scores[name][measure] if name in result.scores else missing
            rows.setdefault(name, []).append(found)
    if not values:
        raise value_error(axis, "at least one value", values)
    return Sweep(axis, values, measure, {name: np.stack(scores) for name, scores in rows.items()})


def _with_components(method: Estimator, count: int) -> Estimator:
    parameters = method.get_params()
    if "n_components" in parameters:
        parameters["n_components"] = count
    return type(method)(**parameters)
