"""What a labeler returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Spans(Sequence[list[tuple[int, int]]]):
    """The signal tokens of ``n`` texts: item ``i`` is a list of ``(start, end)`` in characters of text ``i``.

    Attributes:
        offsets: ``(n + 1,)``; the spans of text ``i`` are number ``offsets[i]`` to ``offsets[i + 1]``.
        start: ``(h,)`` first characters of all spans.
        end: ``(h,)`` characters behind all spans.
        entry: ``(h,)`` index of each token in the lexicon.
    """

    def __init__(
        self, offsets: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64], entry: NDArray[np.int64]
    ) -> None:
        self.offsets, self.start, self.end, self.entry = offsets, start, end, entry

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        """Return the spans of one text, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        found = slice(self.offsets[row], self.offsets[row + 1])
        return [*zip(self.start[found].tolist(), self.end[found].tolist())]

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Iterate over the texts."""
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Compare with other spans, or with a list of lists of pairs."""
        return isinstance(other, Sequence) and [*self] == [*map(list, other)]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the spans as the list they stand for."""
        return f"Spans({[*self[:5]]}{', ...' if len(self) > 5 else ''})"


@dataclass(frozen=True)
class Labels:
    """Weak labels of ``n`` texts.

    Attributes:
        probabilities: ``(n, K)`` soft labels, the default where nothing was found.
        label: ``(n,)`` class names; ``None`` for a text that is null.
        covered: ``(n,)`` whether the text has a token of the lexicon; where not, the label is the default: uncertain.
        spans: the signal tokens of each text.
        classes: names of the columns of ``probabilities``.
    """

    probabilities: NDArray[np.float64]
    label: NDArray[np.object_]
    covered: NDArray[np.bool_]
    spans: Spans
    classes: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.label)


@dataclass(frozen=True)
class ScoredLabels:
    """Labels of ``n`` texts by their mean score.

    Attributes:
        score: ``(n,)`` in [-1, 1]; 0 where nothing was found.
        label: ``(n,)`` class names; ``None`` for a text that is null.
        covered: ``(n,)`` whether the text has a token of the lexicon.
        spans: the signal tokens of each text.
        classes: the three classes.
    """

    score: NDArray[np.float64]
    label: NDArray[np.object_]
    covered: NDArray[np.bool_]
    spans: Spans
    classes: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.label)


@dataclass(frozen=True)
class Signal:
    """One signal token of a text.

    Attributes:
        text: the characters of the token as they are written.
        entry: the lexicon's entry that it was taken for.
        start: position of its first character.
        end: position behind its last character.
        value: the entry's probabilities ``(K,)``, or its score.
    """

    text: str
    entry: str
    start: int
    end: int
    value: tuple[float, ...] | float


@dataclass(frozen=True)
class Explanation:
    """Why a text has its label.

    Attributes:
        text: the text.
        label: its class.
        value: its probabilities ``(K,)``, or its score.
        signals: the tokens of the lexicon in it; without any, the label is the default.
    """

    text: str
    label: str
    value: tuple[float, ...] | float
    signals: tuple[Signal, ...]

    def __str__(self) -> str:
        """Show one line per signal and one for the label."""
        rows = [(signal.text, signal.value) for signal in self.signals] + [(f"= {self.label}", self.value)]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {_numbers(value)}" for name, value in rows)


def _numbers(value: tuple[float, ...] | float) -> str:
    return " ".join(f"{number:6.3f}" for number in (value if isinstance(value, tuple) else (value,)))
