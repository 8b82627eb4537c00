import numpy as np
import pytest
import torch
from PIL import Image

# The tensors of the tests are tiny: threads would only wait for each other.
torch.set_num_threads(1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def scene(rng):
    """Return an image, a soft mask and a background, all of 8 bits and 12 x 17 pixels."""
    image, background = (rng.integers(0, 256, (12, 17, 3), dtype=np.uint8) for _ in range(2))
    mask = np.zeros((12, 17), np.uint8)
    mask[3:9, 4:12] = 255
    mask[3, 4:12] = [1, 40, 80, 127, 128, 200, 254, 255]
    return image, mask, background


@pytest.fixture
def photos(tmp_path):
    """Return a folder of 6 images in 2 classes: a bright square on a dark surface, with it as alpha channel."""
    for i in range(6):
        folder = tmp_path / "photos" / ("cat", "dog")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.full((40, 48, 4), 30 + 5 * i, np.uint8)
        pixels[..., 3] = 0
        pixels[10:30, 12:32] = (220, 40 * (i % 2), 10 * i, 255)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "photos"
