"""Hostile arguments are used or refused by name; damaged files are named, or listed and skipped in batch jobs."""

from functools import partial

import numpy as np
import pytest
import torch
from aesthetic_pretext import (
    DISTORTIONS,
    VARIANTS,
    BalancedSum,
    DynamicWeightAverage,
    Features,
    LossSum,
    NimaModel,
    PretextDataset,
    PretextModel,
    RandomDistortion,
    UncertaintyWeighting,
    distort_batch,
    evaluation,
    finetune,
    functional,
    get_distortion,
    predict,
    pretrain,
    suitability,
    variants,
    variants_batch,
)
from aesthetic_pretext.files import VariantRows, contact_sheet, load_image, make_variants
from aesthetic_pretext.ratings import RatedDataset, mean_rating, read_ava, read_ratings, read_tid2013
from PIL import Image
from torch import nn

PICTURE = np.arange(12 * 9 * 3).reshape(12, 9, 3).astype(np.uint8)
IMAGES = torch.from_numpy(PICTURE).permute(2, 0, 1)[None].contiguous()
LEVELS, GROUPS = torch.tensor([0, 1, 2, -1]), torch.tensor([-1, 6, 6, 6])
REFERENCE = torch.zeros(4, dtype=torch.long)
ROWS = {"levels": LEVELS, "groups": GROUPS}
SCORES, OUTPUTS = torch.rand(4), torch.rand(4, 21)


def distort(image, level, seed, name="gaussian_noise"):
    return DISTORTIONS[name].distort(image, level, seed=seed)


def transformed(inputs, **options):
    return RandomDistortion(**options)(inputs)


def balanced(kind, losses, **options):
    balance = kind(**options)
    result = balance(losses)
    if isinstance(balance, DynamicWeightAverage):
        balance.end_epoch()
    return result


def features(images, backbone, **options):
    return Features(backbone, **options)(images)


def model(images, backbone, **options):
    return PretextModel(backbone, **options)(images)


def nima(images, backbone, dropout):
    return NimaModel(backbone, dropout=dropout)(images)


def curve(seeds, **options):
    return evaluation.label_curve(seeds=capped(seeds), **options)


def capped(value):
    """Return a number that would never end, which is no mistake, as one that does."""
    return 1 if value == 10**30 else value


BACKBONE = nn.Sequential(nn.Conv2d(3, 2, 8, stride=8), nn.ReLU())
LOSSES = {"a": torch.tensor(1.0), "b": torch.tensor(2.0)}
CALLS = {
    "distort": (distort, {"image": PICTURE, "level": 1, "seed": 0}),
    "get_distortion": (get_distortion, {"name": "tint"}),
    "variants": (variants, {"image": PICTURE, "size": 8, "seed": 0}),
    "contact_sheet": (contact_sheet, {"image": PICTURE, "size": 8, "seed": 0}),
    "distort_batch": (
        distort_batch,
        {"images": IMAGES, "distortion": "tint", "level": 1, "generator": torch.Generator()},
    ),
    "distort_batch, noise": (
        partial(distort_batch, distortion="gaussian_noise", level=1),
        {"images": IMAGES, "generator": torch.Generator()},
    ),
    "variants_batch": (variants_batch, {"images": IMAGES, "size": 8, "generator": torch.Generator()}),
    "RandomDistortion": (
        transformed,
        {"inputs": IMAGES[0], "distortions": ["tint"], "levels": [1], "p": 1.0, "generator": torch.Generator()},
    ),
    "ranking_loss": (
        functional.ranking_loss,
        {"scores": SCORES, **ROWS, "reference": REFERENCE, "margin": 0.2, "reduction": "mean"},
    ),
    "distortion_classification_loss": (
        functional.distortion_classification_loss,
        {"logits": OUTPUTS, **ROWS, "reduction": "mean"},
    ),
    "intensity_regression_loss": (
        functional.intensity_regression_loss,
        {"predictions": OUTPUTS, **ROWS, "reference": REFERENCE, "reduction": "mean"},
    ),
    "consistency_loss": (functional.consistency_loss, {"scores": SCORES, **ROWS}),
    "cross_image_ranking_loss": (functional.cross_image_ranking_loss, {"scores": SCORES, **ROWS, "margin": 0.2}),
    "emd_loss": (
        functional.emd_loss,
        {"logits": OUTPUTS, "target": OUTPUTS.softmax(1), "reduction": "mean"},
    ),
    "targets_of": (functional.targets_of, {"keys": VARIANTS, "num_images": 2}),
    "LossSum": (partial(balanced, LossSum), {"losses": LOSSES}),
    "BalancedSum": (partial(balanced, BalancedSum), {"losses": LOSSES, "temperature": 50.0}),
    "UncertaintyWeighting": (partial(balanced, UncertaintyWeighting), {"losses": LOSSES, "tasks": ["a", "b"]}),
    "DynamicWeightAverage": (
        partial(balanced, DynamicWeightAverage),
        {"losses": LOSSES, "tasks": ["a", "b"], "temperature": 2.0},
    ),
    "Features": (
        features,
        {"images": IMAGES.repeat(1, 1, 2, 2), "backbone": BACKBONE, "mean": [0.5] * 3, "std": [0.5] * 3},
    ),
    "PretextModel": (
        model,
        {
            "images": IMAGES.repeat(1, 1, 2, 2), "backbone": BACKBONE, "tasks": ("ranking",), "dropout": 0.1,
            "margin": 0.2, "consistency_weight": 0.0, "cross_image_weight": 0.0,
        },
    ),
    "NimaModel": (nima, {"images": IMAGES.repeat(1, 1, 2, 2), "backbone": BACKBONE, "dropout": 0.1}),
    "mean_rating": (mean_rating, {"distribution": torch.full((1, 10), 0.1)}),
    "rating_scores": (
        evaluation.rating_scores,
        {"prediction": [1.0, 2.0], "target": [1.0, 3.0], "threshold": 5.0},
    ),
    "compare_errors": (
        evaluation.compare_errors,
        {"errors": {"a": [0.5, 0.6, 0.7], "b": [0.1, 0.2, 0.4]}, "baseline": "a", "alpha": 0.01},
    ),
    "label_curve": (
        curve,
        {"run": lambda share, seed: {"mae": share}, "shares": [0.5, 1.0], "seeds": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


def calls_with_files(folder):
    """Return calls that read photographs."""
    files = sorted(folder.glob("*.png"))[:2]
    photographs = PretextDataset(files, size=8, variants_per_image=2)
    rated = RatedDataset(files, [3.0, 4.0], size=8)
    pretext = PretextModel(BACKBONE, ("ranking", "classification", "regression"))
    ratings = folder / "ratings.csv"
    ratings.write_text("image,rating\n0.png,3\n1.png,4\n")

    def few(function):
        def call(num_workers, epochs, **options):
            num_workers = 0 if num_workers in (1, 10**30) else num_workers
            try:
                return function(epochs=capped(epochs), num_workers=num_workers, **options)
            except FloatingPointError as error:  # what a huge learning rate leads to
                raise ValueError(error) from error

        return call

    training = {
        "epochs": 1,
        "num_workers": 0,
        "checkpoint": None,
        "checkpoint_every": None,
        "seed": 0,
        "weight_decay": 0.0,
    }
    return {
        "PretextDataset": (
            lambda **options: PretextDataset(**options)[0],
            {"source": files, "size": 8, "variants_per_image": 2, "seed": 0},
        ),
        "pretrain": (
            few(pretrain),
            {
                "model": pretext, "dataset": photographs, "validation": None, "images_per_batch": 1, "balance": None,
                "learning_rate": 1e-4, "decay": 0.98, "precision": "float32", "log": None, "tensorboard": None,
                **training,
            },
        ),
        "finetune": (
            few(finetune),
            {
                "model": NimaModel(BACKBONE), "training": rated, "validation": rated, "batch_size": 2, "plateau": 1,
                "backbone_learning_rate": 1e-4, "head_learning_rate": 1e-3, "patience": 1, **training,
            },
        ),
        "predict": (predict, {"model": NimaModel(BACKBONE), "dataset": rated, "batch_size": 2}),
        "distortion_accuracy": (evaluation.distortion_accuracy, {"model": pretext, "dataset": photographs}),
        "response_curves": (
            evaluation.response_curves, {"model": pretext, "dataset": photographs, "distortion": "tint"},
        ),
        "suitability": (
            suitability,
            {
                "source": files, "scorer": lambda images: images.float().mean((1, 2, 3)), "limit": 0.5, "size": 8,
                "seed": 0, "batch_size": 64,
            },
        ),
        "make_variants": (
            make_variants,
            {
                "source": files[:1], "out": folder / "shards", "format": "webdataset", "photos_per_shard": 1, "size": 8,
                "seed": 0, "num_workers": 1,
            },
        ),
        "VariantRows": (
            readable(lambda path, **options: VariantRows(**options)({"path": path})),
            {"path": files[0], "size": 8, "seed": 0},
        ),
        "load_image": (readable(load_image), {"path": files[0]}),
        "RatedDataset": (
            lambda **options: RatedDataset(**options).ratings, {"files": files, "ratings": [3.0, 4.0], "size": 8},
        ),
        "read_ratings": (readable(read_ratings), {"path": ratings, "images": folder, "size": 8}),
    }  # fmt: skip


def readable(function):
    """Return the function with an empty result for a file that is not there, which its own error names."""

    def call(**options):
        try:
            return function(**options)
        except OSError:
            return None

    return call


WITH_FILES = (
    "PretextDataset", "pretrain", "finetune", "predict", "distortion_accuracy", "response_curves", "suitability",
    "make_variants", "VariantRows", "load_image", "RatedDataset", "read_ratings",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_FILES)
@pytest.mark.filterwarnings("ignore:skipped")
def test_hostile_arguments_of_calls_that_read_files(name, folder, tmp_path, monkeypatch, check_arguments):
    monkeypatch.chdir(tmp_path)  # where the folder "wrong" comes to lie
    calls = calls_with_files(folder)
    assert set(calls) == set(WITH_FILES)
    function, valid = calls[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "tif", "webp", "bmp"])
def test_a_damaged_photograph_is_named(kind, tmp_path, check_damaged):
    file = tmp_path / f"a.{kind}"
    Image.fromarray(PICTURE).resize((40, 30)).save(file)
    check_damaged(lambda: load_image(file), file, cuts=15, flips=40)


def test_a_damaged_table_of_ratings_is_named(tmp_path, check_damaged):
    Image.fromarray(PICTURE).save(tmp_path / "10.jpg")
    table = tmp_path / "ratings.csv"
    table.write_text("image,rating\n10.jpg,3.5\n10.jpg,7\n")
    check_damaged(lambda: read_ratings(table, images=tmp_path), table, cuts=15, flips=60)
    table.write_text("image,1,2,3,4,5,6,7,8,9,10\n10.jpg,0,0,1,2,3,4,5,0,0,0\n")
    check_damaged(lambda: read_ratings(table, images=tmp_path), table, cuts=15, flips=60)


def test_damaged_data_sets_are_named(tmp_path, check_damaged):
    ava = tmp_path / "AVA.txt"
    Image.fromarray(PICTURE).save(tmp_path / "10.jpg")
    ava.write_text("1 10 0 1 5 17 38 36 15 6 5 1 1 22 1396\n" * 2)
    check_damaged(lambda: read_ava(ava, images=tmp_path), ava, cuts=15, flips=60)
    (tmp_path / "distorted_images").mkdir()
    Image.fromarray(PICTURE).save(tmp_path / "distorted_images" / "i01_01_1.bmp")
    scores = tmp_path / "mos_with_names.txt"
    scores.write_text("5.51429 I01_01_1.bmp\n")
    check_damaged(lambda: read_tid2013(tmp_path), scores, cuts=15, flips=60)


def test_damaged_checkpoints_and_manifests_are_named(folder, tmp_path, check_damaged):
    dataset = PretextDataset(folder, size=8, variants_per_image=2)

    def train():
        return pretrain(PretextModel(BACKBONE), dataset, epochs=1, images_per_batch=5, checkpoint=tmp_path)

    train()
    check_damaged(train, tmp_path / "last.safetensors", cuts=8, flips=15)
    make_variants(sorted(folder.glob("*.png"))[:1], tmp_path, size=8, num_workers=1)
    whole = [folder / "0.png"]
    check_damaged(lambda: make_variants(whole, tmp_path, size=8, num_workers=1), tmp_path / "manifest.json", flips=30)
