import mapgen
import numpy as np
import pytest
import torch
from mapgen import probe, width_sweep
from mapgen.maplur import POOLED_BLOCKS, MapLUR, train
from torch import nn


def images(n, size=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


class Brightness(nn.Module):
    """Brightness times a learned factor."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        return self.factor * batch.mean((1, 2, 3))[:, None]


def test_the_network_is_that_of_figure_6_1():
    model = MapLUR()
    assert sum(parameter.numel() for parameter in model.parameters()) == 52_097
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2d") == kinds.count("BatchNorm2d") == kinds.count("ReLU") == 15
    blocks_before = [kinds[:place].count("Conv2d") for place, kind in enumerate(kinds) if kind == "MaxPool2d"]
    assert tuple(blocks_before) == POOLED_BLOCKS == (1, 3, 5, 7, 10, 13)
    assert model.eval()(torch.rand(2, 3, 224, 224)).shape == (2, 1)
    assert mapgen.MapLUR is MapLUR
    with pytest.raises(AttributeError, match="module 'mapgen' has no attribute 'MapLURs'"):
        _ = mapgen.MapLURs


def test_sizes():
    assert MapLUR(64).eval()(torch.rand(3, 3, 64, 64)).shape == (3, 1)
    assert MapLUR(100).eval()(torch.rand(1, 3, 100, 100)).shape == (1, 1)
    with pytest.raises(ValueError, match=r"images: expected \(n, 3, 64, 64\), got images \(1, 3, 224, 224\)"):
        MapLUR(64)(torch.rand(1, 3, 224, 224))
    with pytest.raises(ValueError, match="size_px: expected a whole number from 64 to 4096, got 32"):
        MapLUR(32)


def test_training_learns_and_keeps_the_best_epoch():
    x, held_out = images(200), images(50, seed=1)
    y, wanted = x.mean((1, 2, 3)) / 50, held_out.mean((1, 2, 3)) / 50
    model = Brightness()
    run = train(model, x, y, held_out, wanted, epochs=15, batch_size=20, learning_rate=0.5, seed=1)
    assert run.validation[run.best_epoch] == min(run.validation) < 0.01 < run.training[0]
    assert not model.training
    estimates = model(torch.from_numpy(held_out).permute(0, 3, 1, 2).float() / 255).detach().numpy()[:, 0]
    assert np.square(estimates - wanted).mean() == pytest.approx(min(run.validation), rel=1e-3)


def test_training_stops_early_and_is_reproducible():
    x, y = images(40), np.random.default_rng(0).normal(size=40)
    options = {"epochs": 500, "batch_size": 7, "patience": 4, "learning_rate": 0.1, "seed": 2}
    runs = [train(Brightness(), x, y, x[:10], -y[:10] - 9, **options) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0].validation) < 500
    assert len(runs[0].validation) - 1 - runs[0].best_epoch == 4


def test_augmentation_is_flips_and_transpositions():
    seen = []

    class Spy(Brightness):
        def forward(self, batch):
            if self.training:
                seen.extend((batch * 255).round().byte().numpy())
            return super().forward(batch)

    x = images(1, size=3).repeat(2, axis=0)
    train(Spy(), x, [0, 0], x, [0, 0], epochs=100, batch_size=2, patience=200)
    picture = x[0].transpose(2, 0, 1)
    symmetries = {
        np.rot90(mirrored, k, axes=(1, 2)).tobytes() for k in range(4) for mirrored in (picture, picture[..., ::-1])
    }
    assert {one.tobytes() for one in seen} == symmetries
    assert len(symmetries) == 8


def test_one_left_over_image_does_not_break_batch_normalisation():
    x = images(5, size=64)
    train(MapLUR(64), x, np.arange(5), x, np.arange(5), epochs=1, batch_size=2)


def test_probe_restores_the_mode_and_uses_evaluation():
    model = MapLUR().train()
    response = probe(model, width_sweep(widths_px=[3, 9]))
    assert model.training
    assert response.output.shape == (2,)
    assert response.output[0] == pytest.approx(probe(model, width_sweep(widths_px=[3])).output[0], abs=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": [1.0]}, "images: expected two or more, with one target each"),
        ({"targets": [np.nan] * 4}, "targets: expected finite numbers"),
        ({"images": images(4).astype(np.float32)}, "images: expected square images"),
        (
            {"images": images(4)[:, :9]},
            r"images: expected square images \(n, h, w, 3\) of uint8, got images \(4, 9, 16, 3\)",
        ),
        ({"epochs": 0}, "epochs: expected a whole number of at least 1, got 0"),
        ({"batch_size": 1}, "batch_size: expected a whole number of at least 2, got 1"),
    ],
)
def test_bad_input(change, message):
    arguments = {"images": images(4), "targets": np.zeros(4), **change}
    with pytest.raises(ValueError, match=message):
        train(Brightness(), validation_images=images(4), validation_targets=np.zeros(4), **arguments)
