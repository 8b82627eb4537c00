"""SimLoss of logits or probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from ._checks import check_loss_arguments
from ._dense import Similarity, as_similarity
from ._score import row_losses
from ._structured import AnySimilarity


def sim_loss(
    input: Tensor,
    target: Tensor,
    similarity: AnySimilarity,
    *,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    from_probabilities: bool = False,
) -> Tensor:
    r"""Cross entropy in which probability on similar classes counts as well.

    .. math:: L = -\log \sum_c S_{y,c} \, p_c, \qquad p = \mathrm{softmax}(\mathrm{input})

    With the identity as similarity, value and gradient are those of :func:`torch.nn.functional.cross_entropy` for
    every combination of the options. They mean what they mean there, applied to the loss
    :math:`\ell_k = -\log (S p)_k` of each class in the place of :math:`-\log p_k`.

    Args:
        input: logits of shape ``(c)``, ``(n, c)`` or ``(n, c, d1, ..., dk)``.
        target: class indices of shape ``()``, ``(n)`` or ``(n, d1, ..., dk)``, or class probabilities of the shape of
            ``input``; then the loss is :math:`\sum_k \mathrm{target}_k \, \ell_k`.
        similarity: matrix ``(c, c)`` with entries in [0, 1], or a structured similarity. Entries are checked by
            :class:`~simloss.SimLoss`, once, and not here. It must not require a gradient.
        weight: rescaling weight of each class, shape ``(c)``.
        ignore_index: class index whose positions count neither in the sum nor in the mean. A non-negative one is an
            error when ``target`` holds probabilities.
        reduction: ``"mean"`` (over the weights of the targets), ``"sum"`` or ``"none"``. The mean of nothing is NaN.
        label_smoothing: share of the target, in [0, 1], that is spread evenly over all classes.
        from_probabilities: ``input`` holds probabilities instead of logits. The sum is clamped to the smallest
            normal number before the logarithm, so that the loss is finite.

    Returns:
        Scalar, or the shape of the class indices for ``reduction="none"``. It has the dtype of ``input``; half
        precision is computed in float32, and under autocast stays float32.

    Raises:
        ValueError: arguments whose shapes or values do not fit; the message names them.

    Example:
        >>> similarity = torch.tensor([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> logits = torch.tensor([[0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])
        >>> sim_loss(logits, torch.tensor([0, 0]), similarity, reduction="none")
        tensor([0.6931, 2.6895])

    Reference:
        Chapter 14, Eq. 14.2; Kobs et al., "SimLoss: Class Similarities in Cross Entropy", ISMIS 2020. The published
        code adds 1e-8 to probabilities inside the logarithm; here logits stay in log space.
    """
    classes = as_similarity(similarity)
    check_loss_arguments(input, target, classes, weight, ignore_index, reduction, label_smoothing)
    class_axis = min(1, input.ndim - 1)
    autocast = torch.is_autocast_enabled(input.device.type)
    with torch.autocast(input.device.type, enabled=False):
        scores = input if class_axis == input.ndim - 1 else input.movedim(class_axis, -1)
        if target.is_floating_point():
            target = target.movedim(class_axis, -1)
        losses, share = position_losses(
            scores, target, classes, weight, ignore_index, label_smoothing, from_probabilities
        )
        loss = reduce(losses, share, reduction)
    return loss if autocast else loss.to(input.dtype)


def position_losses(
    scores: Tensor,
    target: Tensor,
    similarity: Similarity,
    weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
    from_probabilities: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the loss of each position and its share in the mean.

    Args:
        scores: logits or probabilities, shape ``(*, c)``.
        target: class indices ``(*)`` or class probabilities ``(*, c)``.
        similarity: ``S``.
        weight: class weights, shape ``(c,)``.
        ignore_index: class index whose positions do not count.
        label_smoothing: what the uniform distribution takes from the target.
        from_probabilities: whether ``scores`` are probabilities.

    Returns:
        Two tensors of shape ``(*)``, the losses at least float32.
    """
    dtype = torch.promote_types(scores.dtype, torch.float32)
    if weight is not None:
        weight = weight.to(dtype)
    if target.is_floating_point():
        expected = target.to(dtype) * (1 - label_smoothing) + label_smoothing / similarity.num_classes
        if weight is not None:
            expected = expected * weight
        losses = (expected * _all_losses(scores.to(dtype), similarity, from_probabilities)).sum(-1)
        return losses, torch.ones_like(losses)
    ignored = target == ignore_index
    target = target.masked_fill(ignored, 0).long()
    share = ~ignored if weight is None else weight[target].masked_fill(ignored, 0)
    losses = _index_losses(scores, target, ignored, similarity, from_probabilities)
    if weight is not None:
        losses = losses * share
    if label_smoothing:
        others = _all_losses(scores.to(dtype), similarity, from_probabilities)
        uniform = (others if weight is None else others * weight).mean(-1)
        losses = (1 - label_smoothing) * losses + label_smoothing * uniform.masked_fill(ignored, 0)
    return losses, share


def reduce(losses: Tensor, share: Tensor, reduction: str) -> Tensor:
    """Reduce as cross entropy does; the mean of nothing is NaN."""
    if reduction == "mean":
        return losses.sum() / share.sum()
    return losses.sum() if reduction == "sum" else losses


def _index_losses(
    scores: Tensor, target: Tensor, ignored: Tensor, similarity: Similarity, from_probabilities: bool
) -> Tensor:
    if from_probabilities:
        dtype = torch.promote_types(scores.dtype, torch.float32)
        expected = (similarity._all_rows(target.reshape(-1), dtype).view(scores.shape) * scores.to(dtype)).sum(-1)
        return _clamped_log(expected).masked_fill(ignored, 0)
    if scores.ndim == 2:
        return row_losses(scores, target, ignored, similarity)
    rows = scores.reshape(-1, similarity.num_classes)
    return row_losses(rows, target.reshape(-1), ignored.reshape(-1), similarity).view(target.shape)


def _all_losses(scores: Tensor, similarity: Similarity, from_probabilities: bool) -> Tensor:
    if from_probabilities:
        return _clamped_log(similarity._product(scores))
    return -similarity._log_product(scores.log_softmax(-1))


def _clamped_log(expected: Tensor) -> Tensor:
    return -expected.clamp_min(torch.finfo(expected.dtype).tiny).log()
