"""How wrong the wrong predictions are: superclass accuracy and expected similarity."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ._arguments import check_values
from ._checks import check_square
from ._core import shape_error, type_error
from ._examples import check_probabilities, counted_examples
from ._structured import AnySimilarity, OrdinalSimilarity, SparseSimilarity


def superclass_accuracy(
    prediction: Tensor, target: Tensor, superclass: Tensor | Sequence[Hashable], *, ignore_index: int = -100
) -> Tensor:
    """Return the share of examples that are put into the right superclass.

    ``SA = mean(superclass[prediction] == superclass[target])``. It is at least the accuracy.

    Args:
        prediction: predicted classes ``(n,)`` or ``(n, d1..dk)`` as integers, or logits or probabilities
            ``(n, c)`` or ``(n, c, d1..dk)``, of which the largest counts.
        target: true classes ``(n,)`` or ``(n, d1..dk)``.
        superclass: superclass of each class, ``(c,)``: a tensor, or a sequence of numbers or names.
        ignore_index: target of examples that do not count.

    Returns:
        Share in ``[0, 1]``, a float tensor ``()``; NaN without examples.

    Raises:
        ValueError: the shapes do not fit or a class is not in ``0..c-1``.

    Example:
        >>> dog, cat, car = 0, 1, 2
        >>> prediction, target = torch.tensor([dog, cat, car, dog]), torch.tensor([dog, dog, dog, cat])
        >>> superclass_accuracy(prediction, target, ["animal", "animal", "vehicle"])
        tensor(0.7500)

    Reference:
        Chapter 2, Eq. 2.22; Kobs et al., "SimLoss: Class Similarities in Cross Entropy", ISMIS 2020.
    """
    return hits(prediction, target, superclass, ignore_index=ignore_index).superclass_accuracy()


def failed_superclass_accuracy(
    prediction: Tensor, target: Tensor, superclass: Tensor | Sequence[Hashable], *, ignore_index: int = -100
) -> Tensor:
    """Return the share of wrongly classified examples that are put into the right superclass.

    ``FSA = (superclass hits - class hits) / (n - class hits)``: how mild the mistakes are.

    Args:
        prediction: as in :func:`superclass_accuracy`.
        target: true classes ``(n,)`` or ``(n, d1..dk)``.
        superclass: superclass of each class, ``(c,)``: a tensor, or a sequence of numbers or names.
        ignore_index: target of examples that do not count.

    Returns:
        Share in ``[0, 1]``, a float tensor ``()``; NaN without a wrong example.

    Raises:
        ValueError: the shapes do not fit or a class is not in ``0..c-1``.

    Example:
        >>> dog, cat, car = 0, 1, 2
        >>> prediction, target = torch.tensor([dog, cat, car, dog]), torch.tensor([dog, dog, dog, cat])
        >>> failed_superclass_accuracy(prediction, target, ["animal", "animal", "vehicle"])
        tensor(0.6667)

    Reference:
        Chapter 2, Eq. 2.23.
    """
    return hits(prediction, target, superclass, ignore_index=ignore_index).failed_superclass_accuracy()


def expected_similarity(
    prediction: Tensor, target: Tensor, similarity: AnySimilarity, *, ignore_index: int = -100
) -> Tensor:
    """Return the mean similarity of what is predicted to the true class.

    ``mean(S[target, prediction])`` for classes, ``mean(sum_c S[target, c] p[c])`` for probabilities: what SimLoss
    takes the logarithm of.

    Args:
        prediction: predicted classes ``(n,)`` or ``(n, d1..dk)`` as integers, or probabilities (not logits) ``(n, c)``
            or ``(n, c, d1..dk)``.
        target: true classes ``(n,)`` or ``(n, d1..dk)``.
        similarity: similarities ``(c, c)``, :class:`simloss.OrdinalSimilarity` or :class:`simloss.SparseSimilarity`.
        ignore_index: target of examples that do not count.

    Returns:
        Mean similarity, a float tensor ``()``; NaN without examples.

    Raises:
        ValueError: the shapes do not fit, a class is not in ``0..c-1`` or the probabilities do not sum to 1.

    Example:
        >>> similarity = torch.tensor([[1.0, 0.5], [0.5, 1.0]])
        >>> expected_similarity(torch.tensor([0, 1]), torch.tensor([0, 0]), similarity)
        tensor(0.7500)
        >>> expected_similarity(torch.tensor([[0.8, 0.2]]), torch.tensor([0]), similarity)
        tensor(0.9000)

    Reference:
        Chapter 14, the argument of the logarithm in Eq. 14.2.
    """
    return similarities(prediction, target, similarity, ignore_index=ignore_index).mean()


class Hits(NamedTuple):
    """Numbers of examples, from which both accuracies follow; those of several batches add up."""

    superclass: Tensor
    exact: Tensor
    total: Tensor

    def superclass_accuracy(self) -> Tensor:
        """Return Eq. 2.22."""
        return self.superclass / self.total

    def failed_superclass_accuracy(self) -> Tensor:
        """Return Eq. 2.23."""
        return (self.superclass - self.exact) / (self.total - self.exact)


def hits(prediction: Tensor, target: Tensor, superclass: Tensor | Sequence[Hashable], *, ignore_index: int) -> Hits:
    """Return how many examples hit their superclass, how many their class, and how many there are."""
    check_values("target", target)
    numbers = superclass_numbers(superclass).to(target.device)
    prediction, target = counted_examples(prediction, target, len(numbers), ignore_index)
    predicted = prediction.argmax(1) if prediction.is_floating_point() else prediction
    return Hits(
        superclass=(numbers[predicted] == numbers[target]).sum(),
        exact=(predicted == target).sum(),
        total=torch.tensor(len(target), device=target.device),
    )


def superclass_numbers(superclass: Tensor | Sequence[Hashable]) -> Tensor:
    """Return the superclass of each class as integers ``(c,)``, equal ones for equal superclasses."""
    if isinstance(superclass, Tensor):
        check_values("superclass", superclass)
        if superclass.ndim != 1:
            raise shape_error("superclass", "one superclass per class (c,)", {"superclass": superclass.shape})
        return superclass
    if not isinstance(superclass, Iterable):
        raise type_error("superclass", "one superclass per class", superclass)
    numbers: dict[Hashable, int] = {}
    return torch.tensor([numbers.setdefault(name, len(numbers)) for name in superclass])


def similarities(prediction: Tensor, target: Tensor, similarity: AnySimilarity, *, ignore_index: int) -> Tensor:
    """Return the similarity of each example's prediction to its target, ``(m,)``."""
    if not isinstance(similarity, (OrdinalSimilarity, SparseSimilarity)):
        check_square(similarity)
        check_values("similarity", similarity)
    num_classes = len(similarity) if isinstance(similarity, Tensor) else similarity.num_classes
    prediction, target = counted_examples(prediction, target, num_classes, ignore_index)
    if not prediction.is_floating_point() and isinstance(similarity, Tensor):
        return similarity[target, prediction]
    rows = similarity[target] if isinstance(similarity, Tensor) else similarity.rows(target)
    if not prediction.is_floating_point():
        return rows.gather(1, prediction[:, None])[:, 0]
    check_probabilities("prediction", prediction)
    return (rows * prediction).sum(1)
