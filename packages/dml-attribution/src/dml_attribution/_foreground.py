"""How much of the attribution lies on the object?"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ._arrays import Array, nonnegative, over_maps, whole
from ._core import value_error
from ._similarity import distribution


def foreground_score(mask: Array, attribution: Array) -> Array:
    r"""Return how much of the attribution lies on the foreground, corrected for the foreground's size.

    .. math:: \mathrm{score}(M, A) = \frac{a(M, A) - f(M)}{1 - f(M)}, \quad
        a = \frac{\sum_{ij} M_{ij} A_{ij}}{\sum_{ij} A_{ij}}, \quad f = \frac{1}{wh} \sum_{ij} M_{ij}

    Args:
        mask: foreground ``(n, h, w)`` or ``(h, w)`` in [0, 1], soft or binary; a tensor or a numpy array.
        attribution: maps of at least 0, of the same shape.

    Returns:
        Scores ``(n,)``, or one for a single map: 1 all on the foreground, 0 as for a uniform map, negative on the
        background. A zero map scores 0, and so does any map under a mask that is foreground everywhere.

    Raises:
        TypeError: not two tensors or two arrays.
        ValueError: shapes differ, mask values are outside [0, 1], attributions are negative, values are not finite.

    Example:
        >>> import torch
        >>> foreground_score(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[3.0, 1.0], [0.0, 0.0]]))
        tensor(0.6667)

    Reference:
        Eq. 11.2 to 11.4; Kobs and Hotho 2022, "On background bias in deep metric learning" (ICMV).
    """
    return over_maps(_score, mask=mask, attribution=attribution)


def relevance_mass(mask: Array, attribution: Array) -> Array:
    """Return the share of the attribution that lies on the foreground (Eq. 11.3), not corrected for its size.

    Arguments and errors are those of :func:`foreground_score`; a zero map counts as uniform.

    Example:
        >>> import torch
        >>> relevance_mass(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[3.0, 1.0], [0.0, 0.0]]))
        tensor(0.7500)

    Reference:
        Eq. 11.3; Arras et al. 2022, "CLEVR-XAI".
    """
    return over_maps(_mass, mask=mask, attribution=attribution)


def pointing_game(mask: Array, attribution: Array, *, tolerance: int = 0) -> Array:
    """Return whether the pixel with the highest attribution lies on the foreground.

    Args:
        mask: foreground ``(n, h, w)`` or ``(h, w)`` in [0, 1]; from 0.5 on a pixel is foreground.
        attribution: maps of at least 0, of the same shape.
        tolerance: pixels that the maximum may lie outside, in rows and in columns (published: 15).

    Returns:
        Hits ``(n,)``, or one for a single map: 1 or 0, and among several maxima the share of hits.

    Raises:
        TypeError: not two tensors or two arrays.
        ValueError: as in :func:`foreground_score`, or ``tolerance`` is negative.

    Example:
        >>> import torch
        >>> pointing_game(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[3.0, 1.0], [0.0, 0.0]]))
        tensor(1.)

    Reference:
        Zhang et al. 2018, "Top-down neural attention by excitation backprop".
    """
    tolerance = whole("tolerance", tolerance, least=0)
    return over_maps(lambda mask, maps: _hits(mask, maps, tolerance), mask=mask, attribution=attribution)


def _score(mask: Tensor, attribution: Tensor) -> Tensor:
    share = mask.mean(dim=(1, 2))
    room = 1 - share
    return torch.where(room > 0, (_mass(mask, attribution) - share) / torch.where(room > 0, room, 1), 0)


def _hits(mask: Tensor, attribution: Tensor, tolerance: int) -> Tensor:
    _check(mask, attribution)
    tolerance = min(tolerance, max(mask.shape[1:]))
    foreground = (mask >= 0.5).to(mask.dtype)[:, None]
    reachable = F.max_pool2d(foreground, 2 * tolerance + 1, stride=1, padding=tolerance)[:, 0]
    highest = (attribution == attribution.amax(dim=(1, 2), keepdim=True)).to(mask.dtype)
    return (reachable * highest).sum(dim=(1, 2)) / highest.sum(dim=(1, 2))


def _mass(mask: Tensor, attribution: Tensor) -> Tensor:
    _check(mask, attribution)
    return (mask * distribution(attribution)).sum(dim=(1, 2))


def _check(mask: Tensor, attribution: Tensor) -> None:
    if ((mask < 0) | (mask > 1)).any():
        raise value_error("mask", "values in [0, 1]", f"{mask.min():g} to {mask.max():g}")
    nonnegative("attribution", attribution)
