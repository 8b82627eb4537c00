"""Lexica: tokens and their distributions over named classes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from . import _sources
from ._checks import (
    check_number,
    check_path,
    check_type,
    checked_classes,
    checked_numbers,
    checked_probabilities,
    checked_tokens,
)
from ._core import atomic_path, value_error

SENTIMENT = ("negative", "neutral", "positive")
_FORMAT = "1"


class Lexicon(Mapping[str, NDArray[np.float64]]):
    r"""Tokens, each with a probability distribution over named classes: :math:`L(t) = p(c \mid t)`.

    A lexicon is a mapping from tokens to arrays ``(K,)`` that cannot be changed. An entry with a capital letter is
    matched as it is written, all others in lower case.

    Args:
        tokens: the ``n`` entries, all different.
        probabilities: ``(n, K)``; each row sums to 1.
        classes: names of the ``K`` classes, in the order of the columns, from the lowest to the highest if they have
            an order.
        scores: ``(n,)`` in [-1, 1], the average-based lexicon. The default is the expected value of classes spread
            evenly from -1 to 1, with three classes :math:`p(c_3) - p(c_1)`.

    Raises:
        ValueError: no entries, repeated or empty tokens, rows that are no distributions, fewer than two classes.
        TypeError: a token or a class that is no string.

    Example:
        >>> emotes = Lexicon.twitch_emotes()
        >>> emotes["PogChamp"].round(3)
        array([0.01 , 0.029, 0.962])
        >>> merged = emotes.merge(Lexicon.from_dict({"PogChamp": [0, 0, 1], "nice": [0.1, 0.2, 0.7]}))
        >>> len(merged), float(merged["PogChamp"][2].round(3))
        (12, 0.962)

    Reference:
        Chapter 15.1.1; Table 15.1.
    """

    def __init__(
        self,
        tokens: Iterable[str],
        probabilities: ArrayLike,
        *,
        classes: Sequence[str] = SENTIMENT,
        scores: ArrayLike | None = None,
    ) -> None:
        self.tokens = checked_tokens(tokens)
        self.classes = checked_classes(classes)
        self._rows = {token: row for row, token in enumerate(self.tokens)}
        self.probabilities = checked_probabilities(probabilities, self.tokens, self.classes)
        self.scores = self._checked_scores(scores)
        self.probabilities.flags.writeable = self.scores.flags.writeable = False

    @classmethod
    def from_dict(cls, distributions: Mapping[str, Sequence[float]], *, classes: Sequence[str] = SENTIMENT) -> Lexicon:
        """Return the lexicon of ``{token: [p1, ..., pK]}``.

        Example:
            >>> Lexicon.from_dict({"gg": [0.9, 0.1]}, classes=("friendly", "toxic"))["gg"]
            array([0.9, 0.1])
        """
        check_type("distributions", distributions, Mapping, "a mapping from tokens to probabilities")
        classes = checked_classes(classes)
        for token, row in distributions.items():
            if np.shape(row) != (len(classes),):
                raise value_error(f"distributions[{token!r}]", f"{len(classes)} probabilities, one per class", row)
        return cls(distributions, [*distributions.values()], classes=classes)

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        *,
        classes: Sequence[str] = SENTIMENT,
        token: str = "token",  # noqa: S107 - a column, not a password
        score: str | None = None,
        delimiter: str = ",",
    ) -> Lexicon:
        """Read a CSV file with one column of tokens and one of probabilities per class.

        Args:
            path: the file, in UTF-8 with a header.
            classes: names of the probability columns, which become the classes.
            token: name of the column of tokens.
            score: name of the column of scores in [-1, 1], if there is one.
            delimiter: between two fields; a tab for TSV.
        """
        classes = checked_classes(classes)
        columns = _sources.read_csv(path, [token, *classes, *([score] if score else [])], delimiter)
        numbers = [_sources.to_numbers(path, name, columns[name]) for name in classes]
        scores = _sources.to_numbers(path, score, columns[score]) if score else None
        with _sources.naming(path, "tokens with their probabilities"):
            return cls(columns[token], np.stack(numbers, axis=1), classes=classes, scores=scores)

    @classmethod
    def from_votes(
        cls,
        path: str | os.PathLike[str],
        *,
        smoothing: float = 0.0,
        classes: Sequence[str] = SENTIMENT,
        token: str = "token",  # noqa: S107
        delimiter: str = ",",
    ) -> Lexicon:
        r"""Read a CSV file with the number of votes per token and class.

        .. math:: L(t)_c = \frac{k_c + s}{N + K s}

        Args:
            path: the file, in UTF-8 with a header; columns that are not named here, such as "unknown", do not count.
            smoothing: :math:`s`; 1 is add-one smoothing.
            classes: names of the columns of votes, which become the classes.
            token: name of the column of tokens.
            delimiter: between two fields.
        """
        classes = checked_classes(classes)
        columns = _sources.read_csv(path, [token, *classes], delimiter)
        votes = np.stack([_sources.to_numbers(path, name, columns[name]) for name in classes], axis=1)
        with _sources.naming(path, "tokens with their votes"):
            return cls(columns[token], _sources.smoothed(columns[token], votes, smoothing), classes=classes)

    @classmethod
    def from_vader(cls, path: str | os.PathLike[str] | None = None) -> Lexicon:
        """Return the VADER lexicon: ten human ratings per token, -4 to -2 negative, -1 to 1 neutral, 2 to 4 positive.

        The distribution is ``(k + 1) / 13`` of the ten ratings, the score their mean divided by 4. Of rows with the
        same token the last one counts.

        Args:
            path: ``vader_lexicon.txt``; the default is the one of the package vaderSentiment (extra ``vader``).

        Reference:
            Hutto and Gilbert, "VADER: a parsimonious rule-based model for sentiment analysis of social media text",
            ICWSM 2014; Chapter 15.1.1.
        """
        if path is not None:
            check_path("path", path)
        with _sources.naming("vader_lexicon.txt" if path is None else path, "tokens with ten ratings each"):
            tokens, votes, scores = _sources.read_vader(path)
            return cls(tokens, _sources.smoothed(tokens, votes, 1.0), scores=scores)

    @classmethod
    def from_emoji_ranking(
        cls, path: str | os.PathLike[str], *, min_occurrences: int = 50, smoothing: float = 1.0
    ) -> Lexicon:
        """Read the Emoji Sentiment Ranking (``Emoji_Sentiment_Data_v1.0.csv``, CC BY-SA 4.0, not part of this package).

        Args:
            path: the file.
            min_occurrences: emoji seen less often are left out.
            smoothing: added to the count of each class.

        Reference:
            Kralj Novak et al., "Sentiment of emojis", PLoS ONE 2015; Chapter 15.1.1.
        """
        check_number("min_occurrences", min_occurrences, "a number")
        columns = _sources.read_csv(path, ["Emoji", "Occurrences", "Negative", "Neutral", "Positive"], ",")
        numbers = {name: _sources.to_numbers(path, name, columns[name]) for name in columns if name != "Emoji"}
        kept = np.flatnonzero(numbers["Occurrences"] >= min_occurrences)
        tokens = [columns["Emoji"][row] for row in kept]
        votes = np.stack([numbers[name.capitalize()][kept] for name in SENTIMENT], axis=1)
        with _sources.naming(path, "emoji with their votes"):
            return cls(tokens, _sources.smoothed(tokens, votes, smoothing))

    @classmethod
    def twitch_emotes(cls) -> Lexicon:
        """Return the eleven Twitch emotes whose votes are printed in Table 15.1, without the votes for "unknown"."""
        votes = np.array([*_sources.TWITCH_EMOTES.values()], dtype=float)
        return cls(_sources.TWITCH_EMOTES, _sources.smoothed([*_sources.TWITCH_EMOTES], votes, 0.0))

    def merge(self, *others: Lexicon, precedence: Literal["first", "last"] = "first") -> Lexicon:
        """Return a lexicon with the entries of all; where several have a token, one wins.

        Args:
            others: lexica over the same classes, in any order.
            precedence: ``"first"``: this lexicon before the others from left to right; ``"last"``: the reverse.

        Example:
            ``emotes.merge(emoji, vader)`` is the published order: emote over emoji over VADER.
        """
        if precedence not in ("first", "last"):
            raise value_error("precedence", "'first' or 'last'", precedence)
        rows: dict[str, tuple[NDArray[np.float64], float]] = {}
        lexica = [self, *others]
        for lexicon in lexica if precedence == "last" else reversed(lexica):
            check_type("others", lexicon, Lexicon, "lexica")
            if set(lexicon.classes) != set(self.classes):
                raise value_error("others", f"lexica with the classes {self.classes}", lexicon.classes)
            order = [lexicon.classes.index(name) for name in self.classes]
            rows |= dict(zip(lexicon.tokens, zip(lexicon.probabilities[:, order], lexicon.scores)))
        probabilities, scores = zip(*rows.values())
        return Lexicon(rows, np.stack(probabilities), classes=self.classes, scores=scores)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a Parquet file: ``token``, ``probabilities`` and ``score``; the classes are in its metadata."""
        table = pa.table(
            {
                "token": pa.array(self.tokens, pa.string()),
                "probabilities": pa.array(list(self.probabilities), pa.list_(pa.float64())),
                "score": self.scores,
            },
            metadata={"lexicon_weaklabel": json.dumps({"format": _FORMAT, "classes": self.classes})},
        )
        with atomic_path(path) as temporary:
            pq.write_table(table, temporary)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Lexicon:
        """Read what ``save`` wrote."""
        check_path("path", path)
        with _sources.naming(path, "a lexicon saved as Parquet"):
            table = pq.read_table(path)
            metadata = json.loads((table.schema.metadata or {}).get(b"lexicon_weaklabel", b"{}"))
            if metadata.get("format") != _FORMAT:
                found = f"format {metadata.get('format', 'unknown')}"
                raise value_error(str(path), f"a lexicon saved in format {_FORMAT}", found)
            rows, scores = np.array(table["probabilities"].to_pylist()), table["score"].to_numpy()
            return cls(table["token"].to_pylist(), rows, classes=metadata["classes"], scores=scores)

    def __getitem__(self, token: str) -> NDArray[np.float64]:
        """Return the probabilities ``(K,)`` of the token as it is written."""
        row: NDArray[np.float64] = self.probabilities[self._rows[token]]
        return row

    def __iter__(self) -> Iterator[str]:
        """Iterate over the tokens."""
        return iter(self.tokens)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        """Tell whether the other lexicon has the same entries, distributions and scores, in any order."""
        if not isinstance(other, Lexicon) or self.classes != other.classes or self._rows.keys() != other._rows.keys():
            return False
        rows = [other._rows[token] for token in self.tokens]
        same = np.array_equal(self.probabilities, other.probabilities[rows])
        return same and np.array_equal(self.scores, other.scores[rows])

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Say how many entries over which classes."""
        return f"Lexicon({len(self)} tokens, classes={self.classes})"

    def _checked_scores(self, scores: ArrayLike | None) -> NDArray[np.float64]:
        if scores is None:
            return self.probabilities @ np.linspace(-1, 1, len(self.classes))
        values = checked_numbers("scores", scores)
        if values.shape != (len(self.tokens),) or not (np.abs(values) <= 1).all():
            raise value_error("scores", f"{len(self.tokens)} numbers in [-1, 1]", values)
        return values
