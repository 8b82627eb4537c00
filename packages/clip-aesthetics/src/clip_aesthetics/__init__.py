"""Image aesthetics from CLIP: prompts and linear probes on frozen embeddings."""

from ._emd import EMDLoss, NIMAHead, emd_loss, mean_score
from ._encoder import Encoder
from ._evaluate import Estimate, Evaluation, evaluate
from ._finetune import Finetuned, finetune
from ._open_clip import OpenClipEncoder
from ._plots import plot_weights
from ._probe import LinearProbe
from ._prompts import prompt_texts
from ._ratings import RatedImages, RatingTable, load_ratings
from ._scorer import PromptScorer
from ._scores import AestheticScores
from ._search import LabelPair, LabelTable, search_labels
from ._storage import FittedProbe
from ._words import imagenet_class_names, wordnet_adjectives

__all__ = [
    "AestheticScores", "EMDLoss", "Encoder", "Estimate", "Evaluation", "Finetuned", "FittedProbe", "LabelPair",
    "LabelTable", "LinearProbe", "NIMAHead", "OpenClipEncoder", "PromptScorer", "RatedImages", "RatingTable",
    "emd_loss", "evaluate", "finetune", "imagenet_class_names", "load_ratings", "mean_score", "plot_weights",
    "prompt_texts", "search_labels", "wordnet_adjectives",
]  # fmt: skip
