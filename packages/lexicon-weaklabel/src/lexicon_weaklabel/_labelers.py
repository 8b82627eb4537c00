"""The two labelers: by distributions and by average scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ._checks import check_number, check_type, checked_numbers, checked_strings, checked_tokens
from ._chunks import Occurrences
from ._core import value_error
from ._labeler import Labeler
from ._labels import Labels, ScoredLabels, Spans
from ._lexicon import SENTIMENT, Lexicon
from ._matching import Tokenizer

_TIE = 1e-9  # a different order of summation must not change a label
_THRESHOLD = 0.33


class LexiconLabeler(Labeler[Labels]):
    r"""Soft labels: the normalised product of the distributions of all tokens that the lexicon knows.

    .. math:: p(c \mid T) \propto \prod_{t \in T^*} L(t)_c

    It is computed as a sum of logarithms, so ten thousand tokens do not underflow. Classes whose sums differ by less
    than 1e-9 are tied.

    Args:
        lexicon: distributions over the classes.
        classes: the lexicon's classes in the order wanted; its own order by default.
        default: ``K`` probabilities for a text without any token of the lexicon.
        tie_order: the classes, the preferred one first; ``classes`` by default.
        tokenizer: called with a text, returns its tokens and their ``(start, end)``; a ``SocialTokenizer`` that keeps
            the lexicon's odd entries and those with capitals by default.
        floor: smaller probabilities of the lexicon count as this, so that no single token rules a class out.

    Raises:
        ValueError: other classes than the lexicon's, a default that is no distribution over them, a floor outside
            (0, 1).

    Example:
        >>> lexicon = Lexicon.from_dict({"good": [0.1, 0.2, 0.7], "bad": [0.7, 0.2, 0.1]})
        >>> labels = LexiconLabeler(lexicon).label(["Sooo good!", "good or bad?", "no idea"])
        >>> labels.label
        array(['positive', 'negative', 'neutral'], dtype=object)
        >>> labels.probabilities.round(3)
        array([[0.1  , 0.2  , 0.7  ],
               [0.389, 0.222, 0.389],
               [0.25 , 0.5  , 0.25 ]])
        >>> labels.covered, labels.spans
        (array([ True,  True, False]), Spans([[(5, 9)], [(0, 4), (8, 11)], []]))

    Reference:
        Chapter 15.1.1, Eq. 15.10 and 15.11. The published code prefers negative, then neutral among tied classes.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        *,
        classes: Sequence[str] | None = None,
        default: Sequence[float] = (0.25, 0.5, 0.25),
        tie_order: Sequence[str] | None = None,
        tokenizer: Tokenizer | None = None,
        floor: float = 1e-6,
    ) -> None:
        check_type("lexicon", lexicon, Lexicon, "a Lexicon")
        check_number("floor", floor, "a number between 0 and 1")
        self.classes = _permutation("classes", classes, lexicon.classes)
        preferred = _permutation("tie_order", tie_order, self.classes)
        self._preference = np.array([self.classes.index(name) for name in preferred])
        self.default = checked_numbers("default", default)
        if self.default.shape != (len(self.classes),) or not np.isclose(self.default.sum(), 1):
            raise value_error("default", f"probabilities of the {len(self.classes)} classes {self.classes}", default)
        if not 0 < floor < 1 or (self.default < 0).any():
            name, value = ("default", default) if 0 < floor < 1 else ("floor", floor)
            raise value_error(name, "between 0 and 1", value)
        super().__init__(lexicon, tokenizer)
        self._probabilities = lexicon.probabilities[:, [lexicon.classes.index(name) for name in self.classes]]
        self._logarithms = np.log(np.maximum(self._probabilities, floor))
        self._value_field = pa.field("probabilities", pa.list_(pa.float64()))
        self.settings = {"classes": self.classes, "default": self.default.tolist(), "tie_order": preferred}
        self.settings["floor"] = float(floor)

    def _result(self, found: Occurrences, present: NDArray[np.bool_]) -> Labels:
        covered, spans = _by_text(found, len(present))
        # One row per class, along which numpy is fast.
        sums = [np.bincount(found.row, column[found.entry], minlength=len(present)) for column in self._logarithms.T]
        logits = np.stack(sums).astype(float, copy=False)  # numpy counts nothing in integers
        probabilities = np.exp(logits - logits.max(0))
        probabilities /= probabilities.sum(0)
        probabilities[:, ~covered] = logits[:, ~covered] = self.default[:, None]
        tied = logits >= logits.max(0) - _TIE
        best = self._preference[tied[self._preference].argmax(0)]
        probabilities = np.ascontiguousarray(probabilities.T)
        return Labels(probabilities, _names(self.classes, best, present), covered, spans, self.classes)

    def _values(self, labels: Labels) -> NDArray[np.float64]:
        return labels.probabilities

    def _value_of(self, entry: int) -> tuple[float, ...]:
        return tuple(self._probabilities[entry].tolist())


class AverageLabeler(Labeler[ScoredLabels]):
    r"""Labels from the mean score of all tokens that the lexicon knows: neutral from -0.33 to 0.33.

    Args:
        lexicon: scores per token in [-1, 1]: a ``Lexicon`` (VADER's mean rating / 4, for emoji and emotes
            :math:`p(\text{positive}) - p(\text{negative})`), or a mapping.
        classes: names of the three classes from low to high.
        tokenizer: as in ``LexiconLabeler``.

    Example:
        >>> labels = AverageLabeler({"good": 0.5, "bad": -0.6}).label(["Good", "good or bad", "BAD"])
        >>> labels.score.round(2), labels.label.tolist()
        (array([ 0.5 , -0.05, -0.6 ]), ['positive', 'neutral', 'negative'])

    Reference:
        Chapter 15.2.1, "Average Based Lexicon Approach".
    """

    def __init__(
        self,
        lexicon: Lexicon | Mapping[str, float],
        *,
        classes: Sequence[str] = SENTIMENT,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        check_type("lexicon", lexicon, Mapping, "a Lexicon or a mapping from tokens to scores")
        self.classes = checked_strings("classes", classes)
        if len(self.classes) != 3:
            raise value_error("classes", "three names, from low to high", classes)
        scores = lexicon.scores if isinstance(lexicon, Lexicon) else checked_numbers("lexicon", [*lexicon.values()])
        if scores.shape != (len(checked_tokens(lexicon)),) or not (np.abs(scores) <= 1).all():
            raise value_error("lexicon", "scores in [-1, 1]", scores)
        super().__init__(lexicon, tokenizer)
        self._scores = scores
        self._value_field = pa.field("score", pa.float64())
        self.settings = {"classes": self.classes}

    def _result(self, found: Occurrences, present: NDArray[np.bool_]) -> ScoredLabels:
        covered, spans = _by_text(found, len(present))
        sums = np.bincount(found.row, self._scores[found.entry], minlength=len(present))
        scores = sums / np.maximum(np.diff(spans.offsets), 1)
        best = 1 + (scores > _THRESHOLD + _TIE).astype(int) - (scores < -_THRESHOLD - _TIE)
        return ScoredLabels(scores, _names(self.classes, best, present), covered, spans, self.classes)

    def _values(self, labels: ScoredLabels) -> NDArray[np.float64]:
        return labels.score

    def _value_of(self, entry: int) -> float:
        return float(self._scores[entry])


def _permutation(argument: str, names: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = known if names is None else checked_strings(argument, names)
    if sorted(chosen) != sorted(known):
        raise value_error(argument, f"the classes {known} in any order", chosen)
    return chosen


def _by_text(found: Occurrences, n: int) -> tuple[NDArray[np.bool_], Spans]:
    counts = np.bincount(found.row, minlength=n)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return counts > 0, Spans(offsets, found.start, found.end, found.entry)


def _names(classes: tuple[str, ...], best: NDArray[np.int64], present: NDArray[np.bool_]) -> NDArray[np.object_]:
    names = np.array(classes, dtype=object)[best]
    names[~present] = None
    return names
