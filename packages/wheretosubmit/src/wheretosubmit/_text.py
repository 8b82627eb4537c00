"""Words of a text, where they stand, and the numbers that a network knows them by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import torch
from torch import Tensor

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# One letter changed in a shorter word is too often another word, and a longer one is none.
_TYPO_LENGTHS = range(5, 31)


def find_words(text: str, limit: int | None = None) -> list[tuple[int, int]]:
    """Return where the words of a text begin and end, at most ``limit`` of them.

    Example:
        >>> find_words("Pre-training, 2 steps")
        [(0, 3), (4, 12), (14, 15), (16, 21)]
    """
    return [match.span() for match in islice(_WORD.finditer(text), limit)]


def split_words(text: str, limit: int | None = None) -> list[str]:
    """Return the words of a text in lower case.

    Example:
        >>> split_words("Pre-training, 2 steps")
        ['pre', 'training', '2', 'steps']
    """
    return [text[start:end].lower() for start, end in find_words(text, limit)]


class Vocabulary:
    """Words and their numbers: the most frequent one is 1, and 0 is no word that is known.

    Args:
        words: all words, the most frequent first.

    Example:
        >>> vocabulary = Vocabulary(["network", "image"])
        >>> [vocabulary.number(word) for word in ("image", "imgae", "zebra")]
        [2, 2, 0]
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self._numbers = {word: number for number, word in enumerate(self.words, 1)}

    @classmethod
    def of(cls, texts: Iterable[str], *, min_count: int, limit: int) -> Vocabulary:
        """Collect the words that occur at least ``min_count`` times among the first ``limit`` of each text."""
        counts = Counter(word for text in texts for word in split_words(text, limit))
        # Equally frequent words in the order of the alphabet, so that the order of the papers does not matter.
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls([word for word, count in ordered if count >= min_count])

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.words)

    def number(self, word: str) -> int:
        """Return the number of a word, or that of the most frequent one that is a single typing error away."""
        number = self._numbers.get(word, 0)
        if number or len(word) not in _TYPO_LENGTHS or not word.isalpha():
            return number
        return min((self._numbers[near] for near in _one_error_away(word) if near in self._numbers), default=0)

    def encode(self, texts: Sequence[str], limit: int, *, typos: bool) -> Tensor:
        """Return the numbers of the first ``limit`` words of each text ``(n, limit)``, filled up with zeros."""
        number = self.number if typos else lambda word: self._numbers.get(word, 0)
        rows = torch.zeros(len(texts), limit, dtype=torch.int32)
        for row, text in zip(rows, texts):
            numbers = [number(word) for word in split_words(text, limit)]
            row[: len(numbers)] = torch.tensor(numbers, dtype=torch.int32)
        return rows


def _one_error_away(word: str) -> set[str]:
    """Return what a letter left out, added, changed or swapped with the next one makes of a word."""
    halves = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    left_out = {a + b[1:] for a, b in halves if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    changed = {a + letter + b[1:] for a, b in halves if b for letter in _LETTERS}
    added = {a + letter + b for a, b in halves for letter in _LETTERS}
    return left_out | swapped | changed | added
