import numpy as np
import pytest
import torch
from aesthetic_pretext import DISTORTIONS, VARIANTS, _batch_style, distort_batch, variants, variants_batch
from aesthetic_pretext._batch_style import PhotoBatch

SPATIAL = {"rotation", "image_ratio"} | {name for name in DISTORTIONS if name.endswith("crop")}


@pytest.mark.parametrize("name", DISTORTIONS)
def test_batches_agree_with_arrays(name, photographs):
    distortion = DISTORTIONS[name]
    images = np.stack(photographs[:2])
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    levels = distortion.levels if distortion.family == "style" else distortion.levels[:: len(distortion.levels) - 1]
    for level in (0, *levels):
        result = distort_batch(tensor, name, level, generator=torch.Generator().manual_seed(0)).permute(0, 2, 3, 1)
        expected = np.stack([distortion.distort(image, level) for image in images])
        difference = np.abs(result.numpy().astype(int) - expected)
        if name in ("gaussian_noise", "impulse_noise", "motion_blur"):
            # Other draws of the same distribution: equally far from the image.
            ours, theirs = (((x.astype(float) - images) ** 2).mean() for x in (result.numpy(), expected))
            assert ours == pytest.approx(theirs, rel=0.6 if name == "motion_blur" else 0.05, abs=1e-9)
        else:
            assert difference.max() <= (20 if name == "rotation" else 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_style_of_a_whole_batch_as_on_a_gpu(channels, photographs):
    images = torch.from_numpy(np.stack(photographs[:3])[:, :40, :60]).permute(0, 3, 1, 2)[:, :channels]
    whole = PhotoBatch(images)
    for distortion in DISTORTIONS.values():
        if distortion.family == "style":
            for level, parameter in distortion.parameters.items():
                result = getattr(_batch_style, distortion.name)(whole, parameter)
                difference = result.int() - distort_batch(images, distortion.name, level).int()
                assert difference.abs().max() <= 1


def test_variants_of_batches(photographs):
    images = np.stack(photographs[:2])[:, :96]
    result = variants_batch(torch.from_numpy(images).permute(0, 3, 1, 2), size=48)
    assert result.shape == (2, 174, 3, 48, 48)
    for row, image in zip(result, images):
        for key, mine, theirs in zip(VARIANTS, row.permute(0, 2, 3, 1).numpy(), variants(image, size=48)):
            if key.distortion not in ("gaussian_noise", "impulse_noise", "motion_blur"):
                # Interpolation differs between torch and Pillow.
                assert np.abs(mine.astype(int) - theirs.image).mean() < (8 if key.distortion in SPATIAL else 1)


def test_errors_say_what_was_expected(small):
    tensor = torch.zeros(1, 3, 4, 4)
    with pytest.raises(ValueError, match=r"images: expected dtype torch.uint8"):
        distort_batch(tensor, "tint", 1)
    with pytest.raises(ValueError, match=r"images: expected \(n, 1 or 3, h, w\)"):
        distort_batch(tensor[0].byte(), "tint", 1)
    with pytest.raises(TypeError, match="images: expected a tensor"):
        variants_batch(small)
    with pytest.raises(ValueError, match="level: expected"):
        distort_batch(tensor.byte(), "tint", 6)
