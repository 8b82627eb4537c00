"""Figures of attribution maps, in perceptually uniform colours that colour-blind people can read (extra ``plot``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._arrays import Array, dense, number, over_maps
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
    colours = import_extra("matplotlib", package="dml-attribution", extra="plot").colormaps[cmap]
    alpha = number("alpha", alpha)
    if not 0 <= alpha <= 1:
        raise value_error("alpha", "a number in [0, 1]", alpha)
    picture, values = _picture(image), _map("attribution", attribution)
    if picture.shape[:2] != values.shape:
        raise shape_error("attribution", "a map (h, w) of the image", {"image": picture.shape, "map": values.shape})
    low, high = limits
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
) -> Any:
    """Draw one row per image: the image, then its map under each model.

    Args:
        images: a tensor ``(n, c, h, w)`` or an array ``(n, h, w, c)``, in [0, 1] or uint8, *not* normalised.
        maps: maps ``(n, h, w)`` by the name of the model.
        cmap: name of a matplotlib colour map.
        limits: values at the ends of the colour map.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there are no maps, their number is not that of the images, or the images are normalised.

    Reference:
        Figures 9.2 to 9.4, 11.3 and 13.3.
    """
    pyplot = import_extra("matplotlib.pyplot", package="dml-attribution", extra="plot")
    if not maps:
        raise value_error("maps", "at least one model's maps", "none")
    for name, values in maps.items():
        if len(values) != len(images):
            raise shape_error(f"maps[{name!r}]", "one map per image", {"images": images.shape, name: values.shape})
    size = (1.8 * (len(maps) + 1) + 0.8, 1.9 * len(images) + 0.3)
    figure, axes = pyplot.subplots(len(images), len(maps) + 1, figsize=size, squeeze=False, layout="constrained")
    for row, image in zip(axes, images):
        row[0].imshow(_picture(image))
    for column, values in enumerate(maps.values(), start=1):
        for axis, value in zip(axes[:, column], values):
            drawn = axis.imshow(_map("maps", value), cmap=cmap, vmin=limits[0], vmax=limits[1])
    for axis, title in zip(axes[0], ["Image", *maps]):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ax=axes, label="Attribution")
    return figure


def _map(argument: str, values: object) -> NDArray[np.float32]:
    try:
        tensor = torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise type_error(argument, "a map (h, w)", values) from error
    array: NDArray[np.float32] = dense(argument, tensor).cpu().float().numpy()
    return array


def _picture(image: object) -> NDArray[np.float64]:
    """Return the image as ``(h, w, 3)`` in [0, 1]."""
    if not isinstance(image, (Tensor, np.ndarray)):
        raise type_error("image", "a tensor (c, h, w) or an array (h, w, c)", image)
    array = _map("image", image) if isinstance(image, Tensor) else image
    if isinstance(image, Tensor) and image.ndim == 3:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3) or not array.size:
        raise shape_error("image", "one or three channels", {"image": image.shape})
    eight_bit = image.dtype in (torch.uint8, np.uint8)
    pixels = array.astype(np.float64) / (255 if eight_bit else 1)
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise value_error("image", "values in [0, 1] before normalisation", f"{pixels.min():g} to {pixels.max():g}")
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3))
