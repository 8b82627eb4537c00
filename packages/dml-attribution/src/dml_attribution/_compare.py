"""Do models look at the same pixels? Means over a data set of the similarity of their maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ._arrays import flag, listed, mapped
from ._attribution import EmbeddingAttribution, Order
from ._comparison import CORRELATIONS, ModelComparison
from ._core import track, type_error, value_error
from ._moments import Moments
from ._similarity import jensen_shannon, pearson, spearman, ssim

Metric = Literal["pearson", "jensen_shannon", "spearman", "ssim"]

_METRICS: dict[str, Callable[..., Tensor]] = {
    "pearson": pearson,
    "jensen_shannon": jensen_shannon,
    "spearman": spearman,
    "ssim": ssim,
}


def compare_models(
    models: Mapping[str, EmbeddingAttribution | Callable[[Tensor], Any]],
    images: Tensor | Iterable[Any],
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    metrics: Sequence[Metric] = ("pearson", "jensen_shannon"),
    n_samples: int = 50,
    noise: float = 0.15,
    batch_size: int | None = None,
    order: Order = "text",
    generator: torch.Generator | None = None,
    progress: bool | None = None,
    **options: Any,
) -> ModelComparison:
    """Compare the attribution maps of each pair of models over a data set, streaming.

    Args:
        models: the models by name. An :class:`EmbeddingAttribution` brings its own distance; any other callable becomes
            one with ``options``.
        images: ``(n, c, h, w)``, or batches of them, such as a DataLoader; of a tuple the first entry is the images.
        groups: names of models by group, such as ``{"ranking": ["triplet"], "classification": ["arcface"]}``.
        metrics: of ``"pearson"``, ``"jensen_shannon"``, ``"spearman"`` and ``"ssim"``.
        n_samples: as in :meth:`EmbeddingAttribution.attribute`, and so are the options after it.
        noise: share of each image's range.
        batch_size: noisy images per pass.
        order: of the post-processing.
        generator: start of the noise, which all models see alike.
        progress: whether to show a bar over the batches.
        options: keyword arguments of :class:`EmbeddingAttribution` for plain models, such as ``mean`` and ``std``.

    Returns:
        Means and standard deviations over the images, per pair of models.

    Raises:
        ValueError: fewer than two models, no images, an unknown metric, or a group with an unknown model.

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> models = {name: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 8)) for name in "ab"}
        >>> result = compare_models(models, torch.rand(3, 3, 4, 4), n_samples=2, mean=0.0, std=1.0)
        >>> result.n_images, result.mean["pearson"].shape
        (3, (2, 2))

    Reference:
        Section 9.2, Tables 9.1 to 9.3 and A.1 to A.3.
    """
    attributions = {
        name: model if isinstance(model, EmbeddingAttribution) else EmbeddingAttribution(model, **options)
        for name, model in mapped("models", models).items()
    }
    if progress is not None:
        flag("progress", progress)
    if not isinstance(images, Iterable):
        raise type_error("images", "images (n, c, h, w) or batches of them", images)
    batches = [images] if isinstance(images, Tensor) else images

    def stream() -> Iterator[dict[str, Tensor]]:
        for batch in track(batches, "comparison", progress=progress):
            inputs = batch[0] if isinstance(batch, (tuple, list)) and batch else batch
            yield {
                name: attribution.attribute(
                    inputs,
                    n_samples=n_samples,
                    noise=noise,
                    batch_size=batch_size,
                    order=order,
                    generator=generator,
                    progress=False,
                )
                for name, attribution in attributions.items()
            }

    return compare_maps(stream(), names=list(models), groups=groups, metrics=metrics)


def compare_maps(
    batches: Iterable[Mapping[str, Any]],
    *,
    names: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    metrics: Sequence[Metric] = ("pearson", "jensen_shannon"),
) -> ModelComparison:
    """Compare maps that exist already, as :func:`compare_models` does.

    Args:
        batches: for each batch of images the maps ``(n, h, w)`` of every model, tensors or numpy arrays.
        names: the models.
        groups: names of models by group.
        metrics: as in :func:`compare_models`.

    Returns:
        Means and standard deviations over the images, per pair of models.

    Raises:
        ValueError: as in :func:`compare_models`.

    Example:
        >>> import torch
        >>> maps = torch.rand(5, 8, 8)
        >>> compare_maps([{"one": maps, "same": maps}], names=["one", "same"]).mean["jensen_shannon"]
        array([[0., 0.],
               [0., 0.]])
    """
    names, chosen = listed("names", names), listed("metrics", metrics)
    groups = mapped("groups", {} if groups is None else groups)
    if len(names) < 2:
        raise value_error("models", "at least two models", names)
    if len(set(names)) < len(names):
        raise value_error("names", "a name of its own for each model", names)
    if not chosen or not set(chosen) <= set(_METRICS):
        raise value_error("metrics", f"names out of {sorted(_METRICS)}", chosen)
    grouped = [name for group, members in groups.items() for name in listed(f"groups[{group!r}]", members)]
    if len(set(grouped)) < len(grouped) or not set(grouped) <= set(names):
        raise value_error("groups", f"each of {names} in at most one group", dict(groups))
    if not isinstance(batches, Iterable) or getattr(batches, "ndim", 1) == 0:
        raise type_error("batches", "the maps of each batch of images by model", batches)
    pairs = list(combinations(names, 2))
    moments = {metric: Moments(correlation=metric in CORRELATIONS) for metric in chosen}
    for maps in batches:
        if not set(names) <= set(mapped("batches", maps)):
            raise value_error("batches", f"maps of {names}", f"those of {list(maps)}")
        for metric, moment in moments.items():
            values = [_METRICS[metric](maps[a], maps[b], reduction="none") for a, b in pairs]
            moment.add(np.stack([np.asarray(torch.as_tensor(v).float().cpu()) for v in values], axis=1))
    n_images = moments[chosen[0]].count
    if not n_images:
        raise value_error("images", "at least one image", "none")
    itself = {metric: 0.0 if metric == "jensen_shannon" else 1.0 for metric in chosen}
    return ModelComparison(
        names=tuple(names),
        n_images=n_images,
        mean={metric: _square(moment.mean, len(names), itself[metric]) for metric, moment in moments.items()},
        std={metric: _square(moment.std, len(names), 0.0) for metric, moment in moments.items()},
        groups={group: tuple(members) for group, members in groups.items()},
    )


def _square(values: np.ndarray[Any, Any], k: int, diagonal: float) -> np.ndarray[Any, Any]:
    """Return the symmetric matrix ``(k, k)`` of the values of its upper triangle."""
    matrix = np.full((k, k), diagonal)
    upper = np.triu_indices(k, 1)
    matrix[upper] = values
    matrix.T[upper] = values
    return matrix
