"""Recommend where to submit a paper, and highlight the words that say so."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._corpus import most_attributed_words as most_attributed_words
    from ._evaluation import Evaluation as Evaluation
    from ._evaluation import evaluate_scores as evaluate_scores
    from ._explanation import Explanation as Explanation
    from ._highlight import Highlight as Highlight
    from ._recommender import VenueRecommender as VenueRecommender
    from ._search import random_search as random_search
    from ._split import stratified_split as stratified_split

__all__ = ["Evaluation", "Explanation", "Highlight", "VenueRecommender", "most_attributed_words", "random_search"]
__all__ += ["evaluate_scores", "stratified_split"]


def __getattr__(name: str) -> Any:
    """Import a name where it is first used, so that ``Highlight`` does not wait for torch."""
    for module in ("_highlight", "_split", "_evaluation", "_recommender", "_explanation", "_corpus", "_search"):
        if name in __all__ and hasattr(found := import_module(f".{module}", __name__), name):
            return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
