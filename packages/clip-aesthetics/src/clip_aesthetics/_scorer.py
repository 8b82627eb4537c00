"""Aesthetic scores from prompts, without any training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ._arrays import Array, as_matrix, as_vector, given_back, is_array, unit_rows
from ._core import shape_error, type_error
from ._encoder import Encoder, embeddings_of, encode_texts, identity_of
from ._prompts import CONTEXT_TEMPLATE, TEMPLATE, Mode, context_words, prompt_texts, words
from ._scores import AestheticScores

_CHUNK = 2**24  # similarities that are kept at a time


class PromptScorer:
    r"""Score images by their similarity to positive and negative prompts.

    .. math:: \mathrm{score}(I) = \sum_c w_c \cos(i, t_c), \qquad w_c = \pm 1

    The binary prediction is the side of the closest prompt, and not the sign of the score. All embeddings are brought
    to unit length here, so raw ones give the same scores.

    Args:
        encoder_or_text_embeddings: an encoder, or the embeddings ``(p, d)`` of ``prompt_texts(positive + negative,
            ...)``.
        positive: labels of aesthetic pictures.
        negative: labels of pictures that are not.
        template: prompt of mode ``"fixed"``.
        context_template: prompt of the modes with contexts.
        mode: ``"fixed"`` compares with one prompt per label; ``"context"`` with one per label and context, all of
            which count; ``"ensemble"`` with one vector per label, the mean of its unit prompt vectors.
        contexts: what may be in the picture; ``None`` takes the 1000 ImageNet classes (extra ``words``).
        weights: ``(c,)`` weights of the labels in the place of +1 and -1, positive labels first.
        identity: identity of the encoder, when text embeddings are given.

    Attributes:
        prompts: the prompts; for mode ``"ensemble"`` those that were averaged.
        labels: the labels, positive ones first.
        range: lowest and highest possible score.
        encoder: identity of the encoder.

    Raises:
        TypeError, ValueError: arguments that do not fit; the message names them.

    Example:
        >>> import torch
        >>> from clip_aesthetics import PromptScorer
        >>> scorer = PromptScorer(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        >>> scores = scorer.score(torch.tensor([[3.0, 4.0], [20.0, 0.0]]))
        >>> scores.values, scores.aesthetic, scores.range
        (tensor([-0.2000,  1.0000]), tensor([False,  True]), (-2.0, 2.0))
        >>> scores.closest
        ('a horrible picture', 'a outstanding picture')

    Reference:
        Chapter 12, Eqs. 12.1 and 12.2.
    """

    def __init__(
        self,
        encoder_or_text_embeddings: Encoder | Array,
        positive: Iterable[str] = ("outstanding",),
        negative: Iterable[str] = ("horrible",),
        template: str = TEMPLATE,
        context_template: str = CONTEXT_TEMPLATE,
        mode: Mode = "fixed",
        contexts: Iterable[str] | None = None,
        *,
        weights: Sequence[float] | Array | None = None,
        identity: str | None = None,
    ) -> None:
        """Encode the prompts, or check their embeddings."""
        positive, negative = words("positive", positive), words("negative", negative)
        self.labels = positive + negative
        self.mode = mode
        contexts = context_words(mode, contexts)
        self.prompts = tuple(prompt_texts(self.labels, template, context_template, mode, contexts))
        self._num_positive = len(positive)
        self._encoder: Encoder | None = None
        if is_array(encoder_or_text_embeddings):
            embeddings = as_matrix("text embeddings", encoder_or_text_embeddings)
            self.encoder = identity
        elif hasattr(encoder_or_text_embeddings, "encode_text"):
            self._encoder = encoder_or_text_embeddings
            self.encoder = identity_of(encoder_or_text_embeddings)
            embeddings = encode_texts(self._encoder, self.prompts)
        else:
            raise type_error(
                "encoder_or_text_embeddings", "an object with encode_text, or an array", encoder_or_text_embeddings
            )
        if len(embeddings) != len(self.prompts):
            shapes = {"text embeddings": embeddings.shape, "prompts": (len(self.prompts),)}
            raise shape_error("text embeddings", "one row per prompt, as prompt_texts orders them", shapes)
        vectors = unit_rows("text embeddings", embeddings).view(len(self.labels), -1, embeddings.shape[1])
        if mode == "ensemble":
            vectors = unit_rows("text embeddings", vectors.mean(1))[:, None]
        self._vectors = vectors
        self._weights = self._checked_weights(weights)
        highest = self._weights.abs().sum().item() * vectors.shape[1]
        self.range = (-highest, highest)

    def score(self, images: Sequence[Any] | Array) -> AestheticScores:
        """Score images.

        Args:
            images: embeddings ``(n, d)``, raw or of unit length, or images that the encoder takes.

        Returns:
            The scores, ``n`` of them.

        Raises:
            TypeError, ValueError: no embeddings and no encoder, another dimension than the prompts', NaN or zeros.
        """
        embeddings = embeddings_of(images, self._encoder, projected=True)
        sums, maxima, closest = (torch.cat(parts) for parts in zip(*self.similarities(embeddings)))
        best = maxima.argmax(1)
        prompts = closest.gather(1, best[:, None])[:, 0].tolist()
        return AestheticScores(
            values=given_back(sums @ self._weights.to(sums), images),
            aesthetic=given_back(best < self._num_positive, images),
            range=self.range,
            unit="similarity",
            encoder=self.encoder,
            closest=tuple(self._name(index) for index in prompts),
        )

    def similarities(self, embeddings: Array) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield, for a part of the images at a time, what scores are made of.

        Args:
            embeddings: ``(n, d)``.

        Yields:
            Three tensors ``(part, labels)``: the sum of the cosines with the vectors of each label, the largest of
            them, and the number of its vector among all.
        """
        images = unit_rows("images", as_matrix("images", embeddings))
        labels, per_label, d = self._vectors.shape
        if images.shape[1] != d:
            raise shape_error("images", f"(n, {d}), as the prompts", {"images": images.shape})
        vectors = self._vectors.to(images).view(-1, d)
        first = torch.arange(labels, device=images.device) * per_label
        for part in images.split(max(1, _CHUNK // len(vectors))):
            cosines = (part @ vectors.T).clamp(-1, 1).view(len(part), labels, per_label)
            maxima, where = cosines.max(2)
            yield cosines.sum(2), maxima, where + first

    def _name(self, index: int) -> str:
        """Return the prompt of a vector; the vector of an ensemble is named after its label."""
        return self.labels[index] if self.mode == "ensemble" else self.prompts[index]

    def _checked_weights(self, weights: Sequence[float] | Array | None) -> Tensor:
        if weights is None:
            signs = [1.0] * self._num_positive + [-1.0] * (len(self.labels) - self._num_positive)
            return torch.tensor(signs)
        checked = as_vector("weights", weights)
        if len(checked) != len(self.labels):
            shapes = {"weights": checked.shape, "labels": (len(self.labels),)}
            raise shape_error("weights", "one weight per label, positive labels first", shapes)
        return checked
