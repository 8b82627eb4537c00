"""Cross entropy that knows which classes are similar."""

from . import functional
from ._adjustments import blend_identity, lower_bounded_similarity
from ._builders import confusion_similarity, embedding_similarity, ordinal_similarity
from ._distribution import MeanDistribution, mean_distribution, plot_mean_distribution
from ._hierarchy import hierarchy_similarity
from ._modules import LinearSimLoss, SimLoss
from ._storage import load_similarity, save_similarity
from ._structured import OrdinalSimilarity, SparseSimilarity
from ._superclass import expected_similarity, failed_superclass_accuracy, superclass_accuracy
from ._sweep import sweep
from ._sweep_result import SweepResult
from ._words import word_similarity

__all__ = [
    "LinearSimLoss", "MeanDistribution", "OrdinalSimilarity", "SimLoss", "SparseSimilarity", "SweepResult",
    "blend_identity", "confusion_similarity", "embedding_similarity", "expected_similarity",
    "failed_superclass_accuracy", "functional", "hierarchy_similarity", "load_similarity", "lower_bounded_similarity",
    "mean_distribution", "ordinal_similarity", "plot_mean_distribution", "save_similarity", "superclass_accuracy",
    "sweep", "word_similarity",
]  # fmt: skip
