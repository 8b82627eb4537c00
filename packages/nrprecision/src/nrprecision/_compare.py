"""Several models on the same items: which properties does each encode, and do two kinds of models differ?"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._comparison import ModelComparison
from ._core import import_extra, track, type_error, value_error
from ._distances import Distance
from .functional import normalized_r_precision


def compare_models(
    models: Mapping[str, Any],
    properties: Any,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    distance: Distance | Mapping[str, Distance] = "euclidean",
    level: float = 0.01,
    progress: bool | None = None,
    **options: Any,
) -> ModelComparison:
    """Score every model on every property and test whether two groups of models differ.

    A cell is the mean over the folds (or seeds) of a model. Two groups are compared per property by the two-sided
    Mann-Whitney U test over all folds of all their models (scipy, extra ``stats``). Folds of one model resemble each
    other more than two models do, so the test says little when most of a group's folds come from one model.

    Args:
        models: model -> embeddings ``(n, d)``, or a list of them, one per fold or seed. All rows are the same items.
        properties: labels as in ``normalized_r_precision``.
        groups: two groups, name -> models; a model may be in neither.
        distance: one distance for all models, or a mapping model -> distance (Table 7.1 lists each loss' own).
        level: level of the test and of the marks in the table, in (0, 1).
        progress: as in ``normalized_r_precision``, over all embeddings.
        **options: any other option of ``normalized_r_precision``.

    Returns:
        The table, with ``to_markdown()``, ``to_html()``, ``to_frame()`` and ``plot()``.

    Raises:
        TypeError: ``models`` is no mapping.
        ValueError: groups are not two disjoint groups of known models, or a model has no distance or no fold.
        ImportError: groups were given and scipy is not installed.

    Example:
        >>> import numpy as np
        >>> generator = np.random.default_rng(0)
        >>> car = np.repeat([0, 1, 2], 20)
        >>> trained = [np.eye(3)[car] + generator.normal(0, 0.1, (60, 3)) for _ in range(2)]
        >>> models = {"trained": trained, "random": generator.normal(size=(60, 3))}
        >>> print(compare_models(models, {"car": car}).to_markdown())
        | model | car |
        | --- | ---: |
        | trained | <u>6.16</u> |
        | random | -0.35 |

    Reference:
        Chapter 7, Table 7.3; Kobs et al. 2021.
    """
    if not isinstance(models, Mapping):
        raise type_error("models", "a mapping model -> embeddings", models)
    if not models:
        raise value_error("models", "at least one model", "none")
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise value_error("level", "a number between 0 and 1", level)
    members = _check_groups(groups, models)
    stats = import_extra("scipy.stats", package="nrprecision", extra="stats") if members else None
    folds = [
        (model, fold)
        for model, embeddings in models.items()
        for fold in (embeddings if isinstance(embeddings, list | tuple) else [embeddings])
    ]
    rows: dict[str, list[NDArray[np.float64]]] = {model: [] for model in models}
    names: tuple[str, ...] = ()
    for model, embeddings in track(folds, "models", progress=progress):
        result = normalized_r_precision(
            embeddings, properties, distance=_distance_of(model, distance), progress=False, **options
        )
        names = result.names
        rows[model].append(result.nr_precision)
    if empty := [model for model, scored in rows.items() if not scored]:
        raise value_error(f"models[{empty[0]!r}]", "at least one fold", "an empty list")
    scores = {model: np.stack(scored) for model, scored in rows.items()}
    p_value, notes = None, tuple[str, ...]()
    if stats is not None:
        first, second = (np.concatenate([scores[model] for model in group]) for group in members.values())
        # scipy's "auto" leaves the exact test for all properties as soon as one of them has a tie.
        method = "exact" if min(len(first), len(second)) <= 8 else "asymptotic"
        p_value = stats.mannwhitneyu(first, second, alternative="two-sided", axis=0, method=method).pvalue
        notes = _sample_notes(members, len(first), len(second), level)
    return ModelComparison(names, scores, members, p_value, level, notes)


def _check_groups(groups: Mapping[str, Sequence[str]] | None, models: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    if groups is None:
        return {}
    if not isinstance(groups, Mapping) or not all(isinstance(listed, (list, tuple)) for listed in groups.values()):
        raise type_error("groups", "a mapping group -> list of models", groups)
    members = {group: tuple(listed) for group, listed in groups.items()}
    if len(members) != 2 or not all(members.values()):
        raise value_error("groups", "two groups with at least one model each", dict(groups))
    listed = [model for group in members.values() for model in group]
    if unknown := [model for model in listed if model not in models]:
        raise value_error("groups", f"models out of {list(models)}", unknown)
    if len(set(listed)) < len(listed):
        raise value_error("groups", "each model once", listed)
    return members


def _distance_of(model: str, distance: Distance | Mapping[str, Distance]) -> Distance:
    if not isinstance(distance, Mapping):
        return distance
    if model not in distance:
        raise value_error("distance", f"a distance for each model, also for {model!r}", list(distance))
    return distance[model]


def _sample_notes(members: Mapping[str, Any], first: int, second: int, level: float) -> tuple[str, ...]:
    """Say that the smallest p-value the test can give, that of complete separation, does not reach the level."""
    smallest = 2 / math.comb(first + second, first)
    if smallest < level:
        return ()
    a, b = members
    note = (
        f"The sample is too small for the {level:g} level: with {first} folds of {a} and {second} of {b}, "
        f"the Mann-Whitney U test cannot give a p-value below {smallest:.3g}."
    )
    warnings.warn(note, UserWarning, stacklevel=3)
    return (note,)
