"""The baselines of Table 13.2 that Adam trains: both autoencoders and the oracle."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._arrays import label_codes, positive_integer, positive_number
from ._core import value_error
from ._encoder import Encoder
from ._estimator import SeededEstimator
from ._exports import LinearEstimator
from ._objective import project
from ._training import draw_normal


class _Trained(SeededEstimator):
    """What Adam trains."""

    def __init__(
        self,
        n_components: int = 128,
        *,
        lr: float = 0.01,
        patience: int = 100,
        max_iter: int = 10_000,
        random_state: int | torch.Generator | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        super().__init__(n_components, random_state=random_state, encoder=encoder)
        self.lr = lr
        self.patience = patience
        self.max_iter = max_iter


class LinearAutoencoder(_Trained):
    """Linear encoder and decoder of the prompts, trained on the squared error (baseline "LAE").

    Args:
        n_components: dimensions.
        lr: learning rate of Adam.
        patience: iterations without a lower loss after which it stops.
        max_iter: most iterations.
        random_state: seed or CPU generator.
        encoder: as for ``InDiReCT``.

    Reference:
        Eqs. 13.7 and 13.8.
    """

    _weight_decay = 0.0
    _network: nn.Module

    def _layers(self, old: int, new: int) -> tuple[nn.Module, nn.Module]:
        return nn.Linear(old, new), nn.Linear(new, old)

    def _fit(self, rows: Tensor) -> None:
        new = positive_integer("n_components", self.n_components)
        encode, decode = self._layers(rows.shape[1], new)
        whole = nn.Sequential(encode, decode)
        generator = self._generator()
        with torch.no_grad():
            for layer in whole.modules():
                if isinstance(layer, nn.Linear):
                    bound = layer.in_features**-0.5  # what nn.Linear draws, but from our own generator
                    layer.weight.uniform_(-bound, bound, generator=generator)
                    layer.bias.uniform_(-bound, bound, generator=generator)
        whole.to(rows)
        _train(
            whole.parameters(),
            lambda: (rows - whole(rows)).square().sum(),
            lr=self.lr,
            patience=self.patience,
            max_iter=self.max_iter,
            weight_decay=self._weight_decay,
        )
        self._network = encode.requires_grad_(False)

    def _project(self, rows: Tensor) -> Tensor:
        network = copy.deepcopy(self._network).to(rows)
        return F.normalize(network(F.normalize(rows, dim=1)), dim=1)


class Autoencoder(LinearAutoencoder):
    """Encoder and decoder of two layers each, 512 hidden units, leaky ReLU, weight decay 0.01 (baseline "AE").

    Args and reference: as ``LinearAutoencoder``.
    """

    _weight_decay = 0.01

    def _layers(self, old: int, new: int) -> tuple[nn.Module, nn.Module]:
        def two(first: int, last: int) -> nn.Module:
            return nn.Sequential(nn.Linear(first, 512), nn.LeakyReLU(), nn.Linear(512, last))

        return two(old, new), two(new, old)


class Oracle(_Trained, LinearEstimator):
    r"""U trained on the images and labels themselves: what prompts could reach at best (baseline "Oracle").

    .. math:: L = -\frac1m \sum_i \log \frac{\exp(v'_i c_{l_i}^\top)}{\sum_j \exp(v'_i c_j^\top)}

    with a unit prototype :math:`c` per class; cosines are not scaled by a temperature.

    Args: as ``LinearAutoencoder``.

    Reference:
        Eq. 13.9.
    """

    def fit(self, prompts_or_embeddings: Any, y: Any = None) -> Self:
        """Learn U from image embeddings ``(m, r)`` and their labels ``y`` ``(m,)``."""
        rows = self._read(prompts_or_embeddings)
        classes, labels, _ = label_codes("y", y, len(rows))
        target, generator = torch.as_tensor(labels, device=rows.device), self._generator()
        new = positive_integer("n_components", self.n_components)
        if new > rows.shape[1]:
            raise value_error("n_components", f"at most the {rows.shape[1]} dimensions of the embeddings", new)
        components = draw_normal(rows, new, 0.1, generator).requires_grad_()
        prototypes = draw_normal(rows[:, :new], len(classes), 0.1, generator).requires_grad_()
        _train(
            [components, prototypes],
            lambda: F.cross_entropy(project(rows, components) @ F.normalize(prototypes, dim=1).T, target),
            lr=self.lr,
            patience=self.patience,
            max_iter=self.max_iter,
        )
        self.components_ = components.detach().cpu().numpy()
        return self


def _train(
    parameters: Iterable[Tensor],
    objective: Callable[[], Tensor],
    *,
    lr: float,
    patience: int,
    max_iter: int,
    weight_decay: float = 0.0,
) -> None:
    """Run full-batch Adam until ``patience`` iterations bring no lower loss, and go back to the best parameters."""
    lr, patience = positive_number("lr", lr), positive_integer("patience", patience)
    max_iter, parameters = positive_integer("max_iter", max_iter), list(parameters)
    optimizer = torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay)
    best, lowest, waited = [], float("inf"), 0
    for _ in range(max_iter):
        loss = objective()
        if loss.item() < lowest:
            best, lowest, waited = [parameter.detach().clone() for parameter in parameters], loss.item(), 0
        else:
            waited += 1
        if waited >= patience:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        for parameter, value in zip(parameters, best):
            parameter.copy_(value)
