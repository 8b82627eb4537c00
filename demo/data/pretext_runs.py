"""Pretraining, finetuning and testing of one seed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from aesthetic_pretext import (
    DISTORTIONS,
    VARIANTS,
    Features,
    NimaModel,
    PretextModel,
    evaluation,
    finetune,
    predict,
    pretrain,
)
from aesthetic_pretext.ratings import mean_rating
from numpy.typing import NDArray
from torch import Tensor, nn

from demo.data import stored_variants as stored
from demo.data.stored_variants import StoredRatings, StoredVariants

COMBINATIONS = {
    "ranking": ("ranking",),
    "ranking + classification": ("ranking", "classification"),
    "ranking + regression": ("ranking", "regression"),
}
NONE, FULL = "no pretext task", 1.0
COMPARED = (NONE, "ranking + regression")  # with fewer labels, too
FAMILIES = ("technical", "style", "composition")
SHOWN = ("brightness", "contrast")
METRICS = ("epochs", "pearson", "spearman", "accuracy", "mae")
SCRATCH, IMAGENET = "from scratch", "ImageNet weights"
PRETRAINING_RATE = 1e-3  # ten times the published one, for a thousandth of its steps
FINETUNING_RATES = {SCRATCH: 1e-3, IMAGENET: 1e-4}  # of the backbone; the second is the published one


@dataclass(frozen=True)
class Scale:
    """How much is computed."""

    photographs: int
    crops: int
    variants: int
    pretraining_epochs: int
    finetuning_epochs: int
    shares: tuple[float, ...]
    seeds: int
    backbones: tuple[str, ...]


class Row(NamedTuple):
    """One measured value."""

    backbone: str
    start: str
    seed: int
    share: float
    measure: str
    value: float


@dataclass
class Results:
    """All values; the errors of all test pictures and seeds; responses to levels of brightness."""

    rows: list[Row] = field(default_factory=list)
    errors: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    responses: list[NDArray[np.float32]] = field(default_factory=list)

    def values(self, backbone: str, start: str, measure: str, share: float = FULL) -> NDArray[np.float64]:
        """Return one value per seed."""
        return np.array(
            [row.value for row in self.rows if row[:2] == (backbone, start) and row[3:5] == (share, measure)]
        )


def run_seed(
    results: Results, scale: Scale, backbone: str, seed: int, variants: list[Tensor], rated: list[tuple[Tensor, Tensor]]
) -> None:
    """Divide the photographs, pretrain on some, finetune on their faulty versions, test on those of others."""
    order = np.random.default_rng(seed).permutation(len(variants))
    training, validation, test = np.split(order, [len(order) * 3 // 5, len(order) * 4 // 5])
    unlabelled = torch.cat([variants[photo] for photo in training])
    held_out = StoredVariants(torch.stack([variants[photo][0] for photo in test]))

    def ratings(photos: Sequence[int]) -> StoredRatings:
        pictures, values = zip(*(rated[photo] for photo in photos))
        return StoredRatings(torch.cat(pictures), torch.cat(values))

    for start in (NONE, *COMBINATIONS):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = PretextModel(_features(backbone), COMBINATIONS.get(start, ("ranking",)))
        if start != NONE:
            dataset = StoredVariants(unlabelled, variants_per_image=scale.variants, seed=seed)
            batch = min(4, len(dataset))
            pretrain(
                model,
                dataset,
                epochs=scale.pretraining_epochs,
                images_per_batch=batch,
                learning_rate=PRETRAINING_RATE,
                seed=seed,
            )
        measured = {f"ranked {family}": value for family, value in _ranked(model, held_out).items()}
        if "classification" in model.tasks:
            named = evaluation.distortion_accuracy(model, held_out)
            measured |= {f"named {family}": value for family, value in named.items()}
        if "regression" in model.tasks:
            results.responses.append(_responses(model, held_out))
        results.rows += [Row(backbone, start, seed, FULL, *item) for item in measured.items()]
        curve = backbone == IMAGENET and start in COMPARED
        for share in scale.shares if curve else (FULL,):
            labelled = ratings(training[: max(1, round(share * len(training)))])
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                nima = NimaModel(copy.deepcopy(model.features), dropout=0.5)
            run = finetune(
                nima,
                labelled,
                ratings(validation),
                epochs=scale.finetuning_epochs,
                batch_size=16,
                backbone_learning_rate=FINETUNING_RATES[backbone],
                head_learning_rate=1e-2,
                plateau=3,
                patience=6,
                seed=seed,
            )
            target = ratings(test)
            scores = evaluation.rating_scores(mean_rating(predict(nima, target)), mean_rating(target.ratings))
            measured = {"epochs": run.epochs} | {name: getattr(scores, name) for name in METRICS[1:]}
            results.rows += [Row(backbone, start, seed, share, *item) for item in measured.items()]
            if share == FULL:
                results.errors.setdefault((backbone, start), []).extend(scores.errors)


def _features(backbone: str) -> Features:
    if backbone == IMAGENET:
        return stored.UpperFeatures(stored.image_net())
    layers: list[nn.Module] = []
    for channels, wider in [(3, 16), (16, 32), (32, 64), (64, 96)]:
        layers += [nn.Conv2d(channels, wider, 3, stride=2, padding=1), nn.BatchNorm2d(wider), nn.ReLU()]
    return Features(nn.Sequential(*layers))


@torch.no_grad()
def _ranked(model: PretextModel, dataset: StoredVariants) -> dict[str, float]:
    """Return the share of pairs of neighbouring or farther levels that are in the right order, per family."""
    model.eval()
    right: dict[str, list[float]] = {family: [] for family in FAMILIES}
    rows = {(key.distortion, key.level): row for row, key in enumerate(VARIANTS)}
    heads = {key.reference: row for row, key in enumerate(VARIANTS) if key.distortion is None}
    for index in range(len(dataset)):
        scores = model(dataset[index].images)["ranking"]
        for distortion in DISTORTIONS.values():
            for sign in (-1, 1):
                ladder = sorted((level for level in distortion.levels if level * sign > 0), key=abs)
                ordered = scores[[heads[distortion.reference], *(rows[distortion.name, level] for level in ladder)]]
                above = ordered[:, None] > ordered
                right[distortion.family] += above[torch.ones_like(above).triu(1).bool()].float().tolist()
    return {family: float(np.mean(values)) for family, values in right.items()}


@torch.no_grad()
def _responses(model: PretextModel, dataset: StoredVariants) -> NDArray[np.float32]:
    """Return ``(2 outputs, n, 11 levels)`` of the brightness and contrast outputs to levels of brightness."""
    model.eval()
    levels = sorted((*DISTORTIONS["brightness"].levels, 0))
    rows = [VARIANTS.index(("brightness" if level else None, level, "original")) for level in levels]
    outputs = torch.stack([model(dataset.stored[index][rows])["regression"] for index in range(len(dataset))])
    return np.stack([outputs[:, :, list(DISTORTIONS).index(name)].numpy() for name in SHOWN])
