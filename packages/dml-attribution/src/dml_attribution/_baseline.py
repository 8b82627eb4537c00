"""The image without features: black before the model's normalisation, or the user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ._arrays import dense, finite
from ._core import import_extra, shape_error, type_error, value_error

Baseline = Tensor | Callable[[Tensor], Tensor]
Channels = float | Sequence[float] | Tensor


def black(mean: Channels | None, std: Channels | None, transform: Callable[[Any], Tensor] | None) -> Baseline:
    """Return the function that makes the black image: ``(0 - mean) / std``, or what ``transform`` makes of it.

    Raises:
        ValueError: neither the constants nor a transform are given, so nobody knows what black looks like.
    """
    if transform is not None:
        return lambda inputs: _transformed(transform, inputs)
    if mean is None or std is None:
        expected = "mean= and std= of the model's normalisation, or its transform=, to know what black looks like"
        raise value_error("baseline", expected, f"mean={mean}, std={std}, transform=None")
    average, deviation = _channels("mean", mean), _channels("std", std)
    if not (deviation > 0).all():
        raise value_error("std", "positive numbers", std)
    if max(average.ndim, deviation.ndim) > 1 or (average.ndim == deviation.ndim and average.shape != deviation.shape):
        raise shape_error("mean", "one number, or one per channel", {"mean": average.shape, "std": deviation.shape})
    value = -average / deviation
    return lambda inputs: _filled(value, inputs)


def _channels(argument: str, value: Channels) -> Tensor:
    try:
        given = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise type_error(argument, "one number, or one per channel", value) from error
    numbers = dense(argument, given)
    numbers = numbers.to(torch.promote_types(numbers.dtype, torch.float32))
    if not finite(numbers):
        raise value_error(argument, "finite numbers", value)
    return numbers


def _filled(value: Tensor, inputs: Tensor) -> Tensor:
    if value.ndim and len(value) != inputs.shape[1]:
        raise shape_error("mean", "one number per channel", {"mean": value.shape, "inputs": inputs.shape})
    # Whoever reads it often reads contiguous memory faster than the few numbers of an expanded view.
    return value.to(inputs).reshape(-1, 1, 1).expand(inputs.shape[1:]).contiguous()


def _transformed(transform: Callable[[Any], Tensor], inputs: Tensor) -> Tensor:
    image = import_extra("PIL.Image", package="dml-attribution", extra="images")
    height, width = inputs.shape[-2:]
    return transform(image.new("RGB" if inputs.shape[1] == 3 else "L", (width, height)))


def matched(argument: str, image: object, inputs: Tensor, *, each: bool = False) -> Tensor:
    """Return ``image`` as a batch of one, or of one per input when ``each`` allows it, like ``inputs``.

    Raises:
        ValueError: the shape is not that of one input, or values are not finite.
    """
    image = dense(argument, image)
    if image.shape == inputs.shape[1:]:
        image = image[None]
    elif image.shape[1:] != inputs.shape[1:] or len(image) not in ((1, len(inputs)) if each else (1,)):
        expected = "the shape of one input" + (" or one image per input" if each else "")
        raise shape_error(argument, expected, {"inputs": inputs.shape, argument: image.shape})
    if not finite(image):
        raise value_error(argument, "finite values", "NaN or infinity")
    return image.to(inputs)
