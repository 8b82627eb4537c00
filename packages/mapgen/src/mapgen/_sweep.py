"""Scenes in which named factors take chosen values while all else stays fixed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import check_text, check_type, check_values
from ._core import value_error
from ._render import render, render_with_labels
from ._scene import Scene
from ._style import Style


@dataclass(frozen=True)
class Sweep:
    """Scenes, and the value that each factor has in each of them.

    Args:
        scenes: one per image.
        factors: for each factor one value per scene.
    """

    scenes: Sequence[Scene]
    factors: Mapping[str, Sequence[Any]]

    def __post_init__(self) -> None:
        """Check the lengths."""
        object.__setattr__(self, "scenes", check_values("scenes", self.scenes, "a sequence of scenes"))
        object.__setattr__(self, "factors", _factors(self.factors))
        for number, scene in enumerate(self.scenes):
            check_type(f"scenes[{number}]", scene, Scene, "a Scene")
        if not self.scenes or not self.factors:
            raise value_error("scenes", "at least one scene and one factor", f"{len(self.scenes)} scenes")
        for name, values in self.factors.items():
            if len(values) != len(self.scenes):
                raise value_error(f"factors[{name!r}]", f"{len(self.scenes)} values, one per scene", len(values))

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self.scenes)

    def images(self, *, style: Style | None = None, antialias: bool = False) -> NDArray[np.uint8]:
        """Return all images, ``(n, h, w, 3)``."""
        return draw_all(self.scenes, style=style, antialias=antialias)

    def labels(self, *, style: Style | None = None) -> NDArray[np.uint8]:
        """Return all label masks, ``(n, h, w)``."""
        return draw_all(self.scenes, style=style, out="labels")

    def pairs(
        self, *, style: Style | None = None, antialias: bool = False
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Yield image and labels of one scene after the other."""
        return (render_with_labels(scene, style=style, antialias=antialias) for scene in self.scenes)


def draw_all(
    scenes: Sequence[Scene], *, style: Style | None, antialias: bool = False, out: str = "array"
) -> NDArray[np.uint8]:
    """Return the images ``(n, h, w, 3)`` or labels ``(n, h, w)`` of scenes of one size."""
    if len(sizes := {scene.size_px for scene in scenes}) > 1:
        raise value_error("scenes", "one size_px for all", sorted(sizes))
    return np.stack([render(scene, style=style, antialias=antialias, out=out) for scene in scenes])


def sweep(scene: Scene, path: str, values: Sequence[Any]) -> Sweep:
    """Change one value of a scene, all else fixed.

    Args:
        scene: where to start.
        path: what to change, as in ``Scene.replace``: ``"roads[0].width_px"``, ``"land"``, ...
        values: what it becomes, one scene each.

    Example:
        >>> from mapgen import Road
        >>> widths = sweep(Scene(features=[Road("trunk")]), "roads[0].width_px", range(5, 8))
        >>> [scene.roads[0].width_px for scene in widths.scenes]
        [5, 6, 7]

    Reference: Section 6.1.1.
    """
    return grid(scene, {check_text("path", path): values})


def grid(scene: Scene, factors: Mapping[str, Sequence[Any]]) -> Sweep:
    """Change several values of a scene in all combinations (full factorial), the last factor fastest.

    Args:
        scene: where to start.
        factors: values by path, see ``sweep``.

    Example:
        >>> from mapgen import Road
        >>> both = grid(Scene(features=[Road("trunk")]), {"land": ["park", "water"], "roads[0].offset": [0, 50, 90]})
        >>> both.factors["roads[0].offset"]
        (0, 50, 90, 0, 50, 90)
    """
    check_type("scene", scene, Scene, "a Scene")
    factors = _factors(factors)
    if not factors or not all(factors.values()):
        raise value_error("factors", "at least one factor with at least one value each", factors)
    combinations = list(itertools.product(*factors.values()))
    scenes = []
    for combination in combinations:
        changed = scene
        for path, value in zip(factors, combination):
            changed = changed.replace(path, value)
        scenes.append(changed)
    return Sweep(tuple(scenes), dict(zip(factors, zip(*combinations))))


def _factors(factors: Any) -> dict[str, tuple[Any, ...]]:
    check_type("factors", factors, Mapping, "a mapping of names to values")  # type: ignore[type-abstract]
    return {
        check_text("factors", name, "names of factors"): check_values(f"factors[{name!r}]", values)
        for name, values in factors.items()
    }
