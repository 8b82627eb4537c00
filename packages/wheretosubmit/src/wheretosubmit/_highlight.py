"""Text with a score per token, as HTML, terminal colours, LaTeX, SVG or JSON; needs neither torch nor a notebook."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from numbers import Real
from operator import index
from typing import Literal, SupportsFloat

from . import _render
from ._checks import as_list, as_numbers, as_strings, check_type, choice, positive
from ._core import shape_error, value_error
from ._render import PALETTES, Piece

Palette = Literal["green-red", "blue-orange"]


class Highlight:
    r"""Show which tokens of a text speak for something, and which against it.

    The more a token's score differs from zero, the stronger its colour. Positive tokens have a solid line below them
    and negative ones a dotted line (in a terminal and in LaTeX: none), so that the colour is never the only sign. Any
    text is escaped; control characters and lone surrogates are shown as U+FFFD.

    Args:
        tokens: the tokens of the text ``(n,)``.
        scores: a finite score for each token ``(n,)``: a list, array or tensor.
        text: the whole text, so that what stands between the tokens is shown too. Without it they are joined by
            spaces.
        spans: where each token begins and ends in ``text``. Without them each is searched behind the one before.
        scale: the absolute score of the full colour, by default the largest one. Give several highlights the same
            one to compare them.
        palette: ``"green-red"``, or ``"blue-orange"`` for colour-blind readers.

    Raises:
        ValueError: tokens and scores differ in number, a score is not finite, or a token is not in the text.

    Example:
        >>> highlight = Highlight(["deep", "<b>", "parsing"], [0.0, -0.1, 0.5], text="deep? <b> parsing")
        >>> print(highlight.to_html().replace(" <mark", "\n<mark"))
        <span class="highlight">deep?
        <mark style="background:#fce3e1;color:#000;border-bottom:2px dotted #000" title="-0.1">&lt;b&gt;</mark>
        <mark style="background:#66bb6a;color:#000;border-bottom:2px solid #000" title="+0.5">parsing</mark></span>
        >>> highlight.phrases()
        [('parsing', 0.5), ('<b>', -0.1)]

    Reference:
        Chapter 8, Figures 8.2 and 8.3.
    """

    def __init__(
        self,
        tokens: Iterable[str],
        scores: Iterable[SupportsFloat],
        *,
        text: str | None = None,
        spans: Sequence[tuple[int, int]] | None = None,
        scale: float | None = None,
        palette: Palette = "green-red",
    ) -> None:
        self.tokens = as_strings("tokens", tokens)
        self.scores = as_numbers("scores", scores)
        if len(self.tokens) != len(self.scores):
            raise shape_error("scores", "one per token", {"tokens": (len(self.tokens),), "scores": (len(self.scores),)})
        for token, score in zip(self.tokens, self.scores):
            if not math.isfinite(score):
                raise value_error("scores", "finite numbers", f"{score} for {token!r}")
        check_palette(palette)
        check_type("text", text, (str, type(None)), "a string")
        check_type("scale", scale, (Real, type(None)), "a positive number")
        if scale is not None and not 0 < scale < math.inf:
            raise value_error("scale", "a positive number", scale)
        self.palette = palette
        self.scale = scale if scale is not None else max(map(abs, self.scores), default=0) or 1.0
        self.text = text if text is not None else " ".join(self.tokens)
        self.spans = _checked(spans, self.text, self.tokens) if spans is not None else _find(self.text, self.tokens)

    def merged(self, word_ids: Sequence[int | None]) -> Highlight:
        """Join neighbouring tokens of the same word: their scores are added.

        Args:
            word_ids: the word of each token ``(n,)``, as HuggingFace tokenizers tell; ``None`` (a special token) is
                left out.
        """
        word_ids = as_list("word_ids", word_ids, "a sequence of integers and None")
        if len(word_ids) != len(self.tokens):
            shapes = {"word_ids": (len(word_ids),), "tokens": (len(self.tokens),)}
            raise shape_error("word_ids", "one per token", shapes)
        spans: list[tuple[int, int]] = []
        scores: list[float] = []
        last = None
        for word, (start, end), score in zip(word_ids, self.spans, self.scores):
            if word is None:
                pass
            elif word == last:
                spans[-1] = (spans[-1][0], end)
                scores[-1] += score
            else:
                spans.append((start, end))
                scores.append(score)
            last = word
        words = [self.text[start:end] for start, end in spans]
        return Highlight(words, scores, text=self.text, spans=spans, palette=self.palette)

    def words(self) -> list[tuple[str, float]]:
        """Return each different word in lower case with the sum of its scores, the largest absolute sum first."""
        sums: dict[str, float] = {}
        for token, score in zip(self.tokens, self.scores):
            sums[token.lower()] = sums.get(token.lower(), 0.0) + score
        return sorted(sums.items(), key=lambda item: -abs(item[1]))

    def phrases(self, threshold: float = 0.1) -> list[tuple[str, float]]:
        """Return runs of neighbouring tokens of one sign with the sum of their scores, the largest absolute sum first.

        Args:
            threshold: tokens whose absolute score is below this share of ``scale`` belong to no run.
        """
        check_type("threshold", threshold, Real, "a number")
        runs: list[tuple[int, int, float]] = []
        last = 0
        for (start, end), score in zip(self.spans, self.scores):
            sign = 0 if abs(score) < threshold * self.scale or not score else int(math.copysign(1, score))
            if sign and sign == last:
                runs[-1] = (runs[-1][0], end, runs[-1][2] + score)
            elif sign:
                runs.append((start, end, score))
            last = sign
        return sorted(((self.text[start:end], score) for start, end, score in runs), key=lambda run: -abs(run[1]))

    def to_html(self) -> str:
        """Return an HTML fragment that needs no style sheet."""
        return _render.html(self._pieces(), PALETTES[self.palette])

    def to_ansi(self) -> str:
        """Return text for a terminal with 24-bit colours."""
        return _render.ansi(self._pieces(), PALETTES[self.palette])

    def to_latex(self) -> str:
        r"""Return LaTeX; the preamble needs ``\usepackage{xcolor}``."""
        return _render.latex(self._pieces(), PALETTES[self.palette])

    def to_svg(self, columns: int = 80) -> str:
        """Return an SVG image with lines of at most ``columns`` characters."""
        positive("columns", columns)
        if columns < 2:
            raise value_error("columns", "at least 2", columns)
        return _render.svg(self._pieces(), PALETTES[self.palette], columns)

    def to_json(self) -> str:
        """Return text, spans, tokens, scores and scale as JSON."""
        names = ("text", "spans", "tokens", "scores", "scale")
        return json.dumps({name: getattr(self, name) for name in names})

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        """Return the number of tokens and the strongest ones."""
        strongest = ", ".join(f"{word} {score:+.2g}" for word, score in self.words()[:3])
        return f"Highlight({len(self.tokens)} tokens: {strongest})"

    def _pieces(self) -> list[Piece]:
        """Cut the text into tokens and what stands between them."""
        pieces, place = [], 0
        for (start, end), score in zip(self.spans, self.scores):
            pieces += [Piece(self.text[place:start], 0.0, 0.0), Piece(self.text[start:end], score, score / self.scale)]
            place = end
        return [piece for piece in [*pieces, Piece(self.text[place:], 0.0, 0.0)] if piece.text]


def check_palette(palette: object) -> None:
    """Refuse what is no palette."""
    choice("palette", palette, PALETTES)


def _find(text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    spans, place = [], 0
    for token in tokens:
        start = text.find(token, place)
        if start < 0:
            raise value_error("text", f"the token {token!r} behind character {place}", text[place:])
        place = start + len(token)
        spans.append((start, place))
    return spans


def _checked(spans: Sequence[tuple[int, int]], text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    spans = as_list("spans", spans, "a sequence of pairs (start, end)")
    if len(spans) != len(tokens):
        raise shape_error("spans", "one per token", {"tokens": (len(tokens),), "spans": (len(spans),)})
    place = 0
    for span in spans:
        try:
            start, end = map(index, span)
        except (TypeError, ValueError) as error:
            raise value_error("spans", "a sequence of pairs (start, end)", f"{span!r} among them") from error
        if not place <= start <= end <= len(text):
            raise value_error("spans", f"ascending places in a text of {len(text)} characters", (start, end))
        place = end
    return [(int(start), int(end)) for start, end in spans]
