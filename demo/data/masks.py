"""Automatic masks of the photographs, per provider."""

from __future__ import annotations

import numpy as np
import torch
from bgaugment import ClassicalMasks, MaskStore
from torch import Tensor

from demo.data.cache import CACHE
from demo.data.stamps import Photographs

STORES = {"ISNet": MaskStore(CACHE / "stamps" / "isnet"), "classical": MaskStore(CACHE / "stamps" / "classical")}


def automatic_masks(photographs: Photographs) -> dict[str, Tensor]:
    """Return masks ``(n, 224, 224)`` of 8 bits: classical ones, and ISNet's where ``demo.data.isnet`` made all."""
    STORES["classical"].compute(photographs.files, ClassicalMasks())
    return {
        name: torch.from_numpy(np.stack([*store.masks(photographs.files)]))
        for name, store in STORES.items()
        if all(file in store for file in photographs.files)
    }
