"""The methods that Table 13.2 compares with: those in closed form here, the others in ``_trained_baselines``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ._arrays import positive_integer
from ._core import value_error
from ._encoder import Encoder
from ._estimator import Estimator, SeededEstimator
from ._exports import LinearEstimator
from ._training import draw_normal


class RandomEmbedding(SeededEstimator):
    """Every image anywhere on the unit sphere: the lower bound (baseline "Random").

    Args:
        n_components: dimensions.
        random_state: seed or CPU generator.
        encoder: as for ``InDiReCT``.
    """

    def _fit(self, rows: Tensor) -> None:  # noqa: ARG002 - nothing is learnt
        positive_integer("n_components", self.n_components)

    def _project(self, rows: Tensor) -> Tensor:
        return F.normalize(torch.randn(len(rows), self.n_components, generator=self._generator()), dim=1).to(rows)


class Identity(Estimator):
    """The encoder's own embeddings, to unit length (baseline "CLIP").

    Args:
        encoder: as for ``InDiReCT``.
    """

    random_state = None

    def __init__(self, *, encoder: Encoder | None = None) -> None:
        self.encoder = encoder

    def _fit(self, rows: Tensor) -> None:
        """Nothing is learnt."""

    def _project(self, rows: Tensor) -> Tensor:
        return F.normalize(rows, dim=1)


class RandomTransformation(SeededEstimator, LinearEstimator):
    """U as InDiReCT starts, never trained (baseline "Rand. trans.").

    Args:
        n_components: dimensions.
        random_state: seed or CPU generator.
        encoder: as for ``InDiReCT``.
    """

    def _fit(self, rows: Tensor) -> None:
        count = positive_integer("n_components", self.n_components)
        self.components_ = draw_normal(rows.cpu(), count, 0.1, self._generator()).numpy()


class PCA(Estimator):
    """Principal components of the prompts, to unit length (baseline "PCA").

    Args:
        n_components: dimensions, fewer than prompts.
        encoder: as for ``InDiReCT``.

    Raises:
        ValueError: not more prompts than components, for which the thesis leaves the cell empty.
    """

    random_state = None
    components_: Any
    mean_: Any

    def __init__(self, n_components: int = 128, *, encoder: Encoder | None = None) -> None:
        self.n_components = n_components
        self.encoder = encoder

    def _fit(self, rows: Tensor) -> None:
        most = min(len(rows) - 1, rows.shape[1])
        if positive_integer("n_components", self.n_components) > most:
            raise value_error("n_components", f"at most {most} for {len(rows)} prompts", self.n_components)
        mean = rows.mean(0)
        self.mean_ = mean.cpu().numpy()
        self.components_ = torch.linalg.svd(rows - mean, full_matrices=False).Vh[: self.n_components].cpu().numpy()

    def _project(self, rows: Tensor) -> Tensor:
        mean = torch.as_tensor(self.mean_, dtype=rows.dtype, device=rows.device)
        components = torch.as_tensor(self.components_, dtype=rows.dtype, device=rows.device)
        return F.normalize((F.normalize(rows, dim=1) - mean) @ components.T, dim=1)
