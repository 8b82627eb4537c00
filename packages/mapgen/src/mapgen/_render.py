"""Scenes to pixels, label masks and SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._checks import check_choice, check_flag, check_type
from ._core import value_error
from ._features import Feature, Road
from ._scene import Scene
from ._shapes import FULL, Band, Line, Polygon, Shape
from ._style import KINDS, MAX_PX, Kind, Style, style_or_default

OUTPUTS = ("array", "pil", "labels", "svg")
_DRAWN_BEFORE: dict[str, tuple[Kind, ...]] = {
    "area": ("land", "pier", "paved"),
    "water": ("water",),
    "building": ("building",),
    "road": ("road", "waterway"),
}


def render(scene: Scene, *, style: Style | None = None, antialias: bool = False, out: str = "array") -> Any:
    """Draw a scene; the same scene gives the same bytes, on every run.

    Without antialiasing a pixel has the colour of what its centre lies in, and so its label:
    ``style.palette[labels]`` is the image. With it, colours mix at borders; labels stay those of the centres.

    Args:
        scene: what to draw.
        style: colours and widths; openstreetmap-carto by default.
        antialias: whether borders are smooth.
        out: ``"array"``, ``"pil"``, ``"labels"`` or ``"svg"``.

    Returns:
        An array ``(h, w, 3)`` of uint8, a PIL image, the labels ``(h, w)`` of uint8 as indices into ``style.labels``,
        or a text.

    Raises:
        ValueError: a class that the style does not know (the message lists the known ones), or a road that lies
            outside the tile.

    Example:
        >>> scene = Scene(land="park", features=[Road("trunk", width_px=21)])
        >>> labels = render(scene, out="labels")
        >>> [Style.osm_carto().labels[label] for label in labels[0, 100:103]]
        ['park', 'trunk casing', 'trunk']
        >>> int((labels[0] != labels[0, 0]).sum())
        21

    Reference: Section 6.1.1.
    """
    style = _check(scene, style, antialias)
    check_choice("out", out, OUTPUTS)
    if out == "svg":
        shapes = "\n".join(shape.svg(_hex(style, label), scene.size_px) for shape, label in _layers(scene, style))
        size = scene.size_px
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {size} {size}">\n'
            f'<rect width="{size}" height="{size}" fill="{style[scene.land].fill}"/>\n{shapes}\n</svg>\n'
        )
    if out == "labels":
        return _labels(scene, style, _layers(scene, style))
    image, _ = _image_and_labels(scene, style, antialias)
    return Image.fromarray(image) if out == "pil" else image


def render_with_labels(
    scene: Scene, *, style: Style | None = None, antialias: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the image ``(h, w, 3)`` and the labels ``(h, w)`` of a scene in one go; see ``render``."""
    return _image_and_labels(scene, _check(scene, style, antialias), antialias)


def _check(scene: Scene, style: Style | None, antialias: bool) -> Style:
    check_type("scene", scene, Scene, "a Scene")
    style = style_or_default(style)
    check_flag("antialias", antialias)
    style.require("land", scene.land)
    return style


def _layers(scene: Scene, style: Style) -> Iterator[tuple[Shape, int]]:
    """Yield shapes and their labels from the lowest to the highest."""
    groups: dict[Kind, list[list[tuple[Shape, int]]]] = {kind: [] for kind in KINDS}
    for number, feature in enumerate(scene.features):
        look = style.require(f"features[{number}].name", feature.name, *_DRAWN_BEFORE[feature.type])
        shapes = _road(feature, number, scene, style) if isinstance(feature, Road) else _surface(feature, scene, style)
        groups[look.kind].append(shapes)
    for kind in KINDS[:-2]:
        yield from (layer for shapes in groups[kind] for layer in shapes)
    # Roads run into one another and into paved areas: all casings lie below those, all fills above.
    yield from (layer for shapes in groups["road"] for layer in shapes[:-1])
    yield from (layer for shapes in groups["paved"] for layer in shapes)
    yield from (shapes[-1] for shapes in groups["road"])


def _road(road: Road, number: int, scene: Scene, style: Style) -> list[tuple[Shape, int]]:
    """Return casing and fill of a road; the casing is left out where there is none."""
    look = style[road.name]
    width = road.width_px or (road.width_m * scene.px_per_m if road.width_m is not None else look.width_px or 0.0)
    if width > MAX_PX:
        raise value_error(f"features[{number}].width_m", f"at most {MAX_PX} pixels", f"{width:g} pixels")
    widths = [(width, style.index[road.name])]
    if road.casing and look.casing:
        outer, inner = width, width - 2 * look.casing_px
        widths = [(outer, style.index[f"{road.name} casing"])]
        widths += [(inner, style.index[road.name])] if inner > 0 else []
    band = Band(road.angle, road.offset, width)
    if road.path_m is None:
        if not band.touches(scene.size_px):
            wanted = f"a road that touches the tile of {scene.size_px} pixels"
            raise value_error(f"features[{number}]", wanted, f"offset {road.offset:g}, width {width:g}")
        return [(Band(road.angle, road.offset, width), label) for width, label in widths]
    points = _pixels(road.path_m, scene) + np.array(band.normal()) * road.offset
    if (points.max(0) < -width / 2).any() or (points.min(0) > scene.size_px + width / 2).any():
        raise value_error(f"features[{number}]", "a road that touches the tile", f"path_m {road.path_m}")
    return [(Line(points, width), label) for width, label in widths]


def _surface(feature: Feature, scene: Scene, style: Style) -> list[tuple[Shape, int]]:
    """Return the inside of an area, water or building, and the outline of a building."""
    look = style[feature.name]
    rings = tuple(_pixels(ring, scene) for ring in (feature.outline_m, *feature.holes_m))  # type: ignore[union-attr]
    layers: list[tuple[Shape, int]] = [(Polygon(rings), style.index[feature.name])]
    if look.casing:
        label = style.index[f"{feature.name} casing"]
        width = max(1.0, look.casing_px)  # a thinner line would have gaps
        layers += [(Line(np.vstack([ring, ring[:1]]), width), label) for ring in rings]
    return layers


def _pixels(points: Sequence[tuple[float, float]], scene: Scene) -> NDArray[np.float64]:
    return np.array(points) * scene.px_per_m + scene.size_px / 2


def _image_and_labels(scene: Scene, style: Style, antialias: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    layers = list(_layers(scene, style))
    labels = _labels(scene, style, layers)
    land = style.index[scene.land]
    image = style.palette[land].reshape(1, 1, 3).repeat(scene.size_px, axis=1).repeat(scene.size_px, axis=0)
    colours, pixels = style.palette.view("V3")[:, 0], image.view("V3")[..., 0]
    for drawn in {label for _, label in layers} - {land}:
        np.copyto(pixels, colours[drawn], where=labels == drawn)
    return (_smooth(image, scene, style, layers) if antialias else image), labels


def _labels(scene: Scene, style: Style, layers: Iterable[tuple[Shape, int]]) -> NDArray[np.uint8]:
    labels = np.full((scene.size_px, scene.size_px), style.index[scene.land], dtype=np.uint8)
    for shape, label in layers:
        window, inside = shape.mask(scene.size_px)
        np.copyto(labels[window], np.uint8(label), where=inside)
    return labels


def _smooth(image: NDArray[np.uint8], scene: Scene, style: Style, layers: list[tuple[Shape, int]]) -> NDArray[np.uint8]:
    """Mix the layers, from the lowest to the highest, in the pixels that any of them covers in part."""
    size = scene.size_px
    coverages = []
    partial = np.zeros((size, size), dtype=bool)
    for shape, _ in layers:
        window, covered = shape.coverage(size)
        whole = covered
        if covered.shape != partial.shape:
            whole = np.zeros(partial.shape, dtype=np.uint8)
            whole[window] = covered
        coverages.append(whole.ravel())
        partial |= whole - np.uint8(1) < FULL - 1  # 0 wraps around
    pixels = np.flatnonzero(partial)
    mixed = np.tile(style.palette[style.index[scene.land]].astype(np.int32), (len(pixels), 1))
    for covered, (_, label) in zip(coverages, layers):
        change = style.palette[label].astype(np.int32) - mixed
        mixed += (change * covered[pixels, None] + FULL // 2) >> 7  # division by FULL
    image.reshape(-1, 3)[pixels] = mixed
    return image


def _hex(style: Style, label: int) -> str:
    return "#" + bytes(style.palette[label]).hex()
