import numpy as np
import pytest
import torch
from dml_attribution import grid, overlay

matplotlib = pytest.importorskip("matplotlib")
pyplot = pytest.importorskip("matplotlib.pyplot")


def test_overlay_of_every_kind_of_image():
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    maps = np.linspace(0, 1, 20).reshape(4, 5)
    expected = overlay(image, maps)
    assert (expected.shape, expected.dtype) == ((4, 5, 3), np.uint8)
    assert np.array_equal(overlay(image / 255, maps), expected)
    tensor = overlay(torch.from_numpy(image).permute(2, 0, 1) / 255, torch.from_numpy(maps))
    assert np.abs(tensor.astype(int) - expected).max() <= 1
    grey = overlay(image, maps, alpha=0.0)
    assert (grey == grey[..., :1]).all()
    assert overlay(image[..., 0], maps).shape == (4, 5, 3)
    full = overlay(image, 2 * maps - 1, alpha=1.0, cmap="cividis", limits=(-1, 1))
    assert np.abs(full[-1, -1] - 255 * np.array(matplotlib.colormaps["cividis"](1.0)[:3])).max() < 1


def test_bad_overlays():
    with pytest.raises(ValueError, match=r"image: expected values in \[0, 1\] before normalisation"):
        overlay(torch.randn(3, 4, 5), torch.rand(4, 5))
    with pytest.raises(ValueError, match=r"attribution: expected a map \(h, w\)"):
        overlay(torch.rand(3, 4, 5), torch.rand(5, 4))
    with pytest.raises(ValueError, match="image: expected one or three channels"):
        overlay(torch.rand(2, 4, 5), torch.rand(4, 5))
    with pytest.raises(ValueError, match="cmap: expected the name of a matplotlib colour map, got 'no such'"):
        overlay(torch.rand(3, 4, 5), torch.rand(4, 5), cmap="no such")
    with pytest.raises(ValueError, match="limits: expected two finite numbers, the lower one first"):
        overlay(torch.rand(3, 4, 5), torch.rand(4, 5), limits=(1, 0))
    with pytest.raises(ValueError, match="alpha: expected"):
        overlay(torch.rand(3, 4, 5), torch.rand(4, 5), alpha=2)


def test_grid_shows_each_map_under_its_name():
    images, maps = torch.rand(2, 3, 6, 7), {"triplet": torch.rand(2, 6, 7), "arcface": torch.rand(2, 6, 7).numpy()}
    figure = grid(images, maps)
    axes = np.array(figure.axes[:6]).reshape(2, 3)
    assert [axis.get_title() for axis in axes[0]] == ["Image", "triplet", "arcface"]
    for row in range(2):
        for column, values in enumerate(maps.values(), start=1):
            np.testing.assert_allclose(axes[row, column].images[0].get_array(), values[row], atol=1e-6)
    assert figure.axes[6].get_ylabel() == "Attribution"
    figure.canvas.draw()
    assert np.asarray(figure.canvas.buffer_rgba()).std() > 10
    pyplot.close(figure)
    wide = grid(torch.rand(2, 3, 10, 40), {"a": torch.rand(2, 10, 40)}, label="Difference")
    assert wide.axes[-1].get_ylabel() == "Difference"
    assert wide.get_figheight() < 2  # it has the images' proportions
    pyplot.close(wide)
    with pytest.raises(ValueError, match=r"maps\['x'\]: expected one map per image"):
        grid(images, {"x": torch.rand(3, 6, 7)})
    with pytest.raises(ValueError, match="maps: expected at least one model's maps"):
        grid(images, {})
