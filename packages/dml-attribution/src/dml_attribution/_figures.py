"""Figures of attribution maps, in perceptually uniform colours that colour-blind people can read (extra ``plot``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._arrays import Array, checked, dense, mapped, number, over_maps
from ._core import import_extra, shape_error, type_error, value_error

Limits = tuple[float, float]


def difference_map(a: Array, b: Array) -> Array:
    """Return where ``a`` attends more (positive) and where ``b`` does (negative).

    Args:
        a: maps ``(n, h, w)`` or ``(h, w)`` in [0, 1]; a tensor or a numpy array.
        b: maps of the same images under another model, of the same shape.

    Returns:
        Differences in [-1, 1]; draw them with ``cmap="cividis", limits=(-1, 1)``: yellow for ``a``, blue for ``b``,
        grey for no difference.

    Raises:
        TypeError: not two tensors or two arrays.
        ValueError: shapes differ, or values are not finite.

    Example:
        >>> import torch
        >>> difference_map(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.25, 0.5]]))
        tensor([[ 0.7500, -0.5000]])

    Reference:
        Figure 13.3.
    """
    return over_maps(torch.sub, a=a, b=b)


def overlay(
    image: Tensor | NDArray[Any],
    attribution: Tensor | NDArray[Any],
    *,
    alpha: float = 0.6,
    cmap: str = "viridis",
    limits: Limits = (0.0, 1.0),
) -> NDArray[np.uint8]:
    """Lay a coloured map over its image in grey.

    Args:
        image: a tensor ``(c, h, w)`` or an array ``(h, w, c)`` or ``(h, w)``, in [0, 1] or uint8, *not* normalised.
        attribution: map ``(h, w)``.
        alpha: opacity of the map in [0, 1].
        cmap: name of a matplotlib colour map.
        limits: values at the ends of the colour map.

    Returns:
        Array ``(h, w, 3)`` of uint8.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: shapes do not fit, or the image is normalised.

    Example:
        >>> import torch
        >>> overlay(torch.zeros(3, 1, 2), torch.tensor([[0.0, 1.0]]), alpha=1.0).tolist()
        [[[68, 1, 84], [253, 231, 36]]]
    """
    colours = _colours(cmap)
    alpha = number("alpha", alpha)
    if not 0 <= alpha <= 1:
        raise value_error("alpha", "a number in [0, 1]", alpha)
    picture, values = _picture(image), _map("attribution", attribution)
    if picture.shape[:2] != values.shape:
        raise shape_error("attribution", "a map (h, w) of the image", {"image": picture.shape, "map": values.shape})
    low, high = _limits(limits)
    coloured = colours(np.clip((values - low) / (high - low), 0, 1))[..., :3]
    grey = picture @ np.array([0.299, 0.587, 0.114])
    blended: NDArray[np.uint8] = ((alpha * coloured + (1 - alpha) * grey[..., None]) * 255).astype(np.uint8)
    return blended


def grid(
    images: Tensor | NDArray[Any],
    maps: Mapping[str, Tensor | NDArray[Any]],
    *,
    cmap: str = "viridis",
    limits: Limits = (0.0, 1.0),
    label: str = "Attribution",
) -> Any:
    """Draw one row per image: the image, then its map under each model.

    Args:
        images: a tensor ``(n, c, h, w)`` or an array ``(n, h, w, c)``, in [0, 1] or uint8, *not* normalised.
        maps: maps ``(n, h, w)`` by the name of the model.
        cmap: name of a matplotlib colour map.
        limits: values at the ends of the colour map.
        label: of the colour bar.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there are no maps, their number is not that of the images, or the images are normalised.

    Reference:
        Figures 9.2 to 9.4, 11.3 and 13.3.
    """
    pyplot = import_extra("matplotlib.pyplot", package="dml-attribution", extra="plot")
    if not mapped("maps", maps):
        raise value_error("maps", "at least one model's maps", "none")
    low, high = _limits(limits)
    pictures = [_picture(image) for image in _batch("images", images, 3, 4)]
    arrays = {name: _batch(f"maps[{name!r}]", values, 3) for name, values in maps.items()}
    for name, values in arrays.items():
        if len(values) != len(pictures):
            shapes = {"images": np.shape(images), name: np.shape(values)}
            raise shape_error(f"maps[{name!r}]", "one map per image", shapes)
    colours = _colours(cmap)
    height, width = pictures[0].shape[:2]
    size = (1.8 * (len(maps) + 1) + 0.8, (1.8 * height / width + 0.1) * len(pictures) + 0.3)
    figure, axes = pyplot.subplots(len(pictures), len(maps) + 1, figsize=size, squeeze=False, layout="constrained")
    for row, picture in zip(axes, pictures):
        row[0].imshow(picture)
    for column, values in enumerate(arrays.values(), start=1):
        for axis, value in zip(axes[:, column], values):
            drawn = axis.imshow(_map("maps", value), cmap=colours, vmin=low, vmax=high)
    for axis, title in zip(axes[0], ["Image", *maps]):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ax=axes, label=label)
    return figure


def _colours(cmap: object) -> Any:
    library = import_extra("matplotlib", package="dml-attribution", extra="plot")
    if not isinstance(cmap, str) or cmap not in library.colormaps:
        raise value_error("cmap", "the name of a matplotlib colour map", repr(cmap))
    return library.colormaps[cmap]


def _limits(limits: object) -> Limits:
    if not isinstance(limits, (tuple, list)) or len(limits) != 2:
        raise type_error("limits", "two numbers", limits)
    low, high = (number("limits", value) for value in limits)
    if not -np.inf < low < high < np.inf:
        raise value_error("limits", "two finite numbers, the lower one first", limits)
    return low, high


def _batch(argument: str, values: object, *ndim: int) -> Tensor | NDArray[Any]:
    """Return images or maps, or raise the error for anything that is no batch of them."""
    if not isinstance(values, (Tensor, np.ndarray)):
        raise type_error(argument, "a tensor or a numpy array", values)
    if isinstance(values, Tensor):
        values = dense(argument, values)
    if values.ndim not in ndim or 0 in values.shape:
        expected = "a batch of images" if 4 in ndim else "maps (n, h, w)"
        raise shape_error(argument, expected, {argument: values.shape})
    return values


def _map(argument: str, values: object) -> NDArray[np.float32]:
    array: NDArray[np.float32] = checked(argument, values).cpu().float().numpy()
    return array


def _picture(image: Tensor | NDArray[Any]) -> NDArray[np.float64]:
    """Return the image as ``(h, w, 3)`` in [0, 1]."""
    array = checked("image", image).cpu().numpy()
    if isinstance(image, Tensor) and image.ndim == 3:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3) or not array.size:
        raise shape_error("image", "one or three channels", {"image": image.shape})
    eight_bit = image.dtype in (torch.uint8, np.uint8)
    pixels = array / (255 if eight_bit else 1)
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise value_error("image", "values in [0, 1] before normalisation", f"{pixels.min():g} to {pixels.max():g}")
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3))
