import hashlib

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image


class FakeEncoder:
    """Texts to vectors drawn from a hash of the text; images to their mean colours."""

    identity = "fake"

    def encode_text(self, texts):
        seeds = (int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) for text in texts)
        return torch.stack([torch.randn(3, generator=torch.Generator().manual_seed(seed)) for seed in seeds])

    def encode_image(self, images, *, projected=True):
        means = torch.tensor(np.stack([np.asarray(image).mean((0, 1)) / 255 for image in images]))
        return (means - 0.5 if projected else torch.cat([means, means**2], dim=1)).float()


@pytest.fixture
def encoder():
    return FakeEncoder()


@pytest.fixture
def draw():
    """Return a seeded normal tensor."""
    return lambda *shape, seed=0: torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def photos(tmp_path):
    """A folder of 12 one-coloured photographs from black to white, one damaged file and one that is no image."""
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    for index in range(12):
        name = f"below/{index}.jpg" if index % 2 else f"{index}.jpg"
        Image.new("RGB", (8, 6), (20 * index,) * 3).save(folder / name)
    whole = (folder / "0.jpg").read_bytes()
    (folder / "cut <b>.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture
def pyplot():
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")
