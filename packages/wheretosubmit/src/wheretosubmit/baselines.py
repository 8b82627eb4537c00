"""The baselines of Table 8.1; the last two need the extra ``baselines``."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ._checks import check_type, choice
from ._core import import_extra, value_error
from ._papers import Data, Papers
from ._ranker import Ranker
from ._recommender import VenueRecommender
from ._split import stratified_split
from ._text import split_words

__all__ = ["Iana", "LogisticRegression", "Majority", "Random"]


class _Baseline(Ranker):
    """A ranker that learns from all papers it gets."""

    def fit(self, data: Data) -> Self:
        """Learn from papers whose venues are known; ``data`` is what ``VenueRecommender.fit`` takes."""
        papers = self._read(data)
        self.venues_ = sorted(set(papers.venues))
        self._learn(papers, self._targets(papers))
        return self

    @abstractmethod
    def _learn(self, papers: Papers, targets: NDArray[np.int64]) -> None: ...


class Random(_Baseline):
    """All venues in a random order; an evaluation gives the expected values.

    Example:
        >>> papers = {"title": ["a", "b", "c", "d"], "venue": ["ACL", "ACL", "CVPR", "ICML"]}
        >>> Random(fields=["title"]).fit(papers).evaluate(papers).accuracy
        0.3333333333333333
    """

    def _learn(self, papers: Papers, targets: NDArray[np.int64]) -> None:
        pass

    def _scores(self, papers: Papers) -> NDArray[np.float64]:
        return np.zeros((len(papers), len(self.venues_)))


class Majority(_Baseline):
    """Venues in the order of their number of training papers; an evaluation breaks ties at random.

    Example:
        >>> papers = {"title": ["a", "b", "c", "d"], "venue": ["ACL", "ACL", "CVPR", "ICML"]}
        >>> Majority(fields=["title"]).fit(papers).evaluate(papers).accuracy
        0.5
    """

    def _learn(self, _papers: Papers, targets: NDArray[np.int64]) -> None:
        self._counts = np.bincount(targets).astype(np.float64)

    def _scores(self, papers: Papers) -> NDArray[np.float64]:
        return np.tile(self._counts, (len(papers), 1))


@dataclass(kw_only=True)
class LogisticRegression(_Baseline):
    """Logistic regression on the words of all fields together.

    Args:
        fields: columns with text.
        label: column with the venue.
        weighting: ``"tf"`` counts words as the thesis does, ``"tfidf"`` takes the logarithm of the counts and weighs
            rare words more, which is stronger. Rows have unit length.
        c: inverse strength of the regularisation.

    Example:
        >>> papers = {"title": ["parse words", "parse it", "see images", "see it"], "venue": ["ACL"] * 2 + ["CVPR"] * 2}
        >>> LogisticRegression(fields=["title"]).fit(papers).evaluate(papers).accuracy
        1.0
    """

    weighting: Literal["tf", "tfidf"] = "tf"
    c: float = 1.0

    def _learn(self, papers: Papers, targets: NDArray[np.int64]) -> None:
        choice("weighting", self.weighting, ("tf", "tfidf"))
        check_type("c", self.c, Real, "a positive number")
        if not 0 < self.c < math.inf:
            raise value_error("c", "a positive number", self.c)
        idf = self.weighting == "tfidf"
        self._vectorizer = _vectorizer(use_idf=idf, sublinear_tf=idf)
        self._model = _logistic_regression(self._vectorizer.fit_transform(_joined(papers)), targets, c=self.c)

    def _scores(self, papers: Papers) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self._model.predict_proba(self._vectorizer.transform(_joined(papers)))
        return scores


@dataclass(kw_only=True)
class Iana(_Baseline):
    """TF-IDF documents of the venues and a TextCNN on the abstract, combined by logistic regression.

    All training abstracts of a venue are one TF-IDF document, and venues are ranked by the cosine with it. The network
    is a ``VenueRecommender`` of the same field. A tenth of the papers is kept from both and teaches the combination.

    Args:
        fields: the one column with text.
        label: column with the venue.
        network: the TextCNN, with the same field and label; by default one with the thesis' default settings here.

    Reference:
        Chapter 8; Iana et al., "Ensemble TF-IDF & word2vec plus CNN".
    """

    fields: tuple[str, ...] = ("abstract",)
    network: VenueRecommender | None = None

    def _learn(self, papers: Papers, targets: NDArray[np.int64]) -> None:
        if len(self.fields) != 1:
            raise value_error("fields", "one field", self.fields)
        rows, held_out = stratified_split(papers.venues, (0.9, 0.1), seed=0)
        check_type("network", self.network, (VenueRecommender, type(None)), "a VenueRecommender")
        network = self.network or VenueRecommender(fields=self.fields, label=self.label)
        self._network = network.with_params(fields=self.fields, label=self.label).fit(papers.take(rows))
        documents = [
            " ".join(text for text, target in zip(_joined(papers.take(rows)), targets[rows]) if target == column)
            for column in range(len(self.venues_))
        ]
        self._vectorizer = _vectorizer(use_idf=True, sublinear_tf=True)
        self._documents = self._vectorizer.fit_transform(documents)
        self._model = _logistic_regression(self._features(papers.take(held_out)), targets[held_out], c=1.0)

    def _scores(self, papers: Papers) -> NDArray[np.float64]:
        scores = np.zeros((len(papers), len(self.venues_)))
        scores[:, self._model.classes_] = self._model.predict_proba(self._features(papers))
        return scores

    def _features(self, papers: Papers) -> NDArray[np.float64]:
        similarity = (self._vectorizer.transform(_joined(papers)) @ self._documents.T).toarray()
        return np.hstack([similarity, self._network._scores(papers)])


def _joined(papers: Papers) -> list[str]:
    return [" ".join(texts) for texts in zip(*papers.texts.values())]


def _vectorizer(**options: bool) -> Any:
    text = import_extra("sklearn.feature_extraction.text", package="wheretosubmit", extra="baselines")
    return text.TfidfVectorizer(analyzer=split_words, **options)


def _logistic_regression(features: Any, targets: NDArray[np.int64], *, c: float) -> Any:
    linear = import_extra("sklearn.linear_model", package="wheretosubmit", extra="baselines")
    return linear.LogisticRegression(C=c, max_iter=1000).fit(features, targets)
