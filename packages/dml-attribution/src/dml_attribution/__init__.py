"""Which pixels moved an embedding, and do two metric-learning models look at the same ones?"""

from ._attribution import EmbeddingAttribution
from ._compare import compare_maps, compare_models
from ._comparison import ModelComparison
from ._curves import FaithfulnessCurves, faithfulness
from ._distances import LOSS_DISTANCES
from ._figures import difference_map, grid, overlay
from ._foreground import foreground_score, pointing_game, relevance_mass
from ._postprocess import postprocess
from ._similarity import jensen_shannon, pearson, spearman, ssim

# fmt: off
__all__ = [
    "EmbeddingAttribution", "FaithfulnessCurves", "LOSS_DISTANCES", "ModelComparison", "compare_maps", "compare_models",
    "difference_map", "faithfulness", "foreground_score", "grid", "jensen_shannon", "overlay", "pearson",
    "pointing_game", "postprocess", "relevance_mass", "spearman", "ssim",
]
