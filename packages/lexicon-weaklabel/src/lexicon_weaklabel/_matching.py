"""Where the entries of a lexicon occur in texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ._core import type_error
from ._tokenizer import URL, SocialTokenizer

Ints = NDArray[np.int64]
Tokenizer = Callable[[str], tuple[Sequence[str], Sequence[tuple[int, int]]]]
_BLANK = np.isin(np.arange(256), list(b" \t\n\r\x0b\x0c"))
_VARIANTS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")  # of an emoji: text or picture, skin tones
_TRIPLES = "|".join(3 * letter for letter in "abcdefghijklmnopqrstuvwxyz")
# Most of what stands between white space is one word or one address, with or without marks behind it. Arrow finds
# those without the tokenizer. Two letters before an apostrophe may be an emoticon ("xD-").
_WORD = "^(?:[A-Za-z]+|[A-Za-z]{3,}(?:['-][A-Za-z]+)+)$"
_ADDRESS = "^https?://[!-;=?-~]*[0-9A-Za-z]/?$"


@dataclass(frozen=True)
class Occurrences:
    """Entries of a lexicon in ``n`` texts, in the order of the texts.

    Attributes:
        row: ``(h,)`` index of the text of each occurrence.
        entry: ``(h,)`` index of the lexicon's entry.
        start: ``(h,)`` position of the first character in the text.
        end: ``(h,)`` position after the last character.
    """

    row: Ints
    entry: Ints
    start: Ints
    end: Ints


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
        emotes = getattr(self.tokenizer, "emotes", ())
        self._addresses_are_alike = not any(emote.startswith("http") for emote in emotes)
        plain = {token: row for token, row in self._ids.items() if re.fullmatch(_WORD, token)}
        self._lower = _Table({token: row for token, row in plain.items() if token.islower()})
        self._written = _Table({token: row for token, row in plain.items() if not token.islower()})
        marked = any(re.fullmatch(r"[A-Za-z]*[,.!?]+", token) for token in self._ids)
        self._behind_words = " \t\n\r\x0b\x0c" + ("" if marked else ",.!?")

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The entries that no text can contain, such as those with white space."""
        reachable = set(self._ids.values())
        return tuple(entry for row, entry in enumerate(self.entries) if row not in reachable)

    def find(self, texts: pa.LargeStringArray) -> Occurrences:
        """Return all occurrences in texts without nulls."""
        if type(self.tokenizer) is SocialTokenizer:  # of a subclass only its call is known
            return self._find_by_chunks(texts, self.tokenizer)
        return self._find_by_text(texts)

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

    def _find_by_chunks(self, texts: pa.LargeStringArray, tokenizer: SocialTokenizer) -> Occurrences:
        """Cut texts behind white space, which no token contains, and look at each distinct chunk once."""
        spaced = pc.binary_join_element_wise(texts, pa.scalar("", texts.type), pa.scalar(" ", texts.type))
        offsets = np.frombuffer(spaced.buffers()[1], np.int64, len(spaced) + 1)
        blank = _BLANK[np.frombuffer(spaced.buffers()[2], np.uint8, offsets[-1])]
        begins = np.empty(len(blank), dtype=bool)
        begins[1:] = blank[:-1] & ~blank[1:]
        begins[offsets[:-1]] = True
        cuts = np.append(np.flatnonzero(begins), offsets[-1])
        pieces = pa.LargeStringArray.from_buffers(len(cuts) - 1, pa.py_buffer(cuts), spaced.buffers()[2])
        chunks = pieces.dictionary_encode()
        codes = chunks.indices.to_numpy()

        in_chunks = self._find_in_chunks(chunks.dictionary, tokenizer)
        counts = np.bincount(in_chunks.row, minlength=len(chunks.dictionary))
        hit = np.flatnonzero(counts[codes])
        repeats = counts[codes[hit]]
        chunk = np.repeat(hit, repeats)
        nth = np.arange(len(chunk)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        index = (np.cumsum(counts) - counts)[codes[chunk]] + nth

        lengths = pc.utf8_length(chunks.dictionary).to_numpy()[codes]
        positions = np.cumsum(lengths) - lengths
        first_chunks = np.searchsorted(cuts, offsets[:-1])
        row = np.searchsorted(first_chunks, chunk, side="right") - 1
        base = positions[chunk] - positions[first_chunks[row]]
        return Occurrences(row, in_chunks.entry[index], base + in_chunks.start[index], base + in_chunks.end[index])

    def _find_in_chunks(self, chunks: pa.LargeStringArray, tokenizer: SocialTokenizer) -> Occurrences:
        word = pc.ascii_rtrim(chunks, self._behind_words)
        lower = pc.ascii_lower(word)
        plain = pc.and_not(pc.match_substring_regex(word, _WORD), pc.match_substring_regex(lower, _TRIPLES))
        known = plain.to_numpy(zero_copy_only=False)
        written = self._written.find(word)
        entry = np.where(written >= 0, written, self._lower.find(lower))
        if self._addresses_are_alike:
            address = pc.match_substring_regex(word, _ADDRESS).to_numpy(zero_copy_only=False)
            entry[address] = self._lookup(URL)
            known = known | address
        known_rows = np.flatnonzero(known & (entry >= 0))
        lengths = pc.binary_length(word).to_numpy()[known_rows]
        known_found = Occurrences(known_rows, entry[known_rows], np.zeros(len(known_rows), np.int64), lengths)

        other_rows = np.flatnonzero(~known)
        other = self._find_by_pieces(chunks.take(pa.array(other_rows)), tokenizer)
        parts = zip(vars(known_found).values(), [other_rows[other.row], other.entry, other.start, other.end])
        columns = [np.concatenate(part) for part in parts]
        order = np.argsort(columns[0], kind="stable")
        return Occurrences(*(column[order] for column in columns))

    def _find_by_pieces(self, chunks: pa.LargeStringArray, tokenizer: SocialTokenizer) -> Occurrences:
        """Tokenize all chunks in one go, which is right because each ends with white space."""
        pieces = tokenizer.pieces("".join(chunks.to_pylist()))
        distinct = {piece: self._lookup(tokenizer.token(piece)) for piece in set(pieces)}
        entry = np.fromiter(map(distinct.__getitem__, pieces), np.int64, len(pieces))
        length = np.fromiter(map(len, pieces), np.int64, len(pieces))
        hit = np.flatnonzero(entry >= 0)
        lengths = pc.utf8_length(chunks).to_numpy()
        positions = np.cumsum(lengths) - lengths
        start = (np.cumsum(length) - length)[hit]
        row = np.searchsorted(positions, start, side="right") - 1
        return Occurrences(row, entry[hit], start - positions[row], start - positions[row] + length[hit])


class _Table:
    """Rows of tokens, looked up by Arrow for many at once."""

    def __init__(self, rows: dict[str, int]) -> None:
        self._tokens = pa.array(rows, pa.large_string())
        self._rows = np.array([*rows.values(), -1])

    def find(self, tokens: pa.LargeStringArray) -> Ints:
        """Return the row of each token, -1 for one that is not in the table."""
        found: Ints = self._rows[pc.index_in(tokens, self._tokens).fill_null(len(self._tokens)).to_numpy()]
        return found


def _simplified(token: str) -> str:
    return _VARIANTS.sub("", token.lower())


def _tokenizer_for(entries: tuple[str, ...]) -> SocialTokenizer:
    """Return a tokenizer that keeps the entries with capital letters or odd characters as they are written."""
    single = [entry for entry in entries if entry.split() == [entry]]
    return SocialTokenizer(entry for entry in single if not entry.isalnum() or entry != entry.lower())
