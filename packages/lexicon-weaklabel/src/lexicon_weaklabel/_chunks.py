"""Where the entries of a lexicon occur in the distinct chunks of texts, which stand between white space."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import regex
from numpy.typing import NDArray

from ._tokenizer import URL, SocialTokenizer

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
SPACES = " \t\n\r\x0b\x0c"
# Most chunks are one word or one address, with or without marks around it. Arrow finds those without the tokenizer.
# Two letters before an apostrophe may be an emoticon ("xD-"), and so may one between marks ("(o:").
_LONG_WORD = "[0-9A-Za-z]{3,}(?:['-][0-9A-Za-z]+)*"
_WORD = f"[0-9A-Za-z]+|{_LONG_WORD}"
_BEFORE, _STOPS = "[\"'(#[]", ",.!?"
_BEHIND = f"(?:[{_STOPS}\"')\\]]*|[{_STOPS}\"']*[:;])"  # a bracket and a colon may be an emoticon
_MARKED = f"^(?P<before>{_BEFORE}*)(?P<word>{_LONG_WORD}){_BEHIND}[{SPACES}]*$"
# A token like this may be a part of such a chunk but for the word.
_OF_MARKS = re.compile(f"{_BEFORE}+|{_BEFORE}*{_LONG_WORD}{_BEHIND}|[0-9A-Za-z]+[{_STOPS}]+|{_BEHIND}")
_ADDRESS = "^https?://[!-;=?-~]*[0-9A-Za-z]/?$"
_PART = -2
_PICTOGRAPH = regex.compile(r"\p{Extended_Pictographic}")


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


class ChunkMatcher:
    """Find tokens in chunks, each way of finding in those that no way before it knew, the tokenizer being the last.

    Args:
        ids: the entries' rows by token.
        lookup: returns the row of any token, -1 without one.
        tokenizer: cuts chunks into tokens.
    """

    def __init__(self, ids: Mapping[str, int], lookup: Callable[[str], int], tokenizer: SocialTokenizer) -> None:
        self._lookup, self._tokenizer = lookup, tokenizer
        words = [token for token in ids if re.fullmatch(_WORD, token) and tokenizer.token(token) == token]
        self._lower = _Table({token: ids[token] for token in words if token == token.lower()})
        self._written = _Table({token: ids[token] for token in words if token != token.lower()})
        known = {*ids, *tokenizer.emotes}
        marked = any(_OF_MARKS.fullmatch(token) and not re.fullmatch(_WORD, token) for token in known)
        self._behind = SPACES if marked else SPACES + _STOPS
        self._ways = [self._in_words, self._in_addresses, self._in_marked_words, self._in_pictographs, self._in_pieces]
        if marked:
            self._ways.remove(self._in_marked_words)
        if any(emote.startswith("http") for emote in tokenizer.emotes):
            self._ways.remove(self._in_addresses)

    def find(self, chunks: pa.LargeStringArray) -> Occurrences:
        """Return all occurrences in chunks that end with white space and have none before."""
        rows, found = np.arange(len(chunks)), []
        for way in self._ways:
            known, part = way(chunks)
            found.append([rows[part.row], part.entry, part.start, part.end])
            left = np.flatnonzero(~known)
            rows, chunks = rows[left], chunks.take(pa.array(left))
        columns = [*map(np.concatenate, zip(*found))]
        order = np.argsort(columns[0], kind="stable")
        return Occurrences(*(column[order] for column in columns))

    def _in_words(self, chunks: pa.LargeStringArray) -> tuple[Mask, Occurrences]:
        words = pc.ascii_rtrim(chunks, self._behind)
        known, entry = self._entries(words)
        return known, _at(np.zeros(len(chunks), np.int64), words, entry)

    def _in_addresses(self, chunks: pa.LargeStringArray) -> tuple[Mask, Occurrences]:
        words = pc.ascii_rtrim(chunks, self._behind)
        known = pc.match_substring_regex(words, _ADDRESS).to_numpy(zero_copy_only=False)
        return known, _at(np.zeros(len(chunks), np.int64), words, np.where(known, self._lookup(URL), -1))

    def _in_marked_words(self, chunks: pa.LargeStringArray) -> tuple[Mask, Occurrences]:
        before, words = (column.fill_null("") for column in pc.extract_regex(chunks, _MARKED).flatten())
        known, entry = self._entries(words)
        return known, _at(pc.binary_length(before).to_numpy(), words, entry)

    def _in_pictographs(self, chunks: pa.LargeStringArray) -> tuple[Mask, Occurrences]:
        """Find entries in chunks of emoji that are one character each."""
        characters = np.frombuffer(_joined(chunks).encode("utf-32-le"), np.uint32)
        distinct = np.flatnonzero(np.bincount(characters, minlength=1))
        entries = np.empty(distinct[-1:].sum() + 1, np.int64)
        entries[distinct] = [self._entry_alone(chr(code)) for code in distinct.tolist()]
        entry, (starts, lengths) = entries[characters], _positions(chunks)
        row = np.repeat(np.arange(len(chunks)), lengths)
        known = np.bincount(row, entry == _PART, minlength=len(chunks)) == 0
        hit = np.flatnonzero((entry >= 0) & known[row])
        row, start = row[hit], hit - starts[row[hit]]
        return known, Occurrences(row, entry[hit], start, start + 1)

    def _entry_alone(self, character: str) -> int:
        """Return the row of an emoji, -1 for another one or white space, -2 for what may be a part of a token."""
        if _PICTOGRAPH.fullmatch(character):
            return self._lookup(self._tokenizer.token(character))
        return -1 if character in SPACES else _PART

    def _in_pieces(self, chunks: pa.LargeStringArray) -> tuple[Mask, Occurrences]:
        """Tokenize all chunks in one go, which is right because each ends with white space."""
        pieces = pa.array(self._tokenizer.pieces(_joined(chunks)), pa.large_string()).dictionary_encode()
        distinct, codes = pieces.dictionary, pieces.indices.to_numpy()
        known, entries = self._entries(distinct)
        entries[~known] = [
            self._lookup(self._tokenizer.token(p)) for p in distinct.filter(pa.array(~known)).to_pylist()
        ]
        entry, length = entries[codes], pc.utf8_length(distinct).to_numpy()[codes]
        hit = np.flatnonzero(entry >= 0)
        start, (starts, _) = (np.cumsum(length) - length)[hit], _positions(chunks)
        row = np.searchsorted(starts, start, side="right") - 1
        start -= starts[row]
        return np.ones(len(chunks), bool), Occurrences(row, entry[hit], start, start + length[hit])

    def _entries(self, words: pa.LargeStringArray) -> tuple[Mask, Ints]:
        """Return which of the strings are words that need no tokenizer, and the row of each of those or else -1."""
        lower = pc.ascii_lower(words)
        known = pc.match_substring_regex(words, f"^(?:{_WORD})$").to_numpy(zero_copy_only=False)
        known[_with_triples(lower)] = False
        written = self._written.find(words)
        entry = np.where(written >= 0, written, self._lower.find(lower))
        entry[~known] = -1
        return known, entry


class _Table:
    """Rows of tokens, looked up by Arrow for many at once."""

    def __init__(self, rows: dict[str, int]) -> None:
        self._tokens = pa.array(rows, pa.large_string())
        self._rows = np.array([*rows.values(), -1])

    def find(self, tokens: pa.LargeStringArray) -> Ints:
        """Return the row of each token, -1 for one that is not in the table."""
        found: Ints = self._rows[pc.index_in(tokens, self._tokens).fill_null(len(self._tokens)).to_numpy()]
        return found


def _at(start: Ints, words: pa.LargeStringArray, entry: Ints) -> Occurrences:
    """Return the occurrences of words that are entries, at most one per chunk."""
    hit = np.flatnonzero(entry >= 0)
    return Occurrences(hit, entry[hit], start[hit], start[hit] + pc.binary_length(words).to_numpy()[hit])


def _joined(chunks: pa.LargeStringArray) -> str:
    offsets, data = buffers(chunks)
    return data[offsets[0] : offsets[-1]].tobytes().decode()


def _positions(chunks: pa.LargeStringArray) -> tuple[Ints, Ints]:
    """Return where each chunk starts in all of them joined, and how long it is, in characters."""
    lengths = pc.utf8_length(chunks).to_numpy()
    return np.cumsum(lengths) - lengths, lengths


def _with_triples(words: pa.LargeStringArray) -> Ints:
    """Return the words with three equal letters in a row, and maybe some more."""
    offsets, data = buffers(words)
    same = data[1:] == data[:-1]
    first = np.flatnonzero(same[1:] & same[:-1] & (data[2:] >= ord("a")))
    rows: Ints = np.searchsorted(offsets, first, side="right") - 1
    return rows


def buffers(texts: pa.LargeStringArray) -> tuple[Ints, NDArray[np.uint8]]:
    """Return the ``(n + 1,)`` offsets of the texts in their bytes, and the bytes."""
    _, offsets, data = texts.buffers()
    if not len(texts):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    offsets = np.frombuffer(offsets, np.int64)[texts.offset :][: len(texts) + 1]
    return offsets, np.frombuffer(data or b"", np.uint8)[: offsets[-1]]
