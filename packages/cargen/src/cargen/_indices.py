"""Indices to images, anywhere: in a worker of ours, in Ray Data or in Dask."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._checks import items, mapping, whole_number
from ._core import type_error, value_error
from ._default import default_models, known_models
from ._manifest import Manifest
from ._properties import PROPERTY_NAMES, CarProperties, property_values, sample_one
from ._render import Rendering, check_settings, last_renderer

Draw = Callable[[CarProperties], Rendering]


@dataclass(frozen=True)
class IndexRenderer:
    """Draws the image of an index, the same in each process; another Blender or processor may differ slightly.

    It can be pickled; Blender starts in the process that draws. With Ray Data
    ``ray.data.range(10_000).map_batches(IndexRenderer(seed=0), batch_size=20)``, with Dask
    ``dask.bag.from_sequence(range(10_000)).map_partitions(IndexRenderer(seed=0).rows)``.

    Args:
        seed: of ``sample``; the properties of index ``i`` are ``sample(n, seed)[i]``.
        values: what some properties may be, see ``sample``.
        meshes: the car models; by default those of ``Renderer``.
        quality: ``"preview"`` or ``"photo"``.
        size_px: side of the square images.
        threads: of the processor, for each process; all by default.
        make_renderer: returns another function from properties to a ``Rendering``; called once in each process.

    Example:
        >>> IndexRenderer(seed=1, values={"model": ["van"]}).properties(0).model
        'van'
    """

    seed: int = 0
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    meshes: Manifest | None = None
    quality: str = "preview"
    size_px: int = 224
    threads: int | None = None
    make_renderer: Callable[[], Draw] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "size_px", check_settings(self.quality, self.size_px))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        if self.threads is not None:
            whole_number("threads", self.threads, 1, 1024)
        if not callable(self.make_renderer) and self.make_renderer is not None:
            raise type_error("make_renderer", "a function without arguments, or None", self.make_renderer)
        chosen = mapping("values", self.values, "a mapping from property to values")
        values = property_values({"model": default_models(self.meshes), **chosen})
        known = known_models(self.meshes)
        if unknown := sorted({*values["model"]} - {*known}):
            raise value_error("values['model']", f"some of {', '.join(known)}", ", ".join(unknown))
        object.__setattr__(self, "values", values)

    def properties(self, index: int) -> CarProperties:
        """Return what the image of an index shows."""
        return sample_one(whole_number("index", index, 0), self.seed, self.values)

    def draw(self, index: int) -> tuple[CarProperties, Rendering]:
        """Return the properties and the picture of an index."""
        properties = self.properties(index)
        return properties, self._renderer()(properties)

    def rows(self, indices: Iterable[int]) -> Iterator[dict[str, Any]]:
        """Yield one row per index: ``id``, the properties, ``image`` and ``mask`` as PNG files."""
        for index in items("indices", indices, "a sequence of whole numbers"):
            properties, rendering = self.draw(index)
            files = {"image": encode_png(rendering.image), "mask": encode_png(rendering.mask)}
            yield {"id": int(index), **asdict(properties), **files}

    def __call__(self, batch: Mapping[str, Iterable[int]]) -> dict[str, list[Any]]:
        """Return the rows of a batch ``{"id": indices}`` as columns, as Ray Data hands them around."""
        if not isinstance(batch, Mapping) or "id" not in batch:
            raise type_error("batch", 'a mapping with "id"', batch)
        rows = [*self.rows(batch["id"])]
        return {name: [row[name] for row in rows] for name in ("id", *PROPERTY_NAMES, "image", "mask")}

    def _renderer(self) -> Draw:
        if self.make_renderer is not None:
            return _made(self.make_renderer)
        return last_renderer(self.meshes, quality=self.quality, size_px=self.size_px, threads=self.threads)


@lru_cache(maxsize=1)
def _made(make_renderer: Callable[[], Draw]) -> Draw:
    return make_renderer()


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the PNG file of an image ``(h, w, 3)`` or a mask ``(h, w)``."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", compress_level=3)
    return file.getvalue()
