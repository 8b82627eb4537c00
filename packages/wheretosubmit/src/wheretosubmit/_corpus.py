"""What the training papers say about words, and which words a recommender goes by."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ._checks import check_seed, positive
from ._core import track, value_error
from ._papers import Data, read_papers
from ._training import Examples

if TYPE_CHECKING:
    from ._recommender import VenueRecommender


def count_papers(papers: Examples, n_words: int, n_venues: int) -> tuple[Tensor, Tensor]:
    """Count the papers of each venue ``(venues,)``, and those of them that contain each word ``(words, venues)``."""
    containing = torch.zeros(n_words + 1, n_venues, dtype=torch.int64)
    for venue, *fields in zip(papers.targets.tolist(), *papers.words):
        containing[torch.cat(fields).unique().long(), venue] += 1
    return papers.targets.bincount(minlength=n_venues), containing[1:].clone()


def most_attributed_words(
    recommender: VenueRecommender,
    data: Data,
    *,
    papers_per_venue: int = 10,
    k: int = 10,
    seed: int = 0,
    progress: bool | None = None,
) -> dict[str, list[tuple[str, float]]]:
    """Return the words that speak most for each venue in papers that appeared there.

    A word's score in a paper is the sum over its occurrences in all fields; the result is the mean over the drawn
    papers, papers without the word included.

    Args:
        recommender: a fitted recommender.
        data: papers with their venues, as ``fit`` takes them.
        papers_per_venue: how many papers of each venue are drawn and explained.
        k: number of words per venue.
        seed: of the draw.
        progress: show a bar; by default only in a terminal.

    Returns:
        For each venue the ``k`` words with the highest mean score.

    Reference:
        Chapter 8, Section 8.3.
    """
    positive("papers_per_venue", papers_per_venue)
    positive("k", k)
    check_seed(seed)
    papers = read_papers(data, recommender.fields, recommender.label)
    if unknown := sorted(set(papers.venues) - set(recommender.venues_)):
        raise value_error("data", f"venues of the training papers {recommender.venues_}", f"also {unknown}")
    rows = np.random.default_rng(seed).permutation(len(papers))
    drawn: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if len(drawn[papers.venues[row]]) < papers_per_venue:
            drawn[papers.venues[row]].append(int(row))
    sums: dict[str, defaultdict[str, float]] = {venue: defaultdict(float) for venue in sorted(drawn)}
    pairs = [(venue, row) for venue, chosen in drawn.items() for row in chosen]
    for venue, row in track(pairs, "explaining", progress=progress):
        texts: dict[str, Any] = {field: column[row] for field, column in papers.texts.items()}
        for word, score in recommender.explain(venues=[venue], **texts)[0].words():
            sums[venue][word] += score / len(drawn[venue])
    return {venue: sorted(words.items(), key=lambda item: -item[1])[:k] for venue, words in sums.items()}
