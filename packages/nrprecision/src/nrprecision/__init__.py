"""Chance-normalised R-Precision: which properties of its input does an embedding encode?"""

from ._compare import compare_models
from ._comparison import ModelComparison
from ._sampling import Independence, check_independence, sample_properties
from ._scores import PropertyScores
from .functional import map_at_r, normalized_r_precision, precision_at_1, r_precision

__all__ = [
    "Independence",
    "ModelComparison",
    "PropertyScores",
    "check_independence",
    "compare_models",
    "map_at_r",
    "normalized_r_precision",
    "precision_at_1",
    "r_precision",
    "sample_properties",
]
