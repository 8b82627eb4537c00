"""Predictions and targets of a batch, checked and flattened to the examples that count."""

from __future__ import annotations

import torch
from torch import Tensor

from ._arguments import check_ignore_index, check_values
from ._core import shape_error, value_error


def counted_examples(prediction: Tensor, target: Tensor, num_classes: int, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Return the predictions and targets whose target is not ``ignore_index``.

    Args:
        prediction: classes of the shape of ``target``, or one floating-point number per class: ``(n, c, d1..dk)``.
        target: true classes ``(n, d1..dk)``.
        num_classes: number of classes ``c``.
        ignore_index: target of examples that do not count.

    Returns:
        Predictions ``(m,)`` or ``(m, c)`` and targets ``(m,)``.
    """
    for name, value in (("prediction", prediction), ("target", target)):
        check_values(name, value)
    check_ignore_index(ignore_index)
    if target.is_floating_point() or target.dtype == torch.bool:
        raise value_error("target", "class indices of an integer dtype", str(target.dtype))
    shapes = {"prediction": prediction.shape, "target": target.shape}
    if prediction.is_floating_point():
        if target.ndim == 0 or prediction.shape != (len(target), num_classes, *target.shape[1:]):
            raise shape_error("prediction", f"(n, {num_classes}, ...) for target (n, ...)", shapes)
        prediction = prediction.movedim(1, -1).flatten(0, -2)
    elif prediction.dtype == torch.bool:
        raise value_error("prediction", "class indices of an integer dtype", str(prediction.dtype))
    elif prediction.shape != target.shape:
        raise shape_error("prediction", "the shape of target", shapes)
    else:
        prediction = prediction.flatten()
    target = target.flatten()
    counted = target != ignore_index
    prediction, target = prediction[counted], target[counted]
    for name, classes in (("prediction", prediction), ("target", target)):
        if not classes.is_floating_point() and not bool(((classes >= 0) & (classes < num_classes)).all()):
            raise value_error(name, f"classes 0..{num_classes - 1}", f"{int(classes.min())}..{int(classes.max())}")
    return prediction, target.long()


def check_probabilities(argument: str, probabilities: Tensor) -> None:
    """Raise unless every row of ``(m, c)`` is a probability distribution."""
    sums = probabilities.float().sum(-1)
    # Half precision rounds a sum of many probabilities to about two digits.
    good = (probabilities >= 0).all(-1) & ((sums - 1).abs() < 0.01)
    if not bool(good.all()):
        first = int((~good).nonzero()[0])
        got = f"row {first} with minimum {probabilities[first].min():g} and sum {sums[first]:g}"
        raise value_error(argument, "probabilities that sum to 1 (the softmax of logits)", got)
