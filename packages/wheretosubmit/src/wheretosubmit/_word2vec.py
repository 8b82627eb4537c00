"""Word vectors trained on the papers themselves (extra ``word2vec``)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ._core import import_extra

_EPOCHS = 10


def word_vectors(sentences: Sequence[Sequence[str]], words: Sequence[str], *, size: int, seed: int) -> Tensor:
    """Train Word2Vec (CBOW, window 5) and return the vector of each word ``(words, size)``.

    The vectors are scaled to a standard deviation of 0.3. One thread, so that a seed gives the same vectors again
    (in one process, or with the same PYTHONHASHSEED).
    """
    models = import_extra("gensim.models", package="wheretosubmit", extra="word2vec")
    model = models.Word2Vec(
        sentences, vector_size=size, window=5, min_count=1, sample=1e-4, epochs=_EPOCHS, workers=1, seed=seed
    )
    vectors = torch.stack([torch.tensor(model.wv[word]) for word in words])
    return vectors * (0.3 / vectors.std())
