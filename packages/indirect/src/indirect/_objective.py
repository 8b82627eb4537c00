"""The reconstruction loss of Eqs. 13.1 to 13.4, for one notion or a batch of them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def project(embeddings: Tensor, components: Tensor) -> Tensor:
    """Return unit rows ``(..., n, r')`` of embeddings ``(..., n, r)`` (Eqs. 13.5 and 13.6).

    The length of a row cancels, so it needs no normalisation before the product, only after it.
    """
    return F.normalize(embeddings @ components.mT, dim=-1, eps=torch.finfo(embeddings.dtype).tiny)


def reconstruction_loss(texts: Tensor, components: Tensor, weights: Tensor) -> Tensor:
    r"""Return the mean angle between texts and reconstructions, per notion.

    With :math:`z = t U`, the cosine of Eq. 13.4 is :math:`z z^\top / \sqrt{z (U^\top U) z^\top}`, for which nothing of
    r dimensions needs to be reconstructed: the length of z cancels, and so does that of U.

    Args:
        texts: unit rows ``(b, n, r)``.
        components: ``(b, r', r)``, the transpose of U.
        weights: ``(b, n)``, summing to 1 over the texts of a notion; 0 for rows that only fill up the batch.

    Returns:
        ``(b,)``, in radians.
    """
    eps = torch.finfo(texts.dtype).eps
    projected = texts @ components.mT
    lengths = ((projected @ (components @ components.mT)) * projected).sum(-1)
    cosines = projected.square().sum(-1) * lengths.clamp_min(torch.finfo(texts.dtype).tiny).rsqrt()
    # An arccos with finite gradients: a perfect reconstruction is the rule when there are few prompts.
    sines = ((1 - cosines.square()).clamp_min(0) + eps).sqrt()
    return (torch.atan2(sines, cosines) * weights).sum(-1)
