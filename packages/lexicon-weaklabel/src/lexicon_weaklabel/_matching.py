"""Where the entries of a lexicon occur in texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ._chunks import ChunkMatcher, Occurrences, buffers
from ._core import type_error
from ._tokenizer import SocialTokenizer

Tokenizer = Callable[[str], tuple[Sequence[str], Sequence[tuple[int, int]]]]
_VARIANTS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")  # of an emoji: text or picture, skin tones


class Matcher:
    """Find the entries of a lexicon in texts.

    A token is an entry if it is written like it, or else like it but for case, skin tone and emoji variation. Entries
    are looked for in the form that the tokenizer gives them ("grrr" as "grr").
    """

    def __init__(self, entries: Iterable[str], tokenizer: Tokenizer | None) -> None:
        self.entries = tuple(entries)
        self.tokenizer = _tokenizer_for(self.entries) if tokenizer is None else tokenizer
        if not callable(self.tokenizer):
            raise type_error("tokenizer", "a callable that returns tokens and spans", self.tokenizer)
        self._ids = self._index()
        known = self.tokenizer if type(self.tokenizer) is SocialTokenizer else None  # of a subclass only its call is
        self._chunks = None if known is None else ChunkMatcher(self._ids, self._lookup, known)

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The entries that no text can contain, such as those with white space."""
        reachable = set(self._ids.values())
        return tuple(entry for row, entry in enumerate(self.entries) if row not in reachable)

    def find(self, texts: pa.LargeStringArray) -> Occurrences:
        """Return all occurrences in texts without nulls."""
        return self._find_by_text(texts) if self._chunks is None else self._find_by_chunks(texts, self._chunks)

    def _index(self) -> dict[str, int]:
        forms = [tokens[0] if len(tokens) == 1 else "" for tokens in (self.tokenizer(e)[0] for e in self.entries)]
        rows = range(len(self.entries))
        ids = {entry: row for row, entry, form in zip(rows, self.entries, forms) if entry == form}
        for row, form in zip(rows, forms):
            ids.setdefault(form, row)
        for row, entry, form in zip(rows, self.entries, forms):
            if entry == entry.lower():
                ids.setdefault(_simplified(form), row)
        ids.pop("", None)
        return ids

    def _lookup(self, token: str) -> int:
        row = self._ids.get(token)
        return self._ids.get(_simplified(token), -1) if row is None else row

    def _find_by_text(self, texts: pa.LargeStringArray) -> Occurrences:
        found = [
            (row, entry, *span)
            for row, text in enumerate(texts.to_pylist())
            for token, span in zip(*self.tokenizer(text))
            if (entry := self._lookup(token)) >= 0
        ]
        return Occurrences(*np.array(found, dtype=np.int64).reshape(-1, 4).T)

    def _find_by_chunks(self, texts: pa.LargeStringArray, matcher: ChunkMatcher) -> Occurrences:
        """Cut texts behind white space, which no token contains, and look at each distinct chunk once."""
        spaced = pc.binary_join_element_wise(texts, pa.scalar("", texts.type), pa.scalar(" ", texts.type))
        offsets, data = buffers(spaced)
        blank = (data == ord(" ")) | (data - np.uint8(ord("\t")) < len("\t\n\v\f\r"))
        begins = np.empty(len(data), dtype=bool)
        np.greater(blank[:-1], blank[1:], out=begins[1:])
        begins[offsets[:-1]] = True
        cuts = np.append(np.flatnonzero(begins), offsets[-1])
        pieces = pa.LargeStringArray.from_buffers(len(cuts) - 1, pa.py_buffer(cuts), spaced.buffers()[2])
        chunks = pieces.dictionary_encode()
        codes = chunks.indices.to_numpy()
        in_chunks = matcher.find(chunks.dictionary)

        counts = np.bincount(in_chunks.row, minlength=len(chunks.dictionary))
        hit = np.flatnonzero((counts > 0).take(codes))
        first_chunks = np.searchsorted(cuts, offsets)
        hits_per_text = np.diff(np.searchsorted(hit, first_chunks))
        row = np.repeat(np.arange(len(texts)), hits_per_text)
        lengths = pc.utf8_length(chunks.dictionary).to_numpy().astype(np.int32)
        positions = np.zeros(len(cuts), np.int64)
        np.cumsum(lengths.take(codes), out=positions[1:])
        base = positions[hit] - np.repeat(positions[first_chunks[:-1]], hits_per_text)

        # The hits again, each as many times as its chunk has tokens of the lexicon.
        code = codes[hit]
        repeats = counts[code]
        first = (np.cumsum(counts) - counts)[code] - (np.cumsum(repeats) - repeats)
        index = np.repeat(first, repeats) + np.arange(repeats.sum())
        base = np.repeat(base, repeats)
        return Occurrences(
            np.repeat(row, repeats), in_chunks.entry[index], base + in_chunks.start[index], base + in_chunks.end[index]
        )


def _simplified(token: str) -> str:
    return _VARIANTS.sub("", token.lower())


def _tokenizer_for(entries: tuple[str, ...]) -> SocialTokenizer:
    """Return a tokenizer that keeps the entries with capital letters or odd characters as they are written."""
    single = [entry for entry in entries if entry.split() == [entry]]
    return SocialTokenizer(entry for entry in single if not entry.isalnum() or entry != entry.lower())
