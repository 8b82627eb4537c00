"""How alike are two attribution maps of the same image?"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ._arrays import Array, nonnegative, over_maps
from ._core import shape_error, value_error

Reduction = Literal["mean", "none"]

# Fisher's z of 1 is infinite; this limit keeps it at 8.4 in float32 and float64 alike.
LARGEST_CORRELATION = 1 - 1e-7


def fisher_z(correlations: Tensor) -> Tensor:
    """Return ``arctanh`` of the correlations, finite also at -1 and 1."""
    return correlations.clamp(-LARGEST_CORRELATION, LARGEST_CORRELATION).atanh()


def pearson(a: Array, b: Array, *, reduction: Reduction = "mean") -> Array:
    r"""Return Pearson's correlation of each pair of maps, averaged through Fisher's z.

    .. math:: \bar r = \tanh\left(\frac{1}{n} \sum_i \operatorname{artanh} r_i\right)

    Args:
        a: maps ``(n, h, w)`` or one map ``(h, w)``; a tensor or a numpy array.
        b: maps of the same images under another model, of the same shape.
        reduction: ``"mean"`` or ``"none"``.

    Returns:
        The mean, or the correlations ``(n,)``, in [-1, 1]. A constant map correlates 0 with any other.

    Raises:
        TypeError: not two tensors or two arrays.
        ValueError: shapes differ, values are not finite, or the reduction is unknown.

    Example:
        >>> import torch
        >>> a = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]])
        >>> pearson(a, torch.tensor([[[0.0, 1.0], [3.0, 2.0]]]))
        tensor(0.8000)

    Reference:
        Section 9.2 and Table 9.1.
    """
    return over_maps(lambda a, b: _mean_through_z(_correlation(a.flatten(1), b.flatten(1)), reduction), a=a, b=b)


def spearman(a: Array, b: Array, *, reduction: Reduction = "mean") -> Array:
    """Return Spearman's rank correlation of each pair of maps, averaged through Fisher's z; ties share their mean rank.

    Arguments, results and errors are those of :func:`pearson`.

    Example:
        >>> import torch
        >>> spearman(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 4.0], [16.0, 9.0]]))
        tensor(0.8000)
    """
    return over_maps(
        lambda a, b: _mean_through_z(_correlation(_ranks(a.flatten(1)), _ranks(b.flatten(1))), reduction), a=a, b=b
    )


def jensen_shannon(a: Array, b: Array, *, reduction: Reduction = "mean") -> Array:
    r"""Return the Jensen-Shannon divergence of each pair of maps, each divided by its sum; base 2, so at most 1.

    .. math:: \mathrm{JSD}(p, q) = \frac12 \sum p \log_2 \frac{p}{m} + \frac12 \sum q \log_2 \frac{q}{m},
        \quad m = \frac{p + q}{2}

    Args:
        a: maps ``(n, h, w)`` or one map ``(h, w)`` of at least 0; a tensor or a numpy array.
        b: maps of the same images under another model, of the same shape.
        reduction: ``"mean"`` or ``"none"``.

    Returns:
        The mean, or the divergences ``(n,)``, in [0, 1]. A zero map counts as uniform.

    Raises:
        TypeError: not two tensors or two arrays.
        ValueError: shapes differ, values are negative or not finite, or the reduction is unknown.

    Example:
        >>> import torch
        >>> jensen_shannon(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
        tensor(1.)

    Reference:
        Section 9.2 and Table A.1.
    """
    return over_maps(lambda a, b: _mean(_divergence(a, b), reduction), a=a, b=b)


def ssim(a: Array, b: Array, *, reduction: Reduction = "mean") -> Array:
    """Return the structural similarity of each pair of maps: Gaussian window of 11 pixels, sigma 1.5, range 1.

    Args:
        a: maps ``(n, h, w)`` or one map ``(h, w)`` in [0, 1], of at least 11 x 11 pixels; a tensor or a numpy array.
        b: maps of the same images under another model, of the same shape.
        reduction: ``"mean"`` or ``"none"``.

    Returns:
        The mean, or the similarities ``(n,)``, at most 1.

    Raises:
        TypeError: not two tensors or two arrays.
        ValueError: shapes differ, maps are smaller than the window or values are not finite.

    Example:
        >>> import torch
        >>> maps = torch.rand(2, 16, 16)
        >>> ssim(maps, maps)
        tensor(1.)

    Reference:
        Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".
    """
    return over_maps(lambda a, b: _mean(_structure(a, b), reduction), a=a, b=b)


def distribution(maps: Tensor) -> Tensor:
    """Return each map ``(n, h, w)`` divided by its sum; a zero map prefers no pixel, so it becomes uniform."""
    total = maps.sum(dim=(1, 2), keepdim=True)
    return torch.where(total > 0, maps / torch.where(total > 0, total, 1), 1 / math.prod(maps.shape[1:]))


def _divergence(a: Tensor, b: Tensor) -> Tensor:
    nonnegative("a", a)
    nonnegative("b", b)
    p, q = distribution(a), distribution(b)
    middle = (p + q) / 2
    # Entropies, because x log x is 0 at 0 while x log(x / m) is NaN where both are 0.
    divergence = _entropy(middle) - (_entropy(p) + _entropy(q)) / 2
    return divergence.clamp(0, 1)


def _structure(a: Tensor, b: Tensor) -> Tensor:
    if min(a.shape[1:]) < 11:
        raise shape_error("a", "maps of at least 11 x 11 pixels", {"a": a.shape})
    offsets = torch.arange(-5.0, 6.0, device=a.device, dtype=a.dtype)
    weights = (-(offsets**2) / (2 * 1.5**2)).exp()
    weights = weights / weights.sum()
    # About a common centre, or the variance of a bright, even map is lost in the rounding of its squares.
    centre = ((a + b) / 2).mean(dim=(1, 2), keepdim=True)
    a, b = a - centre, b - centre
    moments = torch.stack([a, b, a * a, b * b, a * b], dim=1).flatten(0, 1)[:, None]
    smooth = F.conv2d(F.conv2d(moments, weights.reshape(1, 1, -1, 1)), weights.reshape(1, 1, 1, -1))
    mean_a, mean_b, square_a, square_b, product = smooth.reshape(len(a), 5, *smooth.shape[2:]).unbind(dim=1)
    variance_a, variance_b = square_a - mean_a**2, square_b - mean_b**2
    covariance = product - mean_a * mean_b
    mean_a, mean_b = mean_a + centre, mean_b + centre
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure = (2 * covariance + c2) / (variance_a + variance_b + c2)
    return torch.mean(luminance * structure, dim=(1, 2))


def _entropy(p: Tensor) -> Tensor:
    return -torch.xlogy(p, p).sum(dim=(1, 2)) / math.log(2)


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    a, b = _standardised(a), _standardised(b)
    return (a * b).sum(dim=1).clamp(-1, 1)


def _standardised(values: Tensor) -> Tensor:
    centred = values - values.mean(dim=1, keepdim=True)
    # Rounding leaves a constant map with a tiny spread of its own, which is no structure to correlate with.
    constant = (values == values[:, :1]).all(dim=1, keepdim=True)
    length = centred.norm(dim=1, keepdim=True)
    return torch.where(constant, 0, centred / torch.where(length > 0, length, 1))


def _ranks(values: Tensor) -> Tensor:
    ordered = values.sort(dim=1).values
    before = torch.searchsorted(ordered, values.contiguous())
    through = torch.searchsorted(ordered, values.contiguous(), right=True)
    return (before + through).to(values.dtype)


def _mean(values: Tensor, reduction: Reduction) -> Tensor:
    if reduction == "none":
        return values
    if reduction == "mean":
        return values.mean()
    raise value_error("reduction", "'mean' or 'none'", repr(reduction))


def _mean_through_z(correlations: Tensor, reduction: Reduction) -> Tensor:
    return correlations if reduction == "none" else _mean(fisher_z(correlations), reduction).tanh()
