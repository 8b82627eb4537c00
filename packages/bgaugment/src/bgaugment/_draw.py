"""One image, one drawn background: what every wrapper does."""

from __future__ import annotations

from collections.abc import Hashable
from numbers import Real
from typing import TypeVar

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
    """Return a generator seeded from torch's, which a DataLoader seeds anew for each worker and epoch."""
    if generator is not None and get_worker_info() is not None:
        raise value_error("generator", "None in a DataLoader worker, where each has an equal copy", "a generator")
    return np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
