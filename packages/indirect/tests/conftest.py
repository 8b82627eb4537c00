import types

import numpy as np
import pytest
import torch
from PIL import Image


class ColourEncoder:
    """A tiny encoder of a real kind: a text's or an image's red, green and blue, and a constant."""

    COLOURS = types.MappingProxyType(
        {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0), "pink": (1, 0.6, 0.7)}
    )

    def __init__(self, identity="colours 1"):
        self.identity = identity
        self.encoded = 0

    def encode_text(self, texts):
        rows = [np.mean([self.COLOURS[word] for word in text.split() if word in self.COLOURS], 0) for text in texts]
        return torch.tensor(np.array(rows), dtype=torch.float32)

    def encode_image(self, images, *, projected=True):
        self.encoded += len(images)
        rows = np.stack([np.asarray(image, dtype=np.float32).mean((0, 1)) / 255 for image in images])
        return torch.tensor(rows if projected else 100 * rows)


@pytest.fixture
def make_encoder():
    return ColourEncoder


@pytest.fixture
def encoder():
    return ColourEncoder()


@pytest.fixture
def texts():
    """Prompt embeddings ``(40, 24)`` with a shared direction and a falling spectrum, as sentence encoders have."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(40, 24)) / np.arange(1, 25) + 0.5
    return rows.astype(np.float32)


@pytest.fixture
def images():
    return np.random.default_rng(1).normal(size=(30, 24)).astype(np.float32)


@pytest.fixture
def photographs(tmp_path):
    """Plain photographs in a folder, and one file that does not decode."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, colour in {"a": (250, 10, 10), "b": (10, 240, 10), "c": (5, 5, 200), "d": (255, 40, 30)}.items():
        Image.new("RGB", (12, 8), colour).save(folder / f"{name} <1>.png")
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder
