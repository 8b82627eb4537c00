"""Integrated gradients: which words made the network recommend a venue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

import torch
from torch import Tensor

from ._highlight import Highlight, Palette
from ._network import FieldCNN
from ._text import find_words

_STEPS_AT_ONCE = 16  # bounds the memory, whatever the number of steps


@dataclass(frozen=True)
class Explanation:
    """Why a venue is recommended.

    Args:
        venue: the venue.
        score: its probability.
        gap: what the network's output rose by from the empty text to this one, minus the sum of all attributions:
            the error of approximating the integral by a sum.
        highlights: the words of each field and their scores, the mean of the attribution over the embedding.
    """

    venue: str
    score: float
    gap: float
    highlights: dict[str, Highlight]

    def words(self) -> list[tuple[str, float]]:
        """Return each different word of all fields with the sum of its scores, the largest absolute sum first."""
        tokens = [token for highlight in self.highlights.values() for token in highlight.tokens]
        scores = [score for highlight in self.highlights.values() for score in highlight.scores]
        return Highlight(tokens, scores).words()

    def phrases(self, threshold: float = 0.1) -> list[tuple[str, float]]:
        """Return the phrases of all fields (see ``Highlight.phrases``), the largest absolute sum first."""
        phrases = [phrase for highlight in self.highlights.values() for phrase in highlight.phrases(threshold)]
        return sorted(phrases, key=lambda phrase: -abs(phrase[1]))

    def to_html(self) -> str:
        """Return an HTML fragment: the venue, its probability and a paragraph per field with text."""
        fields = "".join(
            f"<p><strong>{escape(field)}</strong>: {highlight.to_html()}</p>"
            for field, highlight in self.highlights.items()
            if highlight.text.strip()
        )
        legend = (
            "Solid line: speaks for the venue. Dotted line: speaks against it. "
            f"Completeness gap, what the words leave unexplained: {self.gap:+.3f}."
        )
        return f"<div><h3>{escape(self.venue)}: {self.score:.1%}</h3>{fields}<p><small>{legend}</small></p></div>"

    def _repr_html_(self) -> str:
        return self.to_html()


def explain_venues(
    network: FieldCNN,
    words: list[Tensor],
    texts: Mapping[str, str],
    venues: Mapping[str, int],
    *,
    output: Literal["probability", "logit"],
    n_steps: int,
    palette: Palette,
) -> list[Explanation]:
    """Attribute the output of each venue to the words of one paper.

    Args:
        network: the network, in evaluation mode.
        words: word numbers of each field ``(1, words)``.
        texts: the text of each field.
        venues: the column of each venue.
        output: ``"probability"`` or ``"logit"``.
        n_steps: steps of the integral.
        palette: of the highlights.
    """
    from captum.attr import IntegratedGradients  # type: ignore[import-untyped]

    def forward(*vectors: Tensor) -> Tensor:
        logits = network.classify(*vectors)
        return logits.softmax(1) if output == "probability" else logits

    device = next(network.parameters()).device
    spans = {field: find_words(text, words[0].shape[1]) for field, text in texts.items()}
    with torch.no_grad():
        vectors = network.embed(*(field[:, : max(1, len(s))].to(device) for field, s in zip(words, spans.values())))
        probabilities = network.classify(*vectors).softmax(1)[0].cpu()
    integrated = IntegratedGradients(forward)
    explanations = []
    for venue, column in venues.items():
        attributions, delta = integrated.attribute(
            vectors,
            target=column,
            n_steps=n_steps,
            method="riemann_right",
            internal_batch_size=_STEPS_AT_ONCE,
            return_convergence_delta=True,
        )
        scores = {field: one[0].mean(1).tolist() for field, one in zip(texts, attributions)}
        scale = max(abs(score) for field in scores.values() for score in field) or 1.0
        highlights = {
            field: Highlight(
                [text[start:end] for start, end in spans[field]],
                scores[field][: len(spans[field])],
                text=text,
                spans=spans[field],
                scale=scale,
                palette=palette,
            )
            for field, text in texts.items()
        }
        explanations.append(Explanation(venue, probabilities[column].item(), -delta.item(), highlights))
    return explanations
