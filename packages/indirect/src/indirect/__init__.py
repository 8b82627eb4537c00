"""Image embeddings for a similarity notion that is written as text prompts (InDiReCT)."""

from ._baselines import PCA, Identity, RandomEmbedding, RandomTransformation
from ._clip_encoders import OpenClipEncoder, SentenceTransformerEncoder
from ._encoder import Encoder
from ._evaluate import Evaluation, evaluate, score
from ._indirect import InDiReCT, fit_many
from ._offline import OfflineEncoder, build_offline_encoder
from ._plots import plot_maps
from ._prompts import Prompts
from ._search import search
from ._store import EmbeddingStore
from ._sweeps import Sweep, sweep_components, sweep_encoders, sweep_prompts
from ._trained_baselines import Autoencoder, LinearAutoencoder, Oracle
from ._transformers_encoder import TransformersEncoder

# fmt: off
__all__ = [
    "Autoencoder", "EmbeddingStore", "Encoder", "Evaluation", "Identity", "InDiReCT", "LinearAutoencoder",
    "OfflineEncoder", "OpenClipEncoder", "Oracle", "PCA", "Prompts", "RandomEmbedding", "RandomTransformation",
    "SentenceTransformerEncoder", "Sweep", "TransformersEncoder", "build_offline_encoder", "evaluate", "fit_many",
    "plot_maps", "score", "search", "sweep_components", "sweep_encoders", "sweep_prompts",
]
