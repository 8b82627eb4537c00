"""Insertion and deletion curves: does the embedding follow the pixels that the map calls important?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ._arrays import dense, finite, whole
from ._attribution import EmbeddingAttribution
from ._core import shape_error, type_error, value_error
from ._model import check_images


@dataclass(frozen=True)
class FaithfulnessCurves:
    """Distance to the baseline's embedding while pixels come or go, as a share of the whole image's distance.

    Attributes:
        fractions: share of the pixels that were changed, ``(steps + 1,)`` from 0 to 1.
        insertion: the most important pixels put into the baseline image first, ``(n, steps + 1)``.
        deletion: the most important pixels replaced by the baseline's first, ``(n, steps + 1)``.
    """

    fractions: Tensor
    insertion: Tensor
    deletion: Tensor

    @property
    def insertion_area(self) -> Tensor:
        """Area under each insertion curve, ``(n,)``; higher is better."""
        return torch.trapezoid(self.insertion, self.fractions)

    @property
    def deletion_area(self) -> Tensor:
        """Area under each deletion curve, ``(n,)``; lower is better."""
        return torch.trapezoid(self.deletion, self.fractions)


def faithfulness(
    attribution: EmbeddingAttribution,
    inputs: Tensor,
    maps: Tensor,
    *,
    steps: int = 20,
    batch_size: int | None = None,
) -> FaithfulnessCurves:
    """Return the insertion and deletion curves of ``maps`` under the distance that ``attribution`` explains.

    Args:
        attribution: model, distance and baseline (or reference).
        inputs: images ``(n, c, h, w)``.
        maps: attribution maps ``(n, h, w)`` of them, from any method.
        steps: number of equal shares in which the pixels change.
        batch_size: images per pass, as in :meth:`EmbeddingAttribution.attribute`.

    Returns:
        Curves per image; compare their areas with those of a random map. An image at distance 0 has zeros.

    Raises:
        ValueError: ``maps`` is not ``(n, h, w)`` or ``steps`` is below one.

    Example:
        >>> import torch
        >>> model = torch.nn.Flatten()
        >>> attribution = EmbeddingAttribution(model, normalize_embeddings=False, mean=0.0, std=1.0)
        >>> image, maps = torch.tensor([[[[3.0, 4.0]]]]), torch.tensor([[[0.6, 0.8]]])
        >>> faithfulness(attribution, image, maps, steps=2).deletion
        tensor([[1.0000, 0.6000, 0.0000]])

    Reference:
        Petsiuk et al. 2018, "RISE: randomized input sampling for explanation of black-box models", here for embeddings.
    """
    if not isinstance(attribution, EmbeddingAttribution):
        raise type_error("attribution", "an EmbeddingAttribution", attribution)
    steps = whole("steps", steps, least=1)
    inputs, maps = check_images("inputs", inputs), dense("maps", maps)
    if maps.shape != (len(inputs), *inputs.shape[2:]):
        raise shape_error("maps", "one map (h, w) per image", {"inputs": inputs.shape, "maps": maps.shape})
    if not finite(maps):
        raise value_error("maps", "finite values", "NaN or infinity")
    baselines = attribution.baselines(inputs)
    # The rank of each pixel, 0 for the most important one; a stable sort makes ties reproducible.
    ranks = maps.flatten(1).argsort(dim=1, descending=True, stable=True).argsort(dim=1).reshape(maps.shape)[:, None]
    fractions = torch.linspace(0, 1, steps + 1, device=inputs.device)
    insertion: list[Tensor] = []
    deletion: list[Tensor] = []
    for fraction in fractions:
        changed = ranks < fraction * maps[0].numel()
        for curve, images in ((insertion, (inputs, baselines)), (deletion, (baselines, inputs))):
            mixed = torch.where(changed, *images)
            curve.append(attribution.distances(mixed, reference=baselines, batch_size=batch_size))
    full = deletion[0]
    scale = torch.where(full > 0, 1 / torch.where(full > 0, full, 1), 0)[:, None]
    return FaithfulnessCurves(fractions, torch.stack(insertion, dim=1) * scale, torch.stack(deletion, dim=1) * scale)
