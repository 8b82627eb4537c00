"""Which tokens drive the labels, and what a network makes of texts without any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_type
from ._core import shape_error
from ._labeler import Labeler
from ._labels import Labels, ScoredLabels


@dataclass(frozen=True)
class EntryAudit:
    """How one entry of a lexicon acted on a corpus.

    Attributes:
        entry: the entry.
        occurrences: how often it was found.
        texts: in how many texts.
        alone: in how many texts it was the only signal, so that their label is its own.
        labels: number of these ``texts`` per class.
    """

    entry: str
    occurrences: int
    texts: int
    alone: int
    labels: dict[str, int]


def audit(labeler: Labeler[Labels] | Labeler[ScoredLabels], labels: Labels | ScoredLabels) -> list[EntryAudit]:
    """Count for each entry that was found how it acted, the most frequent first.

    Example:
        >>> from lexicon_weaklabel import Lexicon, LexiconLabeler
        >>> labeler = LexiconLabeler(Lexicon.from_dict({"good": [0.1, 0.2, 0.7], "bad": [0.8, 0.1, 0.1]}))
        >>> audit(labeler, labeler.label(["good", "good good bad"]))[0]
        EntryAudit(entry='good', occurrences=3, texts=2, alone=1, labels={'positive': 2})
    """
    check_type("labeler", labeler, Labeler, "a LexiconLabeler or AverageLabeler")
    check_type("labels", labels, (Labels, ScoredLabels), "what the labeler returned")
    spans, classes = labels.spans, labels.classes
    rows = np.repeat(np.arange(len(spans)), np.diff(spans.offsets))
    n = len(labeler.entries)
    pairs, counts = np.unique(np.stack([rows, spans.entry]), axis=1, return_counts=True)
    text, entry = pairs
    occurrences = np.bincount(entry, counts, minlength=n).astype(int)
    texts = np.bincount(entry, minlength=n)
    different = np.bincount(text, minlength=len(spans))
    alone = np.bincount(entry[different[text] == 1], minlength=n)
    per_class = [np.bincount(entry[labels.label[text] == name], minlength=n) for name in classes]
    order = np.argsort(-occurrences, kind="stable")[: np.count_nonzero(occurrences)]
    return [
        EntryAudit(
            labeler.entries[number],
            int(occurrences[number]),
            int(texts[number]),
            int(alone[number]),
            {name: int(found[number]) for name, found in zip(classes, per_class) if found[number]},
        )
        for number in order.tolist()
    ]


def relabelled(labels: Labels, predicted: ArrayLike) -> dict[str, int]:
    """Count the texts without signal that a model gives another class than the default, by the new class.

    Args:
        labels: weak labels of ``n`` texts.
        predicted: ``(n,)`` class names of a model.

    Reference:
        Chapter 15.4.2: nearly all of the 669 texts without signal stayed neutral.
    """
    check_type("labels", labels, Labels, "what a LexiconLabeler returned")
    names = np.asarray(predicted, dtype=object)
    if names.shape != labels.label.shape:
        raise shape_error("predicted", "one class per text", {"labels": labels.label.shape, "predicted": names.shape})
    changed = names[~labels.covered & (names != labels.label)]
    return {name: int((changed == name).sum()) for name in labels.classes if (changed == name).any()}
