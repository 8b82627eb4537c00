"""From raw gradients to maps in [0, 1]."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._arrays import dense, finite
from ._core import shape_error, value_error

_PERCENTILE = 0.99


def postprocess(gradients: Tensor) -> Tensor:
    r"""Turn gradients into maps: absolute value, mean over channels, scaled from the minimum to the 99th percentile.

    .. math:: \mathrm{clip}\left(\frac{g - \min g}{p_{99}(g) - \min g}, 0, 1\right),
        \quad g = \frac{1}{c} \sum_c |\hat s_c|

    A constant map becomes zeros. Where the percentile equals the minimum (fewer than 1 % of the pixels stand out) the
    maximum takes its place.

    Args:
        gradients: ``(n, c, h, w)``, such as those of :meth:`EmbeddingAttribution.gradients` or of captum.

    Returns:
        Maps ``(n, h, w)`` in [0, 1].

    Raises:
        ValueError: ``gradients`` is not ``(n, c, h, w)``.

    Example:
        >>> import torch
        >>> postprocess(torch.tensor([[[[0.0, -2.0], [1.0, 2.0]]]]))
        tensor([[[0.0000, 1.0000],
                 [0.5000, 1.0000]]])

    Reference:
        Section 9.1; Smilkov et al. 2017, "SmoothGrad".
    """
    if dense("gradients", gradients).ndim != 4 or 0 in gradients.shape[1:]:
        raise shape_error("gradients", "(n, c, h, w)", {"gradients": gradients.shape})
    if not gradients.is_floating_point():
        raise value_error("gradients", "a floating-point dtype", gradients.dtype)
    maps = gradients.abs().mean(dim=1)
    if not finite(maps):
        raise value_error("gradients", "values whose sum is finite", f"values up to {gradients.abs().max():g}")
    return scale(maps)


def scale(maps: Tensor) -> Tensor:
    """Scale each map ``(n, h, w)`` from its minimum to its 99th percentile, clipped to [0, 1]."""
    flat = maps.flatten(1)
    low, high = flat.aminmax(dim=1, keepdim=True)
    top = _percentile(flat)
    span = torch.where(top > low, top, high) - low
    # Where the span is 0 the map is constant, and so is what is divided.
    return ((flat - low) / torch.where(span > 0, span, 1)).clamp(0, 1).reshape(maps.shape)


def _percentile(values: Tensor) -> Tensor:
    """Return the interpolated percentile ``(n, 1)``; quantile would sort all values, and compute in float64."""
    position = _PERCENTILE * (values.shape[1] - 1)
    below = math.floor(position)
    largest = values.topk(values.shape[1] - below, dim=1).values
    # The value at the position below is the last of the largest; the one above it, if any, is the one before.
    return torch.lerp(largest[:, -1:], largest[:, -2:][:, :1], position - below)
