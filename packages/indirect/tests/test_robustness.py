"""Hostile arguments are used or refused by name; damaged notions, encoders, prompts, images and stores are named."""

import os
import random
import signal
import time

import indirect
import numpy as np
import pyarrow
import pytest
import torch
from indirect import EmbeddingStore, InDiReCT, Prompts, _store
from indirect._encoder import in_batches
from indirect._files import read_tensors, write_tensors
from indirect._images import open_image
from PIL import Image

TEXTS = torch.arange(24.0).reshape(6, 4).sin()
IMAGES = torch.arange(32.0).reshape(8, 4).cos()
LABELS = torch.arange(8) % 2
BASELINES = {"random": indirect.RandomEmbedding(2), "pca": indirect.PCA(2)}
OPTIONS = {"n_components": 2, "random_state": 0, "max_iter": 3}


def fitted(make, rows=TEXTS, y=None, **options):
    return make(**options).fit(rows, y).transform(IMAGES)


def limited(function, argument, most=10**6):
    """Return the function with numbers that would run for ever, which is no mistake, cut down."""

    def call(**arguments):
        value = arguments[argument]
        small = value if isinstance(value, bool) or not isinstance(value, int) else min(value, most)
        return function(**{**arguments, argument: small})

    return call


CALLS = {
    "InDiReCT": (
        lambda **arguments: fitted(InDiReCT, **arguments),
        {
            "rows": TEXTS, "n_components": 2, "lr": 0.01, "patience": 2, "max_iter": 3, "init_std": 0.1,
            "random_state": 0, "device": "cpu", "init": "normal", "solver": "lbfgs",
        },
    ),
    "InDiReCT with Adam": (
        lambda **arguments: fitted(InDiReCT, **arguments, n_components=2, random_state=0, solver="adam", patience=3),
        {"lr": 0.01, "max_iter": 3},
    ),
    "transform": (lambda images: InDiReCT(**OPTIONS).fit(TEXTS).transform(images), {"images": IMAGES}),
    "RandomEmbedding": (
        limited(lambda **arguments: fitted(indirect.RandomEmbedding, **arguments), "n_components"),
        {"rows": TEXTS, "n_components": 2, "random_state": 0},
    ),
    "RandomTransformation": (
        limited(lambda **arguments: fitted(indirect.RandomTransformation, **arguments), "n_components"),
        {"rows": TEXTS, "n_components": 2, "random_state": 0},
    ),
    "PCA": (lambda **arguments: fitted(indirect.PCA, **arguments), {"rows": TEXTS, "n_components": 2}),
    "LinearAutoencoder": (
        limited(lambda **arguments: fitted(indirect.LinearAutoencoder, **arguments), "n_components"),
        {"rows": TEXTS, "n_components": 2, "lr": 0.01, "patience": 2, "max_iter": 3, "random_state": 0},
    ),
    "Oracle": (
        limited(lambda **arguments: fitted(indirect.Oracle, **arguments), "n_components"),
        {
            "rows": IMAGES, "y": LABELS, "n_components": 2, "lr": 0.01, "patience": 2, "max_iter": 3,
            "random_state": 0,
        },
    ),
    "fit_many": (
        lambda notions, **options: indirect.fit_many(notions, n_components=2, **options),
        {"notions": {"a": TEXTS}, "random_state": 0, "max_iter": 3},
    ),
    "Prompts": (
        lambda templates, aspects: list(Prompts(templates, aspects)),
        {"templates": ["a {colour} {}"], "aspects": {"colour": ["red"], "": ["car", "cup"]}},
    ),
    "search": (indirect.search, {"queries": IMAGES, "embeddings": IMAGES, "k": 2}),
    "evaluate": (
        lambda images, labels, **options: indirect.evaluate(
            BASELINES, TEXTS, images, labels, **{"seeds": [0], "measures": ["MAP@R"], **options}
        ),
        {"images": IMAGES, "labels": LABELS, "seeds": [0], "measures": ["MAP@R", "AMI"]},
    ),
    "evaluated methods": (
        lambda methods, prompts: indirect.evaluate(methods, prompts, IMAGES, LABELS, seeds=[0], measures=["MAP@R"]),
        {"methods": BASELINES, "prompts": TEXTS},
    ),
    "score": (indirect.score, {"embeddings": IMAGES, "labels": LABELS, "measures": ["MAP@R", "AMI"], "seed": 0}),
    "sweep_components": (
        lambda **arguments: indirect.sweep_components(BASELINES, TEXTS, IMAGES, LABELS, **arguments),
        {"components": [1, 2], "measure": "MAP@R", "seeds": [0]},
    ),
    "sweep_encoders": (
        lambda **arguments: indirect.sweep_encoders(BASELINES, labels=LABELS, seeds=[0], **arguments),
        {"embeddings": {"a": (TEXTS, IMAGES)}, "measure": "MAP@R"},
    ),
    "sweep_prompts": (
        lambda **arguments: indirect.sweep_prompts(BASELINES, TEXTS, IMAGES, LABELS, **arguments),
        {"counts": [4, 5], "measure": "MAP@R", "seeds": [0]},
    ),
    "plot_maps": (indirect.plot_maps, {"embeddings": {"a": IMAGES}, "labels": {"a": LABELS}}),
    "to_faiss": (lambda index: InDiReCT(**OPTIONS).fit(TEXTS).to_faiss(index), {"index": None}),
    "to_usearch": (lambda images: InDiReCT(**OPTIONS).fit(TEXTS).to_usearch(images), {"images": IMAGES}),
    "to_arrow": (
        InDiReCT(**OPTIONS).fit(TEXTS).to_arrow(),
        {"column": pyarrow.array(IMAGES.tolist())},
    ),
    "encoded items": (lambda items: in_batches(items, lambda batch: torch.ones(len(batch), 2)), {"items": ["a"]}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


def test_a_damaged_notion_is_named(tmp_path, check_damaged):
    file = tmp_path / "notion.safetensors"
    InDiReCT(**OPTIONS).fit(TEXTS).save(file)
    check_damaged(lambda: InDiReCT.load(file).transform(IMAGES), file, cuts=20, flips=100)


def test_a_damaged_file_of_an_encoder_is_named(tmp_path, check_damaged):
    file = tmp_path / "encoder.safetensors"
    write_tensors(file, "a format", {"text_map": TEXTS}, {"backbones": "some"})
    check_damaged(lambda: read_tensors(file, "a format"), file, cuts=20, flips=100)


@pytest.mark.parametrize("name", ["prompts.txt", "prompts.csv"])
def test_damaged_prompts_are_named(name, tmp_path, check_damaged):
    file = tmp_path / name
    file.write_text("colour,car\nred,van\nblue,van\ngreen,lorry\n")
    template = "{}" if name.endswith("txt") else "a {colour} {car}"
    check_damaged(lambda: Prompts.read(file, template), file, cuts=20, flips=60)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif"])
def test_a_damaged_image_is_named(suffix, tmp_path, check_damaged):
    file = tmp_path / f"photograph.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(file)
    check_damaged(lambda: open_image(file), file, cuts=20, flips=60)


@pytest.mark.parametrize("name", ["store.json", "embeddings.npy"])
def test_a_damaged_store_is_named(name, tmp_path, encoder, photographs, check_damaged):
    store = EmbeddingStore.build(tmp_path / "store", sorted(photographs.iterdir()), encoder)
    check_damaged(lambda: list(EmbeddingStore(store.folder)), store.folder / name, cuts=20, flips=100)


class Slow:
    """Mean colours, so slowly that a kill finds the build at work."""

    identity = "mean colours"

    def encode_text(self, texts):
        raise NotImplementedError

    def encode_image(self, images, *, projected=True):
        time.sleep(0.01)
        return torch.tensor([np.asarray(image, dtype=np.float32).mean((0, 1)).tolist() for image in images])


def build(folder, paths, kill_after):
    """Build a store in a process of its own; return whether it was killed before it had ended."""
    child = os.fork()
    if not child:
        code = 1
        try:
            EmbeddingStore.build(folder, paths, Slow(), dtype="float32", progress=False)
            code = 0
        finally:
            os._exit(code)
    time.sleep(kill_after)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == signal.SIGKILL


@pytest.mark.kills
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_killed_ten_times_loses_and_doubles_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_store, "_SHARD", 2)
    places = random.Random(0)
    paths = [tmp_path / f"{number:02}.png" for number in range(30)]
    for path in paths:
        Image.new("RGB", (4, 4), tuple(places.randrange(1, 256) for _ in range(3))).save(path)
    whole = EmbeddingStore.build(tmp_path / "whole", paths, Slow(), dtype="float32")
    folders = iter(tmp_path / f"killed {attempt}" for attempt in range(100))
    for _ in range(10):
        while not build(folder := next(folders), paths, places.uniform(0, 0.2)):
            pass
        again = EmbeddingStore.build(folder, paths, Slow(), dtype="float32")
        assert again.ids == whole.ids == list(map(str, paths))
        assert np.array_equal(again.embeddings, whole.embeddings)
        assert sorted(path.name for path in folder.iterdir()) == ["embeddings.npy", "plan.json", "store.json"]
