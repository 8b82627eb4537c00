"""The formats of a highlighted text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from unicodedata import category, east_asian_width

Colour = tuple[int, int, int]
# For and against. Black on either has a contrast of more than 7 to 1.
PALETTES: dict[str, tuple[Colour, Colour]] = {
    "green-red": ((102, 187, 106), (239, 115, 104)),
    "blue-orange": ((90, 170, 230), (245, 150, 40)),
}
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LATEX = {
    **{character: f"\\{character}" for character in "{}$&#_%"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}


class Piece(NamedTuple):
    """A part of the text, its score, and its strength from -1 to 1 (0 is no token)."""

    text: str
    score: float
    strength: float

    def background(self, palette: tuple[Colour, Colour]) -> str | None:
        """Return the colour in six hexadecimal digits, or nothing where it would be white."""
        share = min(1.0, abs(self.strength))
        colour = "".join(f"{round(255 + share * (c - 255)):02x}" for c in palette[self.strength < 0])
        return None if colour == "ffffff" else colour


def html(pieces: Sequence[Piece], palette: tuple[Colour, Colour]) -> str:
    """Return a ``span`` with a ``mark`` for each coloured piece."""
    parts = []
    for piece in pieces:
        text, colour = escape(_printable(piece.text)), piece.background(palette)
        if colour is not None:
            line = "dotted" if piece.strength < 0 else "solid"
            style = f"background:#{colour};color:#000;border-bottom:2px {line} #000"
            text = f'<mark style="{style}" title="{piece.score:+.3g}">{text}</mark>'
        parts.append(text)
    return f'<span class="highlight">{"".join(parts)}</span>'


def ansi(pieces: Sequence[Piece], palette: tuple[Colour, Colour]) -> str:
    """Return text with escape sequences."""
    parts = []
    for piece in pieces:
        text, colour = _printable(piece.text), piece.background(palette)
        if colour is not None:
            red, green, blue = bytes.fromhex(colour)
            underline = ";4" if piece.strength > 0 else ""
            text = f"\x1b[38;2;0;0;0;48;2;{red};{green};{blue}{underline}m{text}\x1b[0m"
        parts.append(text)
    return "".join(parts)


def latex(pieces: Sequence[Piece], palette: tuple[Colour, Colour]) -> str:
    """Return text with a ``colorbox`` for each coloured piece."""
    parts = []
    for piece in pieces:
        # An empty line would end the paragraph, which a box cannot.
        text = "".join(_LATEX.get(character, character) for character in re.sub(r"\s+", " ", _printable(piece.text)))
        colour = piece.background(palette)
        if colour is not None:
            shown = f"\\underline{{{text}}}" if piece.strength > 0 else text
            text = f"\\colorbox[HTML]{{{colour.upper()}}}{{\\strut {shown}}}"
        parts.append(text)
    return f"{{\\setlength{{\\fboxsep}}{{1pt}}{''.join(parts)}}}"


def svg(pieces: Sequence[Piece], palette: tuple[Colour, Colour], columns: int) -> str:
    """Return an image: a rectangle behind each coloured piece, letters of one width."""
    width, height = 10, 24
    shapes = []
    row = column = 0
    for piece in pieces:
        for chunk in re.findall(r"\s+|\S+", _printable(piece.text)):
            space = chunk.isspace()
            for part in [" "] if space else _cut(chunk, columns):
                cells = _cells(part)
                if column + cells > columns:
                    row, column = row + 1, 0
                    if space:
                        continue
                x, y = column * width, row * height
                if (colour := piece.background(palette)) is not None:
                    shapes.append(f'<rect x="{x}" y="{y + 2}" width="{cells * width}" height="20" fill="#{colour}"/>')
                    dots = ' stroke-dasharray="2"' if piece.strength < 0 else ""
                    shapes.append(f'<path d="M{x} {y + 22}h{cells * width}" stroke="#000"{dots}/>')
                if not space:
                    shapes.append(f'<text x="{x}" y="{y + 17}" textLength="{cells * width}">{escape(part)}</text>')
                column += cells
    size = f"{columns * width} {(row + 1) * height}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="monospace" font-size="16">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(shapes)}</svg>'
    )


def _printable(text: str) -> str:
    """Replace what neither XML nor a terminal should get: control characters and lone surrogates."""
    return _UNPRINTABLE.sub("\ufffd", text)


def _cells(text: str) -> int:
    """Return how many letters of one width a text is as wide as; marks and joiners take no place of their own."""
    return sum(
        0 if category(character) in {"Mn", "Me", "Cf"} else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )


def _cut(word: str, columns: int) -> list[str]:
    """Cut a word that is longer than a line."""
    parts = [""]
    for character in word:
        if _cells(parts[-1] + character) > columns:
            parts.append("")
        parts[-1] += character
    return parts
