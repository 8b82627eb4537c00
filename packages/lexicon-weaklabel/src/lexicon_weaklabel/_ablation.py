"""What each lexicon contributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from numpy.typing import ArrayLike

from ._checks import check_type
from ._core import value_error
from ._labelers import AverageLabeler, LexiconLabeler
from ._lexicon import Lexicon
from ._scores import Scores, evaluate


@dataclass(frozen=True)
class AblationRow:
    """One subset of lexica.

    Attributes:
        lexica: their names.
        average: scores of the ``AverageLabeler``.
        distribution: scores of the ``LexiconLabeler``.
        coverage: share of texts with a signal token.
    """

    lexica: tuple[str, ...]
    average: Scores
    distribution: Scores
    coverage: float


def ablation(lexica: Mapping[str, Lexicon], texts: Any, truth: ArrayLike) -> list[AblationRow]:
    """Score both labelers with every subset of the lexica.

    Args:
        lexica: by name, over the same three classes from low to high; in a subset an earlier one goes before a later.
        texts: ``n`` texts.
        truth: ``(n,)`` class names.

    Returns:
        One row per subset, small subsets first.

    Reference:
        Table 15.3.
    """
    check_type("lexica", lexica, Mapping, "a mapping from names to lexica")
    for lexicon in lexica.values():
        check_type("lexica", lexicon, Lexicon, "a mapping from names to lexica")
    if not lexica:
        raise value_error("lexica", "one lexicon or more", "none")
    rows = []
    for size in range(1, len(lexica) + 1):
        for names in combinations(lexica, size):
            first, *others = (lexica[name] for name in names)
            merged = first.merge(*others)
            average = AverageLabeler(merged, classes=merged.classes).label(texts)
            distribution = LexiconLabeler(merged).label(texts)
            by_average, by_distribution = (
                evaluate(truth, labels.label, classes=merged.classes) for labels in (average, distribution)
            )
            rows.append(AblationRow(names, by_average, by_distribution, float(distribution.covered.mean())))
    return rows
