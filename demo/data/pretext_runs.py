"""Pretraining, finetuning and testing from one start with one seed.

The full experiment keeps what each run found below ``.cache/demo/aesthetic_pretext``, so that it can be stopped, and
``python -m demo.data.pretext_runs SEED...`` makes those of some seeds in a process of its own; the chapter takes them
up. Remove that folder to compute anew.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
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
from aesthetic_pretext.baselines import RotationDataset, RotNetModel, SimCLRModel, ViewDataset
from aesthetic_pretext.ratings import mean_rating
from numpy.typing import NDArray
from torch import Tensor, nn

from demo.chapter import step
from demo.data import stored_variants as stored
from demo.data.cache import CACHE
from demo.data.photographs import load_photographs
from demo.data.pretext_pictures import pictures_of
from demo.data.stored_variants import StoredRatings, StoredVariants

COMBINATIONS = {
    "ranking": ("ranking",),
    "ranking + classification": ("ranking", "classification"),
    "ranking + regression": ("ranking", "regression"),
}
NONE, ROTNET, SIMCLR, FULL = "no pretext task", "RotNet", "SimCLR", 1.0
STARTS = (NONE, ROTNET, SIMCLR, *COMBINATIONS)
COMPARED = (NONE, "ranking + regression")  # with fewer labels, too
FAMILIES = ("technical", "style", "composition")
SHOWN = ("brightness", "contrast")
METRICS = ("epochs", "pearson", "spearman", "accuracy", "mae")
SCRATCH, IMAGENET = "from scratch", "ImageNet weights"
PRETRAINING_RATES = {SCRATCH: 1e-3, IMAGENET: 2e-4}  # above the published 1e-4, for a thousandth of its steps
FINETUNING_RATES = {SCRATCH: 1e-3, IMAGENET: 1e-4}  # of the backbone; the second is the published one
MOST_EPOCHS = 80  # of finetuning
ROTATED, VIEWED = 21, 42  # pictures per batch of the baselines, in four rotations and two views


@dataclass(frozen=True)
class Scale:
    """How much is computed.

    Attributes:
        photographs: how many at most.
        windows: of each photograph, beside all of it.
        composites: of each photograph behind a cut-out.
        variants: distorted ones drawn of each picture and epoch.
        epochs: of pretraining, per backbone.
        labels: rated pictures to train on.
        shares: of the labels.
        seeds: number of divisions into training, validation and test.
        backbones: names of networks.
        starts: what the networks were trained on before.
        patience: epochs without a fall of the validation loss before finetuning stops; half as many halve the rates.
    """

    photographs: int
    windows: int
    composites: int
    variants: int
    epochs: dict[str, int]
    labels: int
    shares: tuple[float, ...]
    seeds: int
    backbones: tuple[str, ...]
    starts: tuple[str, ...]
    patience: int


WHOLE = Scale(
    photographs=100, windows=3, composites=2, variants=24, epochs={SCRATCH: 4, IMAGENET: 1}, labels=400,
    shares=(0.05, 0.1, 0.2, 0.5, FULL), seeds=6, backbones=(SCRATCH, IMAGENET), starts=STARTS, patience=6,
)  # fmt: skip


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


@dataclass
class Material:
    """Pictures for one backbone, as images or as what its frozen layers make of them.

    Attributes:
        photographs: how many.
        variants: ``(photographs * per, 174, ...)``.
        rated: ``(photographs * per, 22, ...)``.
        ratings: ``(22,)``.
        files: ``photographs * per`` image files.
    """

    photographs: int
    variants: Tensor
    rated: Tensor
    ratings: Tensor
    files: list[Path]

    @property
    def per(self) -> int:
        """Return the number of pictures of a photograph."""
        return len(self.files) // self.photographs

    def rows(self, photographs: Sequence[int]) -> list[int]:
        """Return the pictures of some photographs."""
        return [photo * self.per + picture for photo in photographs for picture in range(self.per)]

    def labelled(self, photographs: Sequence[int], count: int | None = None, seed: int = 0) -> StoredRatings:
        """Return all rated versions of the pictures of some photographs, or some of them in a drawn order."""
        rated = self.rated[self.rows(photographs)]
        ratings = self.ratings.repeat(len(rated))
        drawn = np.random.default_rng([seed, len(photographs)]).permutation(len(ratings))[:count]
        return StoredRatings(rated.flatten(0, 1)[drawn], ratings[drawn])


@cache
def material(photographs: int, windows: int, composites: int, backbone: str) -> Material:
    """Make the pictures of a backbone; what takes long is kept in files."""
    photos = list(load_photographs().values())[-photographs:]
    folder = CACHE / "aesthetic_pretext" / f"{len(photos)} photographs, {windows} windows, {composites} composites"
    pictures: list[list] = []

    def flat() -> list:
        if not pictures:
            pictures.extend(pictures_of(photos, windows=windows, composites=composites))
        return [picture for of_photo in pictures for picture in of_photo]

    def kept(name: str, make: Callable[[], Tensor]) -> Tensor:
        path = folder / f"{name}.npy"
        if not path.is_file():
            unfinished = path.with_suffix(f".{os.getpid()}.npy")
            np.save(unfinished, make().numpy())
            unfinished.replace(path)
        return torch.from_numpy(np.load(path, mmap_mode="c"))

    count = len(photos) * (1 + windows + composites)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{row}.png" for row in range(count)]
    for file, picture in zip(files, flat() if not files[-1].is_file() else []):
        picture.save(file)
    layers = stored.frozen_layers() if backbone == IMAGENET else torch.clone
    kind = f"{backbone}, {stored.FROZEN_BLOCKS} blocks frozen" if backbone == IMAGENET else backbone
    variants = kept(f"{kind}, variants", lambda: stored.stored_variants(flat(), layers))
    rated = kept(f"{kind}, rated", lambda: stored.stored_ratings(flat(), layers)[0])
    ratings = kept("ratings", lambda: stored.stored_ratings(flat()[:1], torch.clone)[1])
    return Material(len(photos), variants, rated, ratings, files)


def run_seed(results: Results, scale: Scale, backbone: str, seed: int, *, keep: bool = False) -> None:
    """Divide the photographs, pretrain on some, finetune on their faulty versions, test on those of others."""
    for start in scale.starts:
        found = _kept(scale, backbone, seed, start) if keep else run_start(scale, backbone, seed, start)
        results.rows += found.rows
        results.responses += found.responses
        for name, errors in found.errors.items():
            results.errors.setdefault(name, []).extend(errors)


def run_start(scale: Scale, backbone: str, seed: int, start: str) -> Results:
    """Make the runs of one start."""
    results = Results()
    pictures = material(scale.photographs, scale.windows, scale.composites, backbone)
    order = np.random.default_rng(seed).permutation(pictures.photographs)
    training, validation, test = np.split(order, [len(order) * 3 // 5, len(order) * 4 // 5])
    with step(f"{backbone}, {start}, seed {seed}: pretraining"):
        model = _pretrained(pictures, scale, backbone, seed, start, pictures.rows(training))
    measured: dict[str, float] = {}
    if isinstance(model, PretextModel):
        held_out = StoredVariants(pictures.variants, [photo * pictures.per for photo in test])
        measured |= {f"ranked {family}": value for family, value in _ranked(model, held_out).items()}
        if "classification" in model.tasks:
            named = evaluation.distortion_accuracy(model, held_out)
            measured |= {f"named {family}": value for family, value in named.items()}
        if "regression" in model.tasks:
            results.responses.append(_responses(model, held_out))
    results.rows += [Row(backbone, start, seed, FULL, *item) for item in measured.items()]
    labelled = pictures.labelled(training, scale.labels, seed)
    chosen_by = pictures.labelled(validation, scale.labels // 4, seed)
    target = pictures.labelled(test)
    for share in scale.shares if start in COMPARED else (FULL,):
        count = max(1, round(share * len(labelled)))
        with step(f"{backbone}, {start}, seed {seed}: finetuning on {count} pictures"):
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                nima = NimaModel(copy.deepcopy(model.features), dropout=0.5)
            run = finetune(
                nima,
                StoredRatings(labelled.stored[:count], mean_rating(labelled.ratings[:count])),
                chosen_by,
                epochs=MOST_EPOCHS,
                batch_size=16,
                backbone_learning_rate=FINETUNING_RATES[backbone],
                head_learning_rate=1e-2,
                plateau=max(1, scale.patience // 2),
                patience=scale.patience,
                seed=seed,
            )
            scores = evaluation.rating_scores(mean_rating(predict(nima, target)), mean_rating(target.ratings))
        measured = {"epochs": run.epochs} | {name: getattr(scores, name) for name in METRICS[1:]}
        results.rows += [Row(backbone, start, seed, share, *item) for item in measured.items()]
        if share == FULL:
            results.errors[backbone, start] = scores.errors.tolist()
    return results


def _pretrained(
    pictures: Material, scale: Scale, backbone: str, seed: int, start: str, rows: list[int]
) -> PretextModel | RotNetModel | SimCLRModel:
    """Pretrain; all starts see equally many images."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        features = _features(backbone)
        if start == ROTNET:
            model: PretextModel | RotNetModel | SimCLRModel = RotNetModel(features)
        elif start == SIMCLR:
            model = SimCLRModel(features)
        else:
            model = PretextModel(features, COMBINATIONS.get(start, ("ranking",)))
    if start == NONE:
        return model
    files = [pictures.files[row] for row in rows]
    dataset: StoredVariants | RotationDataset | ViewDataset
    if start == ROTNET:
        dataset, images, batch = RotationDataset(files, size=stored.SIZE, seed=seed), 4, ROTATED
    elif start == SIMCLR:
        dataset, images, batch = ViewDataset(files, size=stored.SIZE, seed=seed), 2, VIEWED
    else:
        dataset = StoredVariants(pictures.variants, rows, variants_per_image=scale.variants, seed=seed)
        images, batch = scale.variants + stored.NUM_REFERENCES, 4
    epochs = round(scale.epochs[backbone] * (scale.variants + stored.NUM_REFERENCES) / images)
    pretrain(
        model,
        dataset,
        epochs=epochs,
        decay=0.98 ** (scale.epochs[backbone] / epochs),
        images_per_batch=min(batch, len(dataset)),
        learning_rate=PRETRAINING_RATES[backbone],
        seed=seed,
    )
    return model


def _features(backbone: str) -> Features:
    if backbone == IMAGENET:
        return stored.UpperFeatures(stored.image_net()).to(memory_format=torch.channels_last)
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
    outputs = torch.stack([model(dataset[index].images[rows])["regression"] for index in range(len(dataset))])
    return np.stack([outputs[:, :, list(DISTORTIONS).index(name)].numpy() for name in SHOWN])


def _kept(scale: Scale, backbone: str, seed: int, start: str) -> Results:
    """Make the runs of one start, or read what they found before."""
    settings = asdict(scale) | {"seeds": 0, "starts": (), "backbones": ()}
    settings |= {"rates": (PRETRAINING_RATES[backbone], FINETUNING_RATES[backbone])}
    key = hashlib.sha256(repr(settings).encode()).hexdigest()[:8]
    path = CACHE / "aesthetic_pretext" / f"{backbone}, {start}, seed {seed}, {key}.json"
    if not path.is_file():
        _write(path, run_start(scale, backbone, seed, start))
    return _read(path)


def _write(path: Path, results: Results) -> None:
    unfinished = path.with_suffix(".unfinished")
    errors = [[*key, values] for key, values in results.errors.items()]
    responses = [values.tolist() for values in results.responses]
    unfinished.write_text(json.dumps({"rows": results.rows, "errors": errors, "responses": responses}))
    unfinished.replace(path)


def _read(path: Path) -> Results:
    found = json.loads(path.read_text())
    return Results(
        [Row(*row) for row in found["rows"]],
        {(backbone, start): values for backbone, start, values in found["errors"]},
        [np.array(values, np.float32) for values in found["responses"]],
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    for chosen in WHOLE.backbones:
        for number in sys.argv[1:]:
            run_seed(Results(), WHOLE, chosen, int(number), keep=True)
