import pytest
import torch
from dml_attribution import EmbeddingAttribution, faithfulness


def test_curves_against_pixel_by_pixel_replacement(make_net, images):
    attribution = EmbeddingAttribution(make_net(), mean=0.0, std=1.0)
    maps = torch.rand(4, 16, 20, generator=torch.Generator().manual_seed(0))
    curves = faithfulness(attribution, images, maps, steps=4)
    whole = attribution.distances(images)
    for i in range(4):
        order = sorted(range(320), key=lambda pixel: -maps[i].flatten()[pixel])
        for step in range(5):
            deleted, inserted = images[i].clone(), torch.zeros(3, 16, 20)
            for pixel in order[: 80 * step]:
                y, x = divmod(pixel, 20)
                deleted[:, y, x] = 0
                inserted[:, y, x] = images[i, :, y, x]
            for curve, image in ((curves.deletion, deleted), (curves.insertion, inserted)):
                assert curve[i, step] == pytest.approx(float(attribution.distances(image[None]) / whole[i]), abs=1e-4)


def test_important_pixels_first_beats_last(images):
    attribution = EmbeddingAttribution(
        torch.nn.Flatten(), distance="sqeuclidean", normalize_embeddings=False, mean=0.0, std=1.0
    )
    good = images.square().sum(1)
    right, wrong = faithfulness(attribution, images, good), faithfulness(attribution, images, -good)
    assert (right.insertion_area > wrong.insertion_area + 0.2).all()
    assert (right.deletion_area < wrong.deletion_area - 0.2).all()


def test_bad_arguments(make_net, images):
    attribution = EmbeddingAttribution(make_net(), mean=0.0, std=1.0)
    with pytest.raises(ValueError, match=r"maps: expected one map \(h, w\) per image"):
        faithfulness(attribution, images, torch.rand(3, 16, 20))
    with pytest.raises(ValueError, match="steps: expected a whole number of at least 1, got 0"):
        faithfulness(attribution, images, torch.rand(4, 16, 20), steps=0)
