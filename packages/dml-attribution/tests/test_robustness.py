"""Hostile arguments are used or refused by name; damaged maps and settings are named."""

import json

import dml_attribution
import numpy as np
import pytest
import torch
from dml_attribution import (
    EmbeddingAttribution,
    compare_maps,
    compare_models,
    difference_map,
    faithfulness,
    foreground_score,
    grid,
    jensen_shannon,
    overlay,
    pearson,
    pointing_game,
    postprocess,
    relevance_mass,
    spearman,
    ssim,
)
from dml_attribution._folder import read_maps

pyplot = pytest.importorskip("matplotlib.pyplot")
pytest.importorskip("captum")

IMAGES = torch.arange(32.0).reshape(2, 1, 4, 4) / 31
MAPS = torch.arange(288.0).reshape(2, 12, 12).sin().abs()
MASKS = (MAPS > 0.5).float()


def embed(images):
    return torch.stack([images.mean((1, 2, 3)), images.square().mean((1, 2, 3)), images[:, 0, 0, 0]], dim=1)


def explainer(**options):
    return EmbeddingAttribution(embed, **{"mean": 0.5, "std": 0.5, **options})


def ends(function):
    """Return the function with its count, 10**30 of which is no mistake but never ends, cut down."""
    return lambda **options: function(
        **{key: 1 if isinstance(value, int) and value == 10**30 else value for key, value in options.items()}
    )


def closed(function):
    """Return the function with the figure that it draws closed again."""

    def draw(**options):
        result = function(**options)
        pyplot.close("all")
        return result

    return draw


SAMPLING = {"n_samples": 2, "noise": 0.1, "batch_size": 2, "generator": torch.Generator(), "progress": False}
COMPARISON = compare_maps([{"a": MAPS, "b": MASKS}], names=["a", "b"], groups={"all": ["a", "b"]})

CALLS = {
    "EmbeddingAttribution": (
        lambda **options: EmbeddingAttribution(**options).distances(IMAGES),
        {
            "forward_func": embed, "distance": "euclidean", "normalize_embeddings": True, "baseline": IMAGES[0],
            "reference": IMAGES[1], "transform": None, "output": None,
        },
    ),
    "EmbeddingAttribution, black": (
        lambda **options: explainer(**options).distances(IMAGES),
        {"mean": torch.tensor([0.5]), "std": torch.tensor([0.5]), "baseline": "black"},
    ),
    "attribute": (ends(explainer().attribute), {"inputs": IMAGES, "order": "text", **SAMPLING}),
    "gradients": (ends(explainer().gradients), {"inputs": IMAGES, **SAMPLING}),
    "pair": (ends(explainer().pair), {"first": IMAGES, "second": IMAGES.flip(0), "order": "text", **SAMPLING}),
    "triplet": (
        ends(explainer().triplet),
        {"anchor": IMAGES, "positive": IMAGES.flip(0), "negative": IMAGES.cos(), "order": "text", **SAMPLING},
    ),
    "integrated_gradients": (
        ends(explainer().integrated_gradients),
        {"inputs": IMAGES, "n_steps": 2, "batch_size": 2},
    ),
    "distances": (explainer().distances, {"inputs": IMAGES, "reference": IMAGES[0], "batch_size": 2}),
    "baselines": (explainer().baselines, {"inputs": IMAGES}),
    "faithfulness": (
        ends(faithfulness),
        {"attribution": explainer(), "inputs": IMAGES, "maps": IMAGES[:, 0], "steps": 2, "batch_size": 2},
    ),
    "compare_models": (
        ends(compare_models),
        {
            "models": {"a": explainer(), "b": explainer(distance="dot")}, "images": IMAGES, "groups": {"all": ["a"]},
            "metrics": ["pearson"], "order": "text", **SAMPLING,
        },
    ),
    "compare_models, batches": (
        lambda batch: compare_models({"a": explainer(), "b": explainer()}, [batch], n_samples=1),
        {"batch": IMAGES},
    ),
    "compare_maps": (
        compare_maps,
        {"batches": [{"a": MAPS, "b": MASKS}], "names": ["a", "b"], "groups": {"all": ["a"]}, "metrics": ["ssim"]},
    ),
    "compare_maps, maps": (lambda a, b: compare_maps([{"a": a, "b": b}], names=["a", "b"]), {"a": MAPS, "b": MASKS}),
    "group_means": (COMPARISON.group_means, {"metric": "pearson"}),
    "to_html": (COMPARISON.to_html, {"title": "A comparison"}),
    "plot": (closed(COMPARISON.plot), {"metric": "pearson", "axes": None}),
    "postprocess": (postprocess, {"gradients": IMAGES}),
    "difference_map": (difference_map, {"a": MAPS, "b": MASKS}),
    "overlay": (
        overlay,
        {"image": IMAGES[0], "attribution": IMAGES[0, 0], "alpha": 0.5, "cmap": "viridis", "limits": (0.0, 1.0)},
    ),
    "grid": (closed(grid), {"images": IMAGES, "maps": {"a": IMAGES[:, 0]}, "cmap": "viridis", "limits": (0.0, 1.0)}),
    "grid, maps": (closed(lambda maps: grid(IMAGES, {"a": maps})), {"maps": IMAGES[:, 0]}),
    "pointing_game": (pointing_game, {"mask": MASKS, "attribution": MAPS, "tolerance": 1}),
    **{
        function.__name__: (function, {"mask": MASKS, "attribution": MAPS})
        for function in (foreground_score, relevance_mass)
    },
    **{
        function.__name__: (function, {"a": MAPS, "b": MASKS, "reduction": "mean"})
        for function in (pearson, spearman, jensen_shannon, ssim)
    },
}  # fmt: skip


def test_every_public_function_is_in_the_table():
    names = {name.partition(",")[0] for name in CALLS}
    methods = {
        name
        for owner in (EmbeddingAttribution, dml_attribution.ModelComparison)
        for name in vars(owner)
        if not name.startswith("_") and callable(getattr(owner, name))
    }
    results = {"FaithfulnessCurves", "ModelComparison", "LOSS_DISTANCES", "to_dict"}  # take no arguments of a user's
    assert (set(dml_attribution.__all__) | methods) - names - results == set()


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


SETTINGS = {"n_samples": 3, "noise": 0.15, "order": "text", "seed": 0}


@pytest.mark.parametrize("name", ["0.png.npy", "settings.json"])
def test_a_damaged_file_of_a_folder_of_maps_is_named(name, tmp_path, check_damaged):
    folders = {model: tmp_path / model for model in ("first", "second")}
    for seed, folder in enumerate(folders.values()):
        folder.mkdir()
        np.save(folder / "0.png.npy", np.random.default_rng(seed).random((8, 8), dtype=np.float32))
        (folder / "settings.json").write_text(json.dumps(SETTINGS))

    def compare():
        try:
            compare_maps(read_maps(folders), names=list(folders), metrics=["pearson"])
        except ValueError as error:
            if "maps" not in str(error):  # NaN, or another size, is damage that only the comparison can see
                raise

    check_damaged(compare, folders["first"] / name, cuts=15, flips=30)
