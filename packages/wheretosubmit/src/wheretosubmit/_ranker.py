"""What the recommender and its baselines share: a table of scores, and its evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import as_strings, check_type
from ._core import type_error, value_error
from ._evaluation import Evaluation, evaluate_scores
from ._papers import Data, Papers, clean_text, read_papers


@dataclass(kw_only=True)
class Ranker(ABC):
    """Something that ranks the venues it has seen in training.

    Args:
        fields: columns with text.
        label: column with the venue.
    """

    fields: Sequence[str] = ("title", "abstract", "keywords")
    label: str = "venue"

    def __post_init__(self) -> None:
        """Check the columns."""
        check_type("label", self.label, str, "a column name")
        if isinstance(self.fields, str) or not 0 < len(set(names := as_strings("fields", self.fields))) == len(names):
            raise value_error("fields", "different column names", self.fields)
        if self.label in self.fields:
            raise value_error("label", f"a column other than the fields {list(self.fields)}", self.label)
        self.venues_: list[str] = []

    def predict_scores(self, data: Data) -> NDArray[np.float64]:
        """Return a score for each paper and venue ``(n, venues)``, the venues ordered as in ``venues_``."""
        self._check_fitted()
        return self._scores(read_papers(data, self.fields, None))

    def evaluate(self, data: Data, *, baselines: Mapping[str, Ranker] | None = None) -> Evaluation:
        """Compare the rankings of papers with the venues they appeared at.

        Args:
            data: papers, as ``fit`` takes them.
            baselines: other fitted rankers to compare with.

        Returns:
            Accuracy, accuracy at 5, mean reciprocal rank, and the same of each baseline with a signed-rank test.

        Raises:
            ValueError: a paper has a venue that was not in training.
        """
        others = {} if baselines is None else baselines
        check_type("baselines", others, Mapping, "a mapping from names to rankers")
        for other in others.values():
            check_type("baselines", other, Ranker, "a mapping from names to rankers")
        papers = self._read(data)
        targets = self._targets(papers)
        evaluations = {name: other.evaluate(data) for name, other in others.items()}
        return evaluate_scores(self._scores(papers), targets, baselines=evaluations)

    @abstractmethod
    def _scores(self, papers: Papers) -> NDArray[np.float64]: ...

    def _read(self, data: Data) -> Papers:
        return data if isinstance(data, Papers) else read_papers(data, self.fields, self.label)

    def _targets(self, papers: Papers) -> NDArray[np.int64]:
        self._check_fitted()
        columns = {venue: column for column, venue in enumerate(self.venues_)}
        if unknown := sorted(set(papers.venues) - set(columns)):
            raise value_error("data", f"venues of the training papers {self.venues_}", f"also {unknown}")
        return np.array([columns[venue] for venue in papers.venues])

    def _check_fitted(self) -> None:
        if not self.venues_:
            raise value_error(type(self).__name__, "a fitted model: call fit first", "none")


def as_texts(texts: Mapping[str, Any], fields: Sequence[str]) -> dict[str, str]:
    """Return the text of each field of one paper, empty where there is none."""
    if unknown := sorted(set(texts) - set(fields)):
        raise value_error("text", f"fields out of {list(fields)}", unknown)
    for field, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise type_error(field, "a string", text)
    given = {field: clean_text(texts.get(field) or "") for field in fields}
    if not any(text.strip() for text in given.values()):
        raise value_error("text", f"at least one of {list(fields)}", "none")
    return given
