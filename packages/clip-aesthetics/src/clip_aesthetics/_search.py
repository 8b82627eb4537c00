"""Which pair of labels tells aesthetic pictures best?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import torch

from ._arrays import Array, as_vector
from ._core import import_extra, shape_error, value_error
from ._encoder import Encoder, embeddings_of
from ._prompts import CONTEXT_TEMPLATE, TEMPLATE, Mode, words
from ._scorer import PromptScorer
from ._statistics import pearson, spearman


class LabelPair(NamedTuple):
    """One row of the table."""

    positive: str
    negative: str
    accuracy: float
    spearman: float
    pearson: float


class LabelTable(NamedTuple):
    """What :func:`search_labels` found.

    Attributes:
        rows: one row per pair of labels, in the order of the lists.
        majority: accuracy of always predicting the more frequent class.
        n: number of images.
    """

    rows: tuple[LabelPair, ...]
    majority: float
    n: int

    def best(self, metric: Literal["accuracy", "spearman", "pearson"] = "spearman") -> LabelPair:
        """Return the first row with the highest value of a metric."""
        if metric not in LabelPair._fields[2:]:
            raise value_error("metric", "'accuracy', 'spearman' or 'pearson'", metric)
        return max(self.rows, key=lambda row: float(getattr(row, metric)))

    def to_frame(self) -> Any:
        """Return the rows as a pandas frame, best Spearman correlation first (extra ``frame``)."""
        pandas = import_extra("pandas", package="clip-aesthetics", extra="frame")
        frame = pandas.DataFrame(self.rows, columns=LabelPair._fields)
        return frame.sort_values("spearman", ascending=False, kind="stable", ignore_index=True)

    def __str__(self) -> str:
        """Return the table as text, best Spearman correlation first, and the majority baseline below it."""
        lines = [f"{'positive':16}{'negative':16}{'accuracy':>9}{'spearman':>9}{'pearson':>9}"]
        for row in sorted(self.rows, key=lambda row: -row.spearman):
            numbers = "".join(f"{value:9.3f}" for value in row[2:])
            lines.append(f"{row.positive:16}{row.negative:16}{numbers}")
        return "\n".join([*lines, f"{'majority baseline':32}{self.majority:9.3f}{'-':>9}{'-':>9}"])


def search_labels(
    encoder_or_text_embeddings: Encoder | Array,
    images: Any,
    ratings: Array,
    positive: Iterable[str],
    negative: Iterable[str],
    *,
    template: str = TEMPLATE,
    context_template: str = CONTEXT_TEMPLATE,
    mode: Mode = "fixed",
    contexts: Iterable[str] | None = None,
    threshold: float = 5.0,
) -> LabelTable:
    """Evaluate every pair of a positive and a negative label on labelled images.

    Each label is compared with the images once, however many pairs it is in. Choose on training images: the best of
    many pairs looks better there than it is.

    Args:
        encoder_or_text_embeddings: as in :class:`clip_aesthetics.PromptScorer`.
        images: embeddings ``(n, d)``, or images that the encoder takes.
        ratings: ``(n,)`` mean ratings of the images.
        positive: positive labels.
        negative: negative labels.
        template: as in :class:`clip_aesthetics.PromptScorer`.
        context_template: as in :class:`clip_aesthetics.PromptScorer`.
        mode: as in :class:`clip_aesthetics.PromptScorer`.
        contexts: as in :class:`clip_aesthetics.PromptScorer`.
        threshold: an image is aesthetic when its rating is at least this.

    Returns:
        Accuracy, Spearman and Pearson correlation of each pair, and the majority baseline.

    Raises:
        TypeError, ValueError: arguments that do not fit; the message names them.

    Example:
        >>> import torch
        >>> from clip_aesthetics import search_labels
        >>> prompts, images = torch.eye(4), torch.tensor([[3.0, 0, 1, 0], [2.0, 0, 2, 1], [0.0, 1, 3, 1]])
        >>> print(search_labels(prompts, images, [7, 5, 2], ["superb", "large"], ["ugly", "vile"]))
        positive        negative         accuracy spearman  pearson
        superb          ugly                1.000    1.000    1.000
        superb          vile                1.000    1.000    0.994
        large           ugly                0.333    0.500    0.690
        large           vile                0.333    0.000   -0.115
        majority baseline                   0.667        -        -

    Reference:
        Chapter 12, Section 12.2.
    """
    positive, negative = words("positive", positive), words("negative", negative)
    scorer = PromptScorer(encoder_or_text_embeddings, positive, negative, template, context_template, mode, contexts)
    embeddings = embeddings_of(images, scorer._encoder, projected=True)
    truth = as_vector("ratings", ratings).cpu()
    if len(truth) != len(embeddings):
        shapes = {"ratings": truth.shape, "images": embeddings.shape}
        raise shape_error("ratings", "one rating per image", shapes)
    if (truth == truth[0]).all():
        raise value_error("ratings", "at least two different values", f"{len(truth)} times {truth[0].item():g}")
    parts = [(sums, maxima) for sums, maxima, _ in scorer.similarities(embeddings)]
    sums, maxima = (torch.cat(part).cpu() for part in zip(*parts))
    aesthetic = truth >= threshold
    rows = []
    for p, positive_label in enumerate(positive):
        for q, negative_label in enumerate(negative, start=len(positive)):
            values = sums[:, p] - sums[:, q]
            hits = (maxima[:, p] >= maxima[:, q]) == aesthetic
            correlations = spearman(values, truth).item(), pearson(values, truth).item()
            rows.append(LabelPair(positive_label, negative_label, hits.double().mean().item(), *correlations))
    share = aesthetic.double().mean().item()
    return LabelTable(tuple(rows), majority=max(share, 1 - share), n=len(truth))
