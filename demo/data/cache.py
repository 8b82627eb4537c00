"""Where downloads and precomputed features are kept between runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CACHE = Path(__file__).parents[2] / ".cache" / "demo"


def cached_array(name: str, compute: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the array of this name from the cache, computing it the first time."""
    path = CACHE / f"{name}.npy"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp.npy")
        np.save(unfinished, compute())
        unfinished.replace(path)
    return np.load(path)
