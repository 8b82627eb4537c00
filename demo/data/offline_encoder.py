"""The image-text encoder of ``indirect``, built once from packages."""

from __future__ import annotations

from typing import Literal

from indirect import OfflineEncoder, build_offline_encoder

from demo.data.cache import CACHE


def load_offline_encoder(image_side: Literal["features", "classes"] = "features") -> OfflineEncoder:
    """Return the encoder from the cache, building it the first time (about a minute)."""
    path = CACHE / "offline-encoder.safetensors"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        build_offline_encoder(path)
    return OfflineEncoder(path, image_side=image_side)
