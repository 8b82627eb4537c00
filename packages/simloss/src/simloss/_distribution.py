"""Which classes a model really uses: its mean output distribution, as in Fig. 14.2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ._arguments import check_values, name_list
from ._core import import_extra, shape_error, value_error
from ._examples import check_probabilities, counted_examples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class MeanDistribution:
    """Mean output distributions of a model with ``c`` classes.

    Attributes:
        overall: mean over all examples ``(c,)``.
        per_class: mean over the examples of each true class ``(c, c)``; a row of NaN for a class without examples.
        observed: share of each true class ``(c,)``, which ``overall`` of a calibrated model resembles.
    """

    overall: Tensor
    per_class: Tensor
    observed: Tensor


def mean_distribution(probabilities: Tensor, target: Tensor, *, ignore_index: int = -100) -> MeanDistribution:
    """Return the mean output distribution over all examples and over those of each class.

    ``overall[c] = mean_i p_i[c]`` and ``per_class[y, c] = mean_{i: y_i = y} p_i[c]``. With very similar classes a model
    chooses few representatives, which show as peaks.

    Args:
        probabilities: probabilities (not logits) ``(n, c)`` or ``(n, c, d1..dk)``.
        target: true classes ``(n,)`` or ``(n, d1..dk)``.
        ignore_index: target of examples that do not count.

    Returns:
        The distributions, on the device of ``probabilities`` and in single precision or better.

    Raises:
        ValueError: the shapes do not fit, no example counts, or the probabilities do not sum to 1.

    Example:
        >>> probabilities = torch.tensor([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]])
        >>> distribution = mean_distribution(probabilities, torch.tensor([0, 1, 1]))
        >>> distribution.overall
        tensor([0.5000, 0.5000])
        >>> distribution.per_class[1]
        tensor([0.3750, 0.6250])

    Reference:
        Chapter 14, Section 14.4, Fig. 14.2.
    """
    check_values("probabilities", probabilities)
    if not probabilities.is_floating_point() or probabilities.ndim < 2:
        raise shape_error(
            "probabilities", "floating-point probabilities (n, c)", {"probabilities": probabilities.shape}
        )
    num_classes = probabilities.shape[1]
    rows, target = counted_examples(probabilities, target, num_classes, ignore_index)
    check_probabilities("probabilities", rows)
    if not len(target):
        raise value_error("target", "at least one example that counts", "none")
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
    sums = rows.new_zeros(num_classes, num_classes).index_add_(0, target, rows)
    counts = target.bincount(minlength=num_classes)
    return MeanDistribution(sums.sum(0) / len(target), sums / counts[:, None], counts / len(target))


def plot_mean_distribution(
    distributions: MeanDistribution | Mapping[str, MeanDistribution],
    *,
    class_index: int | None = None,
    class_names: Sequence[str] | None = None,
    axes: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Draw mean output distributions, as Fig. 14.2a for all examples and as Fig. 14.2b for those of one class.

    Args:
        distributions: what :func:`mean_distribution` returned, or several of them by name, such as ``"r = 0.9"``.
        class_index: true class whose examples count, marked by a grey line; all examples, beside the
            observed shares in grey, when ``None``.
        class_names: ``c`` names for the axis.
        axes: axes to draw into; new ones when ``None``.

    Returns:
        Figure and axes.

    Raises:
        ValueError: there is no such class, it has no examples, or the number of classes or names differs.
        ImportError: matplotlib is not installed: ``pip install "simloss[plot]"``.

    Example:
        >>> distribution = mean_distribution(torch.eye(3), torch.arange(3))
        >>> figure, axes = plot_mean_distribution({"cross entropy": distribution}, class_index=1)
        >>> axes.get_ylabel()
        'mean probability'

    Reference:
        Chapter 14, Section 14.4, Fig. 14.2.
    """
    figures = import_extra("matplotlib.figure", package="simloss", extra="plot")
    named = {"model": distributions} if isinstance(distributions, MeanDistribution) else dict(distributions)
    sizes = {name: len(distribution.overall) for name, distribution in named.items()}
    if len(set(sizes.values())) != 1:
        raise value_error("distributions", "one or more over the same classes", sizes)
    num_classes = next(iter(sizes.values()))
    if class_index is not None and not 0 <= class_index < num_classes:
        raise value_error("class_index", f"a class in 0..{num_classes - 1}", class_index)
    if axes is None:
        axes = figures.Figure(figsize=(6, 3.5), layout="constrained").subplots()
    first = next(iter(named.values()))
    if class_index is None:
        axes.fill_between(range(num_classes), first.observed.tolist(), color="0.85", label="observed", step="mid")
    else:
        if first.observed[class_index] == 0:
            raise value_error("class_index", "a class with examples", class_index)
        axes.axvline(class_index, color="0.6", label="true class")
    for name, distribution in named.items():
        shown = distribution.overall if class_index is None else distribution.per_class[class_index]
        axes.plot(range(num_classes), shown.tolist(), label=name)
    if class_names is not None:
        names = name_list("class_names", class_names)
        if len(names) != num_classes:
            raise value_error("class_names", f"one name for each of {num_classes} classes", f"{len(names)} names")
        axes.set_xticks(range(num_classes), names, rotation=90)
    else:
        ticker = import_extra("matplotlib.ticker", package="simloss", extra="plot")
        axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axes.set(xlabel="class", ylabel="mean probability")
    axes.legend()
    figure: Any = axes.figure
    return figure, axes
