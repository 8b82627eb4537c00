"""How good is a pretrained model on the pretext tasks themselves?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._core import track, type_error, value_error
from ._dataset import FolderDataset, PretextDataset
from ._model import PretextModel
from ._registry import DISTORTIONS, FAMILIES, get_distortion
from ._targets import NUM_DISTORTIONS
from ._variants import VariantKey, iterate_variants


@torch.no_grad()
def distortion_accuracy(
    model: PretextModel, dataset: PretextDataset, *, progress: bool | None = None
) -> dict[str, float]:
    """Return how often the classification head names the applied distortion, per aspect.

    Args:
        model: with the task ``"classification"``.
        dataset: photographs.
        progress: show a progress bar; by default in a terminal only.

    Returns:
        aspect -> accuracy; guessing has 1/6, 1/9 and 1/6. An aspect that was not drawn is NaN.

    Raises:
        ValueError: the model has no such head.

    Reference:
        Table 16.4.
    """
    _need_task(model, "classification", dataset)
    device = next(model.parameters()).device
    model.eval()
    family = np.array([FAMILIES.index(d.family) for d in DISTORTIONS.values()])
    right, count = np.zeros(len(FAMILIES)), np.zeros(len(FAMILIES))
    for index in track(range(len(dataset)), "classifying", progress=progress):
        batch = dataset[index]
        logits = model(batch.images.to(device))["classification"].float().cpu().numpy()
        distorted = (batch.levels != 0).numpy()
        target = (batch.groups % NUM_DISTORTIONS).numpy()[distorted]
        outside = family != family[target][:, None]
        named = np.where(outside, -np.inf, logits[distorted]).argmax(1)
        count += np.bincount(family[target], minlength=len(FAMILIES))
        right += np.bincount(family[target], named == target, minlength=len(FAMILIES))
    shares = np.divide(right, count, out=np.full(len(FAMILIES), np.nan), where=count > 0)
    return dict(zip(FAMILIES, shares.tolist()))


@torch.no_grad()
def response_curves(
    model: PretextModel, dataset: FolderDataset[Any], distortion: str, *, progress: bool | None = None
) -> tuple[tuple[int, ...], NDArray[np.float32]]:
    """Return what all intensity outputs say about the levels of one distortion.

    Args:
        model: with the task ``"regression"``.
        dataset: photographs.
        distortion: the one that is applied.
        progress: show a progress bar; by default in a terminal only.

    Returns:
        The levels (0 among them), and ``(n, levels, 21)`` predicted intensities in the order of ``DISTORTIONS``.

    Raises:
        ValueError: the model has no such head, or the distortion is unknown.

    Reference:
        Section 16.4, Fig. 16.4.
    """
    _need_task(model, "regression", dataset)
    chosen = get_distortion(distortion)
    device = next(model.parameters()).device
    model.eval()
    levels = tuple(sorted((*chosen.levels, 0)))
    keys = tuple(VariantKey(chosen.name if level else None, level, chosen.reference) for level in levels)
    outputs = []
    for index in track(range(len(dataset)), distortion, progress=progress):
        images = _stacked(dataset, index, keys)
        outputs.append(model(images.to(device))["regression"].float().cpu().numpy())
    return levels, np.stack(outputs)


def _stacked(dataset: FolderDataset[Any], index: int, keys: tuple[VariantKey, ...]) -> Tensor:
    made = iterate_variants(dataset.read(index), keys, size=dataset.size, seed=dataset.seed)
    return torch.from_numpy(np.stack([variant.image for variant in made])).permute(0, 3, 1, 2).contiguous()


def _need_task(model: PretextModel, task: str, dataset: FolderDataset[Any]) -> None:
    if not isinstance(model, PretextModel):
        raise type_error("model", "a PretextModel", model)
    if not isinstance(dataset, FolderDataset):
        raise type_error("dataset", "a PretextDataset", dataset)
    if task not in model.tasks:
        raise value_error("model", f"one with the task {task!r}", model.tasks)
