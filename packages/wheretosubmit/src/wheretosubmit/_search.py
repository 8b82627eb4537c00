"""Random search over hyperparameters on validation papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._checks import check_seed, check_type, positive
from ._core import value_error
from ._papers import Data, read_papers
from ._recommender import VenueRecommender
from ._split import stratified_split

Draw = Callable[[np.random.Generator], Any]
SPACE: dict[str, Draw] = {
    "filters": lambda generator: int(generator.choice([50, 100, 200, 300])),
    "kernel_sizes": lambda generator: [(1,), (1, 2), (1, 2, 3), (3, 4, 5), (7,)][generator.integers(5)],
    "dropout": lambda generator: float(generator.uniform(0.2, 0.7)),
    "learning_rate": lambda generator: float(10 ** generator.uniform(-3.5, -2)),
}


@dataclass(frozen=True)
class Search:
    """What a random search found.

    Args:
        best: the fitted recommender with the best mean reciprocal rank on the validation papers.
        trials: the drawn hyperparameters and the validation metrics of each trial, the best first.
    """

    best: VenueRecommender
    trials: list[dict[str, Any]]


def random_search(
    recommender: VenueRecommender,
    data: Data,
    *,
    n_trials: int,
    space: Mapping[str, Draw] | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Search:
    """Fit recommenders with random hyperparameters and keep the best one.

    All trials learn from the same papers and are compared on the same validation papers, which the recommender's
    ``validation_fraction`` and ``seed`` draw from ``data``. So the best result is too good: evaluate on others.

    Args:
        recommender: what is not drawn.
        data: papers with their venues, as ``fit`` takes them.
        n_trials: number of recommenders.
        space: how to draw each hyperparameter, a function of a numpy generator; by default filters, kernel sizes,
            dropout and learning rate.
        seed: of the draws.
        progress: show the bars of the training; by default only in a terminal.

    Raises:
        ValueError: the space names something that is not a hyperparameter.

    Example:
        >>> papers = {
        ...     "title": ["parsing words", "deep images", "grammar of words", "images of cars"] * 8,
        ...     "venue": ["ACL", "CVPR"] * 16,
        ... }
        >>> small = VenueRecommender(fields=["title"], min_count=1, epochs=2)
        >>> search = random_search(small, papers, n_trials=2, space={"filters": lambda g: int(g.integers(4, 9))})
        >>> [sorted(trial) for trial in search.trials]
        [['accuracy', 'accuracy_at_5', 'filters', 'mrr'], ['accuracy', 'accuracy_at_5', 'filters', 'mrr']]

    Reference:
        Chapter 8: random search on the validation data (Bergstra and Bengio 2012).
    """
    positive("n_trials", n_trials)
    check_seed(seed)
    check_type("recommender", recommender, VenueRecommender, "a VenueRecommender")
    space = SPACE if space is None else space
    check_type("space", space, Mapping, "a mapping from hyperparameters to functions")
    if unknown := sorted(set(space) - set(recommender.get_params())):
        raise value_error("space", f"some of {list(recommender.get_params())}", unknown)
    papers = read_papers(data, recommender.fields, recommender.label)
    fractions = (1 - recommender.validation_fraction, recommender.validation_fraction)
    training, validation = (
        papers.take(rows) for rows in stratified_split(papers.venues, fractions, seed=recommender.seed)
    )
    generator = np.random.default_rng(seed)
    trials: list[dict[str, Any]] = []
    best = recommender
    for _ in range(n_trials):
        drawn = {name: draw(generator) for name, draw in space.items()}
        trial = recommender.with_params(**drawn).fit(training, validation=validation, progress=progress)
        trials.append({**drawn, **trial.evaluate(validation).to_dict()})
        if trials[-1]["mrr"] > max((one["mrr"] for one in trials[:-1]), default=-1):
            best = trial
    return Search(best, sorted(trials, key=lambda one: -one["mrr"]))
