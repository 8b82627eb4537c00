"""What a recommender learns from papers."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ._checkpoint import Checkpoint
from ._core import value_error
from ._corpus import count_papers
from ._network import FieldCNN
from ._options import Options
from ._papers import Papers
from ._text import Vocabulary, split_words
from ._training import Examples, Schedule, train
from ._word2vec import word_vectors


@dataclass(frozen=True)
class Model:
    """A trained network and what its numbers mean.

    Args:
        venues: the columns of its answers.
        vocabulary: the words it knows.
        network: the network, in evaluation mode.
        venue_papers: number of training papers of each venue ``(venues,)``.
        word_papers: number of those that contain each word ``(words, venues)``.
        history: loss and validation metrics of each epoch.
    """

    venues: list[str]
    vocabulary: Vocabulary
    network: FieldCNN
    venue_papers: Tensor
    word_papers: Tensor
    history: list[dict[str, float]]


def learn_model(
    options: Options,
    papers: Papers,
    validated: Papers,
    *,
    checkpoint: Checkpoint | None = None,
    progress: bool | None = None,
) -> Model:
    """Collect the vocabulary and train a network."""
    venues = sorted(set(papers.venues))
    texts = [text for column in papers.texts.values() for text in column]
    vocabulary = Vocabulary.of(texts, min_count=options.min_count, limit=options.max_tokens)
    if not len(vocabulary):
        raise value_error("data", f"a word that occurs {options.min_count} times (min_count)", "none")
    training, validation = (
        Examples(
            [vocabulary.encode(one.texts[field], options.max_tokens, typos=False) for field in options.fields],
            torch.tensor([venues.index(venue) for venue in one.venues]),
        )
        for one in (papers, validated)
    )
    # What the seed draws must not change the random numbers of the caller.
    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        network = new_network(options, n_words=len(vocabulary), n_venues=len(venues))
        # A training that goes on has its vectors already.
        if options.embedding == "word2vec" and not (checkpoint and checkpoint.exists()):
            sentences = [split_words(text, options.max_tokens) for text in texts]
            vectors = word_vectors(sentences, vocabulary.words, size=options.embedding_dim, seed=options.seed)
            for embedding in network.embeddings.parameters():
                embedding.data[1:] = vectors
        schedule = Schedule(**{field.name: getattr(options, field.name) for field in fields(Schedule)})
        network.to(options.device)
        history = train(network, training, validation, schedule, checkpoint=checkpoint, progress=progress)
    venue_papers, word_papers = count_papers(training, len(vocabulary), len(venues))
    return Model(venues, vocabulary, frozen(network), venue_papers, word_papers, history)


def new_network(options: Options, *, n_words: int, n_venues: int) -> FieldCNN:
    """Return the untrained network that the options describe."""
    return FieldCNN(
        n_words=n_words,
        n_venues=n_venues,
        n_fields=len(options.fields),
        embedding_dim=options.embedding_dim,
        filters=options.filters,
        kernel_sizes=options.kernel_sizes,
        hidden=options.hidden,
        dropout=options.dropout,
        word_dropout=options.word_dropout,
        field_dropout=options.field_dropout,
    )


def frozen(network: FieldCNN) -> FieldCNN:
    """Return a network that learns no more, so that threads may share it."""
    network.zero_grad()
    return network.eval().requires_grad_(False)
