from contextlib import contextmanager

import numpy as np
import pytest
import skimage.data
import sklearn.datasets
import torch
from aesthetic_pretext import VARIANTS
from aesthetic_pretext.functional import targets_of
from PIL import Image
from torch import nn

# The tensors of the tests are tiny: threads would only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photographs():
    """Return five real photographs (scikit-image, scikit-learn), 128 x 128."""
    images = [*sklearn.datasets.load_sample_images().images, *(getattr(skimage.data, n)() for n in NAMES)]
    return [np.asarray(Image.fromarray(image[:, :, :3]).resize((128, 128))) for image in images]


NAMES = ("astronaut", "cat", "coffee")


@pytest.fixture
def small():
    """Return a photograph-like image, 24 x 36: smooth colours, an edge and some texture."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:24, 0:36]
    image = np.stack([40 + 5 * x, 200 - 6 * y, 60 + 3 * (x + y)], -1) + rng.normal(0, 12, (24, 36, 3))
    image[8:16, 10:20] -= 50
    return image.clip(0, 255).astype(np.uint8)


@pytest.fixture
def targets():
    """Return the targets of two images with all their variants."""
    return targets_of(VARIANTS, num_images=2)


@pytest.fixture
def folder(tmp_path):
    """Return a folder of five small images of different sizes."""
    rng = np.random.default_rng(1)
    root = tmp_path / "photos"
    root.mkdir()
    for i, (h, w) in enumerate([(20, 30), (24, 24), (30, 20), (22, 28), (26, 22)]):
        y, x = np.mgrid[0:h, 0:w]
        image = np.stack([8 * x, 8 * y, 4 * (x + y)], -1) + rng.integers(0, 60, (h, w, 3))
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(root / f"{i}.png")
    return root


@pytest.fixture
def make_backbone():
    """Return a function that makes a small backbone, the same one each time."""

    def make():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU())

    return make


@pytest.fixture
def stopping(monkeypatch):
    """Return a context in which a run is interrupted when it has made some steps."""

    @contextmanager
    def stop(run, steps):
        step, count = run.training_step, [0]

        def training_step(self, *arguments):
            if count[0] == steps:
                raise KeyboardInterrupt
            count[0] += 1
            return step(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(run, "training_step", training_step)
            with pytest.raises(KeyboardInterrupt):
                yield

    return stop
