"""Tokens of social media messages and where they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import regex

from ._checks import checked_strings
from ._core import type_error, value_error

URL = "URL"
_WORD = r"[\p{L}\p{N}_][\p{L}\p{M}\p{N}_\u200c\u200d]*+(?:['’-][\p{L}\p{M}\p{N}_]+)*+"
# Without a scheme only under endings that are no words, so that "bad...ok" stays text.
_ENDINGS = "com|org|net|edu|gov|tv|gg"
_URL = (
    r"(?i:https?://|www\.)[^\s<>]*[^\s<>\p{P}]/?"
    r"|(?<![\p{L}\p{N}.@-])[\p{L}\p{N}-]{1,63}+(?:\.[\p{L}\p{N}-]{1,63}+){0,9}?"
    rf"\.(?:{_ENDINGS}|{_ENDINGS.upper()})(?![\p{{L}}\p{{N}}-])"
    r"(?:/(?:[^\s<>]*[^\s<>\p{P}])?/?)?"
)
_PICTOGRAPH = r"\p{Extended_Pictographic}(?:\p{EMod}|[\uFE0E\uFE0F])?(?:[\U000E0020-\U000E007E]+\U000E007F)?"
_EMOJI = rf"\p{{RI}}\p{{RI}}|[0-9#*]\uFE0F?\u20E3|{_PICTOGRAPH}(?:\u200D{_PICTOGRAPH})*+"
_EMOTICON = (
    r"[<>]?[:;=][-o^']?(?:[()\[\]{}|\\/*@]+|[DPpOoSsXx3])"  # :-) ;P =D >:(
    r"|[()\[\]][-o^']?[:;=]"  # (: ]-:
    r"|[xX][DdPp]|</?3+|[oO0][._][oO0]|\^_*\^|[-T;][_.]{1,3}[-T;]"
)
# Eyes and hearts may follow a letter ("nice:)"), anything else needs a gap or punctuation before it; a letter or
# digit behind it makes all of them something else ("10:30", "key:(value)").
_START = r"(?:(?=[:;<])(?<!\p{N})|(?<![\p{L}\p{N}]))"
_END = r"(?![\p{L}\p{N}])"
_OTHER = r"@[\p{L}\p{N}_]+|[.]+|[!?]+|."
_REPEATED = re.compile(r"([^\W\d_][\u0300-\u036f]*)\1{2,}")  # with its accents


class Tokens(NamedTuple):
    """The tokens of one text, and the start and end of each in characters of the text."""

    tokens: list[str]
    spans: list[tuple[int, int]]


class SocialTokenizer:
    """Split messages into words, emotes, emoticons, emoji, addresses and punctuation.

    Words are lowercased, and a letter that is repeated more than twice is written twice. Emotes and emoticons stay as
    they are written, emoji stay whole with skin tones, flags and joined sequences, an address becomes ``"URL"``.
    No token contains white space.

    Args:
        emotes: tokens to keep as they are written, of any characters but white space.

    Example:
        >>> tokens, spans = SocialTokenizer(emotes=["PogChamp"])("Sooooo GOOD PogChamp 👍🏽:) https://t.co/x!")
        >>> tokens
        ['soo', 'good', 'PogChamp', '👍🏽', ':)', 'URL', '!']
        >>> spans[:3]
        [(0, 6), (7, 11), (12, 20)]

    Reference:
        Chapter 15.1.1.
    """

    def __init__(self, emotes: Iterable[str] = ()) -> None:
        self.emotes = frozenset(checked_strings("emotes", emotes))
        if spaced := sorted(emote for emote in self.emotes if not emote or regex.search(r"\s", emote)):
            raise value_error("emotes", "tokens without white space", spaced[:5])
        self._word = regex.compile(_WORD)
        usual = regex.compile(f"{_WORD}|{_EMOJI}")
        odd = [emote for emote in self.emotes if not usual.fullmatch(emote)]
        emoticon = f"{_START}(?:{_alternatives(odd)}{_EMOTICON}){_END}"
        self._pattern = regex.compile("|".join([r"\s", _URL, _EMOJI, emoticon, _WORD, _OTHER]), flags=regex.DOTALL)
        self._emoticon, self._url = regex.compile(emoticon), regex.compile(_URL)
        self._nothing = regex.compile(r"[\s\p{C}]")

    def __call__(self, text: str) -> Tokens:
        """Return the tokens of a text and their spans."""
        if not isinstance(text, str):
            raise type_error("text", "a string", text)
        tokens, spans, end = [], [], 0
        for piece in self.pieces(text):
            start, end = end, end + len(piece)
            if token := self.token(piece):
                tokens.append(token)
                spans.append((start, end))
        return Tokens(tokens, spans)

    def pieces(self, text: str) -> list[str]:
        """Cut a text into its tokens as they are written and the single characters between them."""
        pieces: list[str] = self._pattern.findall(text)
        return pieces

    def token(self, piece: str) -> str:
        """Return the token that one of the ``pieces`` stands for, ``""`` for white space and control characters."""
        if piece in self.emotes:
            return piece
        if self._word.fullmatch(piece):
            lower = piece.lower()
            if lower != piece and self._emoticon.fullmatch(piece):  # XD, O_o
                return piece
            return _REPEATED.sub(r"\1\1", lower)
        if self._nothing.fullmatch(piece):
            return ""
        return URL if self._url.fullmatch(piece) else piece


def _alternatives(tokens: Iterable[str]) -> str:
    """Return a pattern for each of the tokens, grouped by their first character, which is three times as fast."""
    by_first: dict[str, list[str]] = {}
    for token in sorted(tokens, key=lambda token: (-len(token), token)):  # the first that fits is taken
        by_first.setdefault(token[0], []).append(regex.escape(token[1:]))
    return "".join(f"{regex.escape(first)}(?:{'|'.join(rest)})|" for first, rest in by_first.items())
