"""The network: convolutions over word vectors and their maximum over time."""

from __future__ import annotations

from collections.abc import Sequence

from ._checks import check_count, check_counts, check_share, check_type, checked_tuple
from ._core import shape_error, value_error
from ._torch import F, Tensor, nn, torch


class TextCNN(nn.Module):
    """Convolutions of several widths over word vectors, their maximum over time, dropout and a linear layer.

    The id 0 is the zero vector and stays it: padding, unknown words and masked ones.

    Args:
        vectors: ``(v, d)`` initial vectors of the words 1 to ``v``.
        num_classes: ``K``.
        filters: number of filters of each width.
        widths: of the convolutions, in words.
        dropout: probability on the pooled features.
        static: keep the vectors as they are instead of training them on ("cnn-static", "cnn-nonstatic").

    Shapes:
        ids ``(n, t)`` in, logits ``(n, K)`` out. They do not depend on the number of zeros behind a text.

    Example:
        >>> import torch
        >>> network = TextCNN(torch.randn(10, 8), 3, filters=4).eval()
        >>> ids = torch.tensor([[3, 1, 2]])
        >>> bool(torch.allclose(network(ids), network(torch.tensor([[3, 1, 2, 0, 0, 0, 0]]))))
        True

    Reference:
        Kim, "Convolutional neural networks for sentence classification", EMNLP 2014; Chapters 2.2.3, 15.1.2 and 15.2:
        182 filters and 27 % dropout. Whether 182 is per width is not said; here it is. The widths are Kim's.
    """

    def __init__(
        self,
        vectors: Tensor,
        num_classes: int,
        *,
        filters: int = 182,
        widths: Sequence[int] = (3, 4, 5),
        dropout: float = 0.27,
        static: bool = False,
    ) -> None:
        super().__init__()
        check_type("vectors", vectors, Tensor, "a tensor (v, d)")
        if vectors.ndim != 2:
            raise shape_error("vectors", "(v, d)", {"vectors": vectors.shape})
        if not vectors.is_floating_point() or vectors.layout != torch.strided:
            raise value_error("vectors", "dense floating-point numbers", f"{vectors.dtype}, {vectors.layout}")
        check_counts(num_classes=num_classes, filters=filters)
        check_share("dropout", dropout)
        if not checked_tuple("widths", widths, "a sequence of integers"):
            raise value_error("widths", "one width or more", widths)
        for width in widths:
            check_count("widths", width)
        table = torch.cat([torch.zeros_like(vectors[:1]), vectors])
        self.embedding = nn.Embedding.from_pretrained(table, freeze=static, padding_idx=0)
        self.convolutions = nn.ModuleList(nn.Conv1d(vectors.shape[1], filters, width) for width in widths)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(filters * len(widths), num_classes)
        self.padding = max(widths)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits ``(n, K)`` of texts ``(n, t)``."""
        # So many zeros that each width sees a window without words in every text, whatever the others' length.
        embedded = self.embedding(F.pad(ids, (0, self.padding))).transpose(1, 2)
        pooled = [convolution(embedded).relu().amax(2) for convolution in self.convolutions]
        logits: Tensor = self.output(self.dropout(torch.cat(pooled, dim=1)))
        return logits
