"""The network: convolutions per field, the largest and the mean answer of each filter, two dense layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FieldFilters(nn.Module):
    """Convolutions over the words of one field, and of each filter the largest answer and the mean one.

    An answer is by how much a filter exceeds what it says where there are no words, and the mean is over the known
    words. So neither depends on the empty places that fill up a batch, and a field without words is all zeros.

    Args:
        embedding_dim: length of a word vector.
        filters: filters per kernel size.
        kernel_sizes: how many neighbouring words a filter sees.
    """

    def __init__(self, embedding_dim: int, filters: int, kernel_sizes: Sequence[int]) -> None:
        super().__init__()
        # As many empty places as the kernel is long, so that each filter also sees none of the text.
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding_dim, filters, size, padding=size) for size in kernel_sizes
        )

    def forward(self, field: Tensor, embedding: nn.Module | None = None) -> Tensor:
        """Return the features ``(n, 2 * kernel_sizes * filters)``.

        Args:
            field: word vectors ``(n, words, embedding_dim)``, or with ``embedding`` word numbers ``(n, words)``, of
                which filters of one word read each different one only once.
            embedding: what makes word vectors of word numbers.
        """
        known = (field != 0) if embedding else (field != 0).any(2)
        n_words = known.sum(1, keepdim=True).clamp(min=1)
        features = []
        for convolution in self.convolutions.children():
            assert isinstance(convolution, nn.Conv1d)
            if embedding and convolution.kernel_size == (1,):
                different, places = field.unique(return_inverse=True)
                answers = _answers(convolution, embedding(different)[None])[0, 1:-1]
                largest = F.embedding_bag(places, answers, mode="max").clamp(min=0)
                total = F.embedding_bag(places, answers, mode="sum")
            else:
                answers = _answers(convolution, embedding(field) if embedding else field)
                largest, total = answers.amax(1), answers.sum(1)
            features += [largest, total / n_words]
        return torch.cat(features, 1)


def _answers(convolution: nn.Conv1d, vectors: Tensor) -> Tensor:
    """Return the answers of all filters ``(n, places, filters)``, zero where there are no words."""
    assert convolution.bias is not None
    answers: Tensor = convolution(vectors.transpose(1, 2)).relu() - convolution.bias.relu()[:, None]
    return answers.transpose(1, 2)


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
        self.filters = nn.ModuleList(FieldFilters(embedding_dim, filters, kernel_sizes) for _ in range(n_fields))
        for embedding in self.embeddings.parameters():
            embedding.data[1:].normal_(std=0.1)
        features = 2 * n_fields * len(kernel_sizes) * filters
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
        features = [filters(field) for filters, field in zip(self.filters, vectors)]
        logits: Tensor = self.dense(torch.cat(features, 1))
        return logits

    def forward(self, *words: Tensor) -> Tensor:
        """Return the logits ``(n, venues)``.

        Args:
            *words: word numbers of each field ``(n, words)``.
        """
        if self.training:
            words = tuple(self._leave_out(field) for field in words)
        features = [
            filters(field, embedding) for filters, field, embedding in zip(self.filters, words, self.embeddings)
        ]
        logits: Tensor = self.dense(torch.cat(features, 1))
        return logits

    def _leave_out(self, words: Tensor) -> Tensor:
        """Leave out some words, and of some papers the whole field.

        A word left out is the zero vector. So what explanations compare with, and a field that is missing, are
        nothing new to the network.
        """
        single = torch.rand(words.shape, device=words.device) < self.word_dropout
        whole = torch.rand(len(words), 1, device=words.device) < self.field_dropout
        return words.masked_fill(single | whole, 0)
