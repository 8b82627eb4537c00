"""What one seed of the venue experiment learns and scores, kept between runs: a full run that is killed goes on.

``python -m demo.data.venue_runs SEED`` computes one seed of the full run ahead, so that seeds can run side by side.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import wheretosubmit
from numpy.typing import NDArray
from wheretosubmit import Evaluation, VenueRecommender, evaluate_scores, stratified_split
from wheretosubmit.baselines import Iana, LogisticRegression, Majority, Random

from demo.data.cache import CACHE, cached_array
from demo.data.papers import load_papers

Columns = dict[str, list[Any]]
FIELDS = ("title", "abstract")
WITH_KEYWORDS = ("colm", "ijcai", "www")  # the venues of which every paper has keywords
OURS = "wheretosubmit"
TF, TFIDF, IANA = "logistic regression, TF", "logistic regression, TF-IDF", "Iana et al. (abstract)"
BASELINES = ("random", "majority", TF, TFIDF, IANA)
PRESENCE = "presence of keywords alone, all venues"
KEYWORDS = {f"{', '.join(WITH_KEYWORDS)}: {' + '.join(fields)}": fields for fields in (FIELDS, (*FIELDS, "keywords"))}
FULL: dict[str, Any] = {
    "embedding": "word2vec",
    "filters": 200,
    "kernel_sizes": (1,),
    "min_count": 5,
    "max_tokens": 250,
    "learning_rate": 4e-3,
    "batch_size": 128,
    "epochs": 6,
}
# What results depend on; changing one of these files makes kept results worthless.
_SOURCES = ("_network", "_training", "_model", "_options", "_text", "_word2vec", "_split", "baselines")


def take(papers: Columns, rows: Any) -> Columns:
    """Return some of the papers."""
    return {name: [column[row] for row in rows] for name, column in papers.items()}


@dataclass(frozen=True)
class Run:
    """One seed: its split, its models, and their scores on its test papers.

    Args:
        papers: all papers.
        options: of the networks.
        seed: of split and networks.
        keep: keep models and scores in the cache.
    """

    papers: Columns
    options: Mapping[str, Any]
    seed: int
    keep: bool = False

    @cached_property
    def parts(self) -> list[Columns]:
        """Training, validation and test papers: 80, 10 and 10 %."""
        return [take(self.papers, part) for part in stratified_split(self.papers["venue"], seed=self.seed)]

    @cached_property
    def recommender(self) -> VenueRecommender:
        """The recommender of title and abstract."""
        recommender = VenueRecommender(fields=FIELDS, seed=self.seed, **self.options)
        training, validation, _ = self.parts
        if not self.keep:
            return recommender.fit(training, validation=validation)
        folder = CACHE / f"wheretosubmit-{self._key}"
        if not (folder / "model.json").exists():
            checkpoint = folder / "training.safetensors"
            recommender.fit(training, validation=validation, checkpoint=checkpoint).save(folder)
            checkpoint.unlink()
        return VenueRecommender.load(folder)

    def evaluate(self, name: str) -> Evaluation:
        """Return the metrics of a method on the test papers."""
        _, _, test = self.parts
        if name in KEYWORDS or name == PRESENCE:
            return self._keywords(name)
        return self._evaluated(name, lambda: self._ranker(name).predict_scores(test), test)

    def without(self, name: str, venue: str) -> Evaluation:
        """Return the metrics where a venue is neither in the test papers nor among the answers."""
        venues, (_, _, test) = sorted(set(self.papers["venue"])), self.parts
        scores = self._scores(name, lambda: self._ranker(name).predict_scores(test))
        rows = [row for row, other in enumerate(test["venue"]) if other != venue]
        others = [other for other in venues if other != venue]
        columns = [venues.index(other) for other in others]
        return evaluate_scores(scores[rows][:, columns], [others.index(test["venue"][row]) for row in rows])

    def _ranker(self, name: str) -> Any:
        training, _, _ = self.parts
        makers: dict[str, Callable[[], Any]] = {
            "random": lambda: Random(fields=FIELDS),
            "majority": lambda: Majority(fields=FIELDS),
            TF: lambda: LogisticRegression(fields=FIELDS),
            TFIDF: lambda: LogisticRegression(fields=FIELDS, weighting="tfidf"),
            IANA: lambda: Iana(network=VenueRecommender(fields=["abstract"], seed=self.seed, **self.options)),
        }
        return self.recommender if name == OURS else makers[name]().fit(training)

    def _keywords(self, name: str) -> Evaluation:
        """Show what the mere presence of keywords tells, or what keywords add where every paper has them."""
        if name == PRESENCE:
            papers = {**self.papers, "presence": ["yes" if words else "no" for words in self.papers["keywords"]]}
        else:
            pairs = enumerate(zip(self.papers["venue"], self.papers["keywords"]))
            papers = take(self.papers, [row for row, (venue, words) in pairs if venue in WITH_KEYWORDS and words])
        training, validation, test = (take(papers, part) for part in stratified_split(papers["venue"], seed=self.seed))

        def compute() -> NDArray[np.float64]:
            if name == PRESENCE:
                return LogisticRegression(fields=["presence"]).fit(training).predict_scores(test)
            recommender = VenueRecommender(fields=KEYWORDS[name], seed=self.seed, **self.options)
            return recommender.fit(training, validation=validation).predict_scores(test)

        return self._evaluated(name, compute, test)

    def _evaluated(self, name: str, compute: Callable[[], NDArray[np.float64]], test: Columns) -> Evaluation:
        venues = sorted(set(test["venue"]))
        return evaluate_scores(self._scores(name, compute), [venues.index(venue) for venue in test["venue"]])

    def _scores(self, name: str, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        if not self.keep:
            if name not in self._computed:
                self._computed[name] = compute()
            return self._computed[name]
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return cached_array(f"wheretosubmit-{self._key}-{digest}", compute)

    @cached_property
    def _computed(self) -> dict[str, NDArray[np.float64]]:
        return {}

    @cached_property
    def _key(self) -> str:
        sources = [(Path(wheretosubmit.__file__).parent / f"{name}.py").read_text() for name in _SOURCES]
        return hashlib.sha256(json.dumps([sources, self.papers, self.options, self.seed]).encode()).hexdigest()[:12]


def main() -> None:
    """Compute one seed of the full run."""
    papers = load_papers()
    if len(sys.argv) != 2 or not sys.argv[1].isdigit() or papers is None:
        sys.exit("usage: python -m demo.data.venue_runs SEED, with the table of papers in its place")
    torch.set_num_threads(1)
    run = Run(papers, FULL, int(sys.argv[1]), keep=True)
    for name in (OURS, TFIDF, TF, PRESENCE, *KEYWORDS, IANA):
        print(name, run.evaluate(name).to_dict(), flush=True)


if __name__ == "__main__":
    main()
