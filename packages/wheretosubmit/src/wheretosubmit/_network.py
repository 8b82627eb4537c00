"""The network: one convolution per field, the largest answer of each filter, two dense layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FieldCNN(nn.Module):
    """Map the word numbers of several text fields to venue logits.

    Args:
        n_words: size of the vocabulary; the numbers go from 0, which is no known word, to ``n_words``.
        n_venues: number of venues.
        n_fields: number of fields, each of which has its own embedding and filters.
        embedding_dim: length of a word vector.
        filters: filters per field and kernel size.
        kernel_sizes: how many neighbouring words a filter sees.
        hidden: units of the first dense layer.
        dropout: share of the inputs of both dense layers left out in training.
        word_dropout: share of the words left out in training.
        field_dropout: share of the fields left out in training.

    Example:
        >>> network = FieldCNN(n_words=9, n_venues=3, n_fields=2).eval()
        >>> network(torch.tensor([[1, 2], [3, 0]]), torch.tensor([[4, 5, 9], [0, 0, 0]])).shape
        torch.Size([2, 3])
    """

    def __init__(
        self,
        *,
        n_words: int,
        n_venues: int,
        n_fields: int,
        embedding_dim: int = 100,
        filters: int = 100,
        kernel_sizes: Sequence[int] = (1, 2, 3),
        hidden: int = 200,
        dropout: float = 0.5,
        word_dropout: float = 0.3,
        field_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        self.field_dropout = field_dropout
        self.embeddings = nn.ModuleList(
            nn.Embedding(n_words + 1, embedding_dim, padding_idx=0) for _ in range(n_fields)
        )
        # As many empty places as the kernel is long: each filter also sees none of the text, however long it is, so
        # that an answer depends neither on the other texts of a batch nor on a field being there.
        self.convolutions = nn.ModuleList(
            nn.ModuleList(nn.Conv1d(embedding_dim, filters, size, padding=size) for size in kernel_sizes)
            for _ in range(n_fields)
        )
        for embedding in self.embeddings.parameters():
            embedding.data[1:].normal_(std=0.1)
        features = n_fields * len(kernel_sizes) * filters
        self.dense = nn.Sequential(
            nn.BatchNorm1d(features),
            nn.Dropout(dropout),
            nn.Linear(features, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_venues),
        )

    def embed(self, *words: Tensor) -> tuple[Tensor, ...]:
        """Return the word vectors of each field ``(n, words, embedding_dim)``."""
        return tuple(embedding(field) for embedding, field in zip(self.embeddings, words))

    def classify(self, *vectors: Tensor) -> Tensor:
        """Return the logits ``(n, venues)`` of the word vectors of all fields."""
        features = [
            convolution(field.transpose(1, 2)).relu().amax(2)
            for convolutions, field in zip(self.convolutions.children(), vectors)
            for convolution in convolutions.children()
        ]
        logits: Tensor = self.dense(torch.cat(features, 1))
        return logits

    def forward(self, *words: Tensor) -> Tensor:
        """Return the logits ``(n, venues)``.

        Args:
            *words: word numbers of each field ``(n, words)``.
        """
        if self.training:
            words = tuple(self._leave_out(field) for field in words)
        return self.classify(*self.embed(*words))

    def _leave_out(self, words: Tensor) -> Tensor:
        """Leave out some words, and of some papers the whole field.

        A word left out is the zero vector. So what explanations compare with, and a field that is missing, are
        nothing new to the network.
        """
        single = torch.rand(words.shape, device=words.device) < self.word_dropout
        whole = torch.rand(len(words), 1, device=words.device) < self.field_dropout
        return words.masked_fill(single | whole, 0)
