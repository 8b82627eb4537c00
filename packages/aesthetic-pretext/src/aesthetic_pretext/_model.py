"""Backbones with the heads of the pretext tasks."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from . import functional
from ._checks import dense, names, number
from ._core import shape_error, type_error, value_error
from ._dataset import PretextBatch
from ._targets import NUM_DISTORTIONS

Task: TypeAlias = Literal["ranking", "classification", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, what most backbones were trained with


class Features(nn.Module):
    """A backbone without its classifier: 8-bit images in, feature vectors out.

    Args:
        backbone: timm or torchvision classifier, whose last layer is taken off, or any module that returns ``(n, d)``
            or ``(n, d, h, w)``. It is copied, never changed.
        mean: subtracted from values in [0, 1].
        std: what they are divided by then.

    Raises:
        ValueError: the backbone returns no feature vectors.

    Example:
        >>> features = Features(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()))
        >>> features.num_features, features(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)).shape
        (8, torch.Size([2, 8]))
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Module, *, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> None:
        super().__init__()
        if not isinstance(backbone, nn.Module):
            raise type_error("backbone", "a torch.nn.Module", backbone)
        like = next((p for p in backbone.parameters() if p.is_floating_point()), torch.zeros(()))
        self.register_buffer("mean", _channels("mean", mean).to(like), persistent=False)
        self.register_buffer("std", _channels("std", std, least=1e-6).to(like), persistent=False)
        self.backbone = _without_classifier(copy.deepcopy(backbone))
        self.num_features = 0
        training = self.backbone.training
        with torch.no_grad():
            example = torch.zeros(2, 3, 224, 224, dtype=torch.uint8, device=like.device)
            self.num_features = int(self.eval().forward(example).shape[1])
        self.train(training)

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(n, d)`` features of ``(n, 3, h, w)`` images, uint8 or floating point in [0, 1]."""
        if dense("images", images).ndim != 4 or images.shape[1] != 3 or not images.numel():
            raise shape_error("images", "(n, 3, h, w), not empty", {"images": images.shape})
        if images.dtype != torch.uint8 and not images.is_floating_point():
            raise value_error("images", "dtype uint8, or floating point in [0, 1]", f"dtype {images.dtype}")
        if images.device != self.mean.device:
            raise value_error("images", f"a tensor on {self.mean.device}, as the backbone", f"one on {images.device}")
        values = images.to(self.mean.dtype)
        values = values / 255 if images.dtype == torch.uint8 else values
        features = self.backbone((values - self.mean) / self.std)
        if not isinstance(features, Tensor) or features.ndim not in (2, 4):
            got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise value_error("backbone", "a module that returns (n, d) or (n, d, h, w)", got)
        features = features.mean((2, 3)) if features.ndim == 4 else features
        if self.num_features and features.shape[1] != self.num_features:
            expected = f"a size at which the backbone has {self.num_features} features, as at 224 x 224"
            raise value_error("images", expected, f"{features.shape[1]} at {images.shape[2]} x {images.shape[3]}")
        return features


def _channels(argument: str, values: Sequence[float], least: float = -math.inf) -> Tensor:
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)) or len(values) != 3:
        raise value_error(argument, "three numbers", values)
    return torch.tensor([number(argument, value, least) for value in values]).view(3, 1, 1)


def _without_classifier(backbone: nn.Module) -> nn.Module:
    reset: Any = getattr(backbone, "reset_classifier", None)  # timm
    if reset is not None:
        reset(0)
        return backbone
    for name in ("fc", "classifier", "heads", "head"):  # torchvision
        if isinstance(getattr(backbone, name, None), nn.Module):
            setattr(backbone, name, nn.Identity())
            break
    return backbone


def _head(num_features: int, num_outputs: int, dropout: float) -> nn.Sequential:
    linear = nn.Linear(num_features, num_outputs)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.Dropout(dropout), linear)


class PretextModel(nn.Module):
    """A backbone with a head for each pretext task.

    Args:
        backbone: as in `Features`; a `Features` is taken as it is.
        tasks: some of ``"ranking"``, ``"classification"`` and ``"regression"``; ranking is the main one.
        dropout: before each head.
        margin: of the ranking loss.
        consistency_weight: weight of `functional.consistency_loss` in the ranking task, 0 as published.
        cross_image_weight: weight of `functional.cross_image_ranking_loss` in the ranking task, 0 as published.

    Raises:
        ValueError: there is no task or an unknown one, or the backbone does not fit.

    Example:
        >>> model = PretextModel(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), tasks=("ranking", "regression"))
        >>> {task: tuple(output.shape) for task, output in model(torch.zeros(2, 3, 32, 32)).items()}
        {'ranking': (2,), 'regression': (2, 21)}

    Reference:
        Section 16.1.3 and 16.1.4.
    """

    def __init__(
        self,
        backbone: nn.Module,
        tasks: Sequence[Task] = ("ranking", "regression"),
        *,
        dropout: float = 0.2,
        margin: float = 0.2,
        consistency_weight: float = 0.0,
        cross_image_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.tasks = names("tasks", tasks, TASKS)
        self.margin = number("margin", margin, 0)
        self.consistency_weight = number("consistency_weight", consistency_weight, 0)
        self.cross_image_weight = number("cross_image_weight", cross_image_weight, 0)
        number("dropout", dropout, 0, 1)
        self.features = backbone if isinstance(backbone, Features) else Features(backbone)
        outputs = {"ranking": 1, "classification": NUM_DISTORTIONS, "regression": NUM_DISTORTIONS}
        self.heads = nn.ModuleDict(
            {task: _head(self.features.num_features, outputs[task], dropout) for task in self.tasks}
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return for each task: scores ``(n,)`` in (0, 1), logits ``(n, 21)``, intensities ``(n, 21)``."""
        features = self.features(images)
        outputs: dict[str, Tensor] = {task: head(features) for task, head in self.heads.items()}
        if "ranking" in outputs:
            outputs["ranking"] = outputs["ranking"].squeeze(1).sigmoid()
        return outputs

    def losses(self, outputs: dict[str, Tensor], batch: PretextBatch) -> dict[str, Tensor]:
        """Return the loss of each task, summed over the pairs or variants of an image, mean over images."""
        _, levels, groups, reference = batch
        losses = {}
        if "ranking" in outputs:
            scores = outputs["ranking"]
            loss = functional.ranking_loss(scores, levels, groups, reference=reference, margin=self.margin)
            if self.consistency_weight:
                loss = loss + self.consistency_weight * functional.consistency_loss(scores, levels, groups)
            if self.cross_image_weight:
                loss = loss + self.cross_image_weight * functional.cross_image_ranking_loss(
                    scores, levels, groups, margin=self.margin
                )
            losses["ranking"] = loss
        if "classification" in outputs:
            losses["classification"] = functional.distortion_classification_loss(
                outputs["classification"], levels, groups
            )
        if "regression" in outputs:
            losses["regression"] = functional.intensity_regression_loss(
                outputs["regression"], levels, groups, reference=reference
            )
        return losses
