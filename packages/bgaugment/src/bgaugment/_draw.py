"""One image, one drawn background: what every wrapper does."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from numbers import Real
from typing import Any, TypeVar

import numpy as np
import torch
from torch.utils.data import get_worker_info

from ._core import type_error, value_error
from ._images import Image, image_size, like
from ._pools import BackgroundPool
from .functional import replace_background

ImageT = TypeVar("ImageT", bound=Image)


def check_options(pool: object, p: float) -> None:
    """Raise the error for a pool that cannot be drawn from or a probability that is none."""
    if not hasattr(pool, "draw"):
        raise type_error("pool", "a background pool", pool)
    check_probability(p)


def check_probability(p: object) -> None:
    """Raise the error for what is no probability."""
    if not (isinstance(p, Real) and 0 <= float(p) <= 1):
        raise value_error("p", "a probability", p)


def with_drawn_background(
    image: ImageT,
    mask: Image,
    pool: BackgroundPool,
    rng: np.random.Generator,
    *,
    p: float = 1.0,
    feather: float = 0.0,
    index: int | None = None,
    label: Hashable = None,
) -> ImageT:
    """Return the image in front of a background of the pool, or the image itself with probability ``1 - p``."""
    if rng.random() >= p:
        return image
    background = pool.draw(image_size(image), rng, index=index, label=label)
    return replace_background(image, mask, like(background, image), feather=feather)


def torch_seeded(generator: torch.Generator | None) -> np.random.Generator:
    """Return this thread's generator, its state drawn from torch's, which a DataLoader seeds per worker and epoch."""
    if generator is not None and get_worker_info() is not None:
        raise value_error("generator", "None in a DataLoader worker, where each has an equal copy", "a generator")
    high, low = torch.randint(2**62, (2,), generator=generator).tolist()
    # Between the decoding of two images, making a new generator costs more than the whole composite.
    _local.state["state"]["state"] = high << 64 | low
    _local.bits.state = _local.state
    return _local.rng


class _Local(threading.local):
    def __init__(self) -> None:
        self.bits: Any = np.random.PCG64(0)
        self.state: Any = self.bits.state
        self.rng = np.random.Generator(self.bits)


_local = _Local()
