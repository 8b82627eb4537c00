"""171 graded image distortions, and the pretext tasks that are trained on them."""

from . import baselines, darktable, evaluation, files, functional, ratings
from ._balance import BalancedSum, DynamicWeightAverage, LossSum, UncertaintyWeighting
from ._batched import distort_batch, variants_batch
from ._dataset import PretextBatch, PretextDataset
from ._finetune import Finetuned, finetune
from ._losses import DistortionClassificationLoss, IntensityRegressionLoss, RankingLoss
from ._model import Features, PretextModel
from ._nima import NimaModel, predict
from ._pretrain import Pretrained, pretrain
from ._registry import DISTORTIONS, Distortion, get_distortion
from ._suitability import Suitability, suitability
from ._transform import RandomDistortion
from ._variants import VARIANTS, Variant, VariantKey, variants

# fmt: off
__all__ = [
    "BalancedSum", "DISTORTIONS", "Distortion", "DistortionClassificationLoss", "DynamicWeightAverage", "Features",
    "Finetuned", "IntensityRegressionLoss", "LossSum", "NimaModel", "PretextBatch", "PretextDataset", "PretextModel",
    "Pretrained", "RandomDistortion", "RankingLoss", "Suitability", "UncertaintyWeighting", "VARIANTS", "Variant",
    "VariantKey", "baselines", "darktable", "distort_batch", "evaluation", "files", "finetune", "functional",
    "get_distortion", "predict", "pretrain", "ratings", "suitability", "variants", "variants_batch",
]
# fmt: on
