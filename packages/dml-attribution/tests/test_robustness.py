"""Hostile arguments are used or refused by name; damaged maps and settings are named."""

import json

import numpy as np
import pytest
import torch
from dml_attribution import (
    EmbeddingAttribution,
    compare_maps,
    foreground_score,
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

IMAGES = torch.arange(32.0).reshape(2, 1, 4, 4) / 31
MAPS = torch.arange(288.0).reshape(2, 12, 12).sin().abs()
MASKS = (MAPS > 0.5).float()


def embed(images):
    return torch.stack([images.mean((1, 2, 3)), images.amax((1, 2, 3)), images[:, 0, 0, 0]], dim=1)


def attributed(inputs, n_samples, noise, batch_size, order, generator, **options):
    # 10**30 samples would never end, and that is no mistake.
    sampling = {"n_samples": n_samples if n_samples != 10**30 else 1, "noise": noise, "batch_size": batch_size}
    attribution = EmbeddingAttribution(embed, **options)
    return attribution.attribute(inputs, **sampling, order=order, generator=generator, progress=False)


CALLS = {
    "attribute": (
        attributed,
        {
            "inputs": IMAGES, "n_samples": 2, "noise": 0.1, "batch_size": 2, "order": "text",
            "generator": torch.Generator(), "mean": 0.5, "std": 0.5, "distance": "euclidean",
        },
    ),
    "constructor": (
        lambda **options: EmbeddingAttribution(**options).distances(IMAGES),
        {"forward_func": embed, "baseline": IMAGES[0], "reference": IMAGES[1], "output": None},
    ),
    "postprocess": (postprocess, {"gradients": IMAGES}),
    "overlay": (overlay, {"image": IMAGES[0], "attribution": IMAGES[0, 0], "alpha": 0.5}),
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
