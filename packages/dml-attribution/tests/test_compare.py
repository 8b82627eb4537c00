import json
import re

import numpy as np
import pytest
import torch
from dml_attribution import EmbeddingAttribution, compare_maps, compare_models, jensen_shannon, pearson


@pytest.fixture
def comparison(make_net, images):
    models = {name: make_net(seed) for seed, name in enumerate(["<a>", "b", "c"])}
    models["b"] = EmbeddingAttribution(models["b"], distance="snr", mean=0.0, std=1.0)
    metrics = ["pearson", "jensen_shannon", "spearman", "ssim"]
    groups = {"ranking": ["<a>", "b"], "classification": ["c"]}
    batches = [images[:3], (images[3:], "label")]
    return compare_models(models, batches, groups=groups, metrics=metrics, n_samples=3, mean=0.0, std=1.0)


def test_means_and_deviations_of_stored_maps(make_net, images, comparison):
    distances = {"<a>": "euclidean", "b": "snr", "c": "euclidean"}
    maps = {
        name: EmbeddingAttribution(make_net(seed), distance=distance, mean=0.0, std=1.0).attribute(images, n_samples=3)
        for seed, (name, distance) in enumerate(distances.items())
    }
    assert comparison.n_images == 4
    for i, first in enumerate(maps):
        for j, second in enumerate(maps):
            if i == j:
                continue
            z = np.arctanh(pearson(maps[first], maps[second], reduction="none").double().numpy())
            divergence = jensen_shannon(maps[first], maps[second], reduction="none").double().numpy()
            assert comparison.mean["pearson"][i, j] == pytest.approx(np.tanh(z.mean()), abs=1e-4)
            assert comparison.std["pearson"][i, j] == pytest.approx(np.tanh(z.std()), abs=1e-4)
            assert comparison.mean["jensen_shannon"][i, j] == pytest.approx(divergence.mean(), abs=1e-4)
            assert comparison.std["jensen_shannon"][i, j] == pytest.approx(divergence.std(), abs=1e-4)
    assert comparison.mean["pearson"].diagonal().tolist() == [1, 1, 1]
    assert comparison.mean["jensen_shannon"].diagonal().tolist() == [0, 0, 0]


def test_group_means(comparison):
    matrix = comparison.mean["pearson"]
    means = comparison.group_means()
    assert set(means) == {("ranking", "ranking"), ("ranking", "classification")}
    assert means["ranking", "ranking"] == pytest.approx(matrix[0, 1])
    between = np.tanh(np.mean(np.arctanh([matrix[0, 2], matrix[1, 2]])))
    assert means["ranking", "classification"] == pytest.approx(between)


def test_page_has_the_numbers(comparison):
    page = comparison.to_html()
    cells = re.findall(r"<td>(-?[\d.]+) <small>&plusmn; ([\d.]+)</small></td>", page)
    off = ~np.eye(3, dtype=bool)
    expected = [
        (f"{100 * mean:.2f}", f"{100 * std:.2f}")
        for metric in comparison.mean
        for mean, std in zip(comparison.mean[metric][off], comparison.std[metric][off])
    ]
    assert cells == expected
    assert "ranking: &lt;a&gt;" in page
    assert "<a>" not in page
    assert json.loads(json.dumps(comparison.to_dict()))["mean"]["ssim"] == comparison.mean["ssim"].tolist()


def test_heat_map(comparison):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = comparison.plot("jensen_shannon")
    texts = [text.get_text() for text in axes.texts]
    matrix = comparison.mean["jensen_shannon"]
    assert texts == [f"{matrix[i, j]:.3f}" for i in range(3) for j in range(3) if i != j]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(comparison.names)
    assert axes.images[0].colorbar.ax.get_ylabel() == "Jensen-Shannon divergence\nmean of 4 images"
    assert axes.get_xlabel() == axes.get_ylabel() == "Model"
    pyplot.close(figure)
    with pytest.raises(ValueError, match=r"metric: expected one of .* got 'emd'"):
        comparison.plot("emd")


def test_bad_arguments(make_net, images):
    models = {"a": make_net(0), "b": make_net(1)}
    options = {"n_samples": 1, "mean": 0.0, "std": 1.0}
    with pytest.raises(ValueError, match=r"models: expected at least two models, got \['a'\]"):
        compare_models({"a": models["a"]}, images, **options)
    with pytest.raises(ValueError, match=r"metrics: expected names out of .* got \['emd'\]"):
        compare_models(models, images, metrics=["emd"], **options)
    with pytest.raises(TypeError, match="metrics: expected a sequence"):
        compare_models(models, images, metrics="pearson", **options)
    with pytest.raises(ValueError, match="groups: expected each of"):
        compare_models(models, images, groups={"g": ["a", "x"]}, **options)
    with pytest.raises(ValueError, match="images: expected at least one image, got none"):
        compare_maps([], names=["a", "b"])
    with pytest.raises(ValueError, match="baseline: expected mean="):
        compare_models(models, images)
    assert torch.is_grad_enabled()
