"""Backgrounds that are computed: no photographs, no licences."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import torch
from torch.nn.functional import interpolate

from ._arguments import check_size, check_whole, length
from ._core import value_error
from ._images import Array
from ._pools import ImagePool

_MOST = 10**7  # a number of each is kept


class ProceduralPool(ImagePool):
    """A pool of computed backgrounds: the kinds of stock photos used in the thesis, without any photograph.

    Background ``i`` is of kind ``i`` modulo the number of kinds, depends only on its number and the seed, and has the
    same structure at any size.

    Args:
        n: number of different backgrounds.
        kinds: some of ``"solid"``, ``"gradient"``, ``"noise"``, ``"pattern"`` and ``"texture"``.
        seed: another seed gives other backgrounds.

    Raises:
        ValueError: ``n`` is not positive, or a kind is unknown.

    Example:
        >>> pool = ProceduralPool(kinds=["gradient", "texture"], seed=1)
        >>> pool.draw((224, 224), np.random.default_rng(0)).shape
        (224, 224, 3)

    Reference:
        Chapter 11, Section 11.1.1: solid colours, gradients, background objects and abstract patterns.
    """

    def __init__(
        self,
        n: int = 1000,
        *,
        kinds: Sequence[str] = ("solid", "gradient", "noise", "pattern", "texture"),
        seed: int = 0,
    ) -> None:
        check_whole("n", n, 1, _MOST)
        check_whole("seed", seed, 0)
        length("kinds", kinds)
        super().__init__(range(n))
        unknown = [kind for kind in kinds if kind not in tuple(_KINDS)]
        if unknown or not kinds:
            raise value_error("kinds", f"some of {list(_KINDS)}", list(kinds))
        self.kinds = tuple(kinds)
        self.seed = seed

    def render(self, number: int, size: tuple[int, int]) -> Array:
        """Return the background of a number in the size, ``(*size, 3)`` of 8 bits."""
        check_whole("number", number, 0)
        check_size(size)
        rng = np.random.default_rng([self.seed, number])
        colours = rng.uniform(0, 255, (2, 3))
        colours[0] = _colour(number, self.seed)
        share = _KINDS[self.kinds[number % len(self.kinds)]](rng, size)[..., None]
        image: Array = np.rint(colours[0] + share * (colours[1] - colours[0])).astype(np.uint8)
        return image

    def identity(self, number: int) -> Hashable:
        """Return the number: each makes another background."""
        return number


def _colour(number: int, seed: int) -> Array:
    # An odd factor permutes the 24-bit colours, so two solid backgrounds are never the same one.
    code = (number * 0x9E3779B1 + seed * 0x85EBCA6B) % 2**24
    return np.array([code >> 16, code >> 8 & 255, code & 255])


def _grid(size: tuple[int, int]) -> tuple[Array, Array]:
    longest = max(size)
    y, x = (np.arange(length, dtype=np.float32) / longest for length in size)
    return y[:, None], x[None, :]


def _solid(_: np.random.Generator, size: tuple[int, int]) -> Array:
    return np.zeros(size, np.float32)


def _gradient(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    y, x = _grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.5:
        share = np.cos(angle) * x + np.sin(angle) * y
    else:
        share = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1))
    return _stretched(share)


def _noise(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    return _cells(rng, int(rng.choice([8, 32, 128])), size)


def _pattern(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    y, x = _grid(size)
    angle, frequency = rng.uniform(0, np.pi), rng.uniform(3, 20) * 2 * np.pi
    along = np.sin(frequency * (np.cos(angle) * x + np.sin(angle) * y))
    across = np.sin(frequency * (np.cos(angle) * y - np.sin(angle) * x))
    stripes, checks, dots = along > 0, (along > 0) ^ (across > 0), along + across > 1
    chosen: Array = (stripes, checks, dots)[int(rng.integers(3))].astype(np.float32)
    return chosen


def _texture(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    octaves = (_cells(rng, 2**octave, size) / 2**octave for octave in range(2, 7))
    cloud = _stretched(sum(octaves, np.zeros(size, np.float32)))
    # Half of the textures are clouds, the others have veins as wood and marble have.
    return cloud if rng.random() < 0.5 else 0.5 + 0.5 * np.sin(rng.uniform(10, 40) * cloud)


def _cells(rng: np.random.Generator, cells: int, size: tuple[int, int]) -> Array:
    values = torch.from_numpy(rng.random((1, 1, cells, cells), dtype=np.float32))
    square = interpolate(values, (max(size), max(size)), mode="bicubic", align_corners=False).clamp(0, 1)
    share: Array = square[0, 0, : size[0], : size[1]].numpy()
    return share


def _stretched(share: Array) -> Array:
    least, largest = share.min(), share.max()
    stretched: Array = (share - least) / max(float(largest - least), 1e-6)
    return stretched


_KINDS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {
    "gradient": _gradient,
    "noise": _noise,
    "pattern": _pattern,
    "solid": _solid,
    "texture": _texture,
}
