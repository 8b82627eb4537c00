"""A linear model of ratings on frozen features."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor

from . import _logistic, _ridge
from ._arrays import Array, as_matrix, as_number, as_numbers, as_vector, given_back, unit_rows
from ._core import shape_error, value_error
from ._encoder import Encoder, embeddings_of, identity_of
from ._moments import Moments
from ._scores import AestheticScores
from ._solution import Solution
from ._storage import FittedProbe, load_probe, save_probe

if TYPE_CHECKING:
    from typing import Self

Loss: TypeAlias = Literal["squared", "logistic"]
_ALPHAS = tuple(10.0**power for power in range(-6, 5))


class LinearProbe:
    r"""Predict mean ratings from the frozen features of images.

    .. math:: \hat y = w \cdot x + b, \qquad \min_{w, b} \|y - X w - b\|^2 + \alpha s \|w\|^2

    ``s`` is the mean eigenvalue of the features' scatter matrix, so that ``alpha`` needs no scale. The squared loss is
    solved in closed form from sufficient statistics: ``partial_fit`` sees each batch once and keeps ``folds`` matrices
    ``(d + 1, d + 1)``, however many images there are. The strength has the least squared error on left-out folds,
    computed from the same statistics.

    Args:
        encoder: the encoder of the features, or its identity. Only with an encoder can ``score`` take images; it is
            then asked for the activations before its projection, as the thesis does.
        normalize: bring features to unit length first; the thesis takes them raw.
        threshold: an image is aesthetic when its rating is at least this.
        loss: ``"squared"`` predicts the rating; ``"logistic"`` the probability that the image is aesthetic, from
            standardised features that all have to fit in memory.
        alphas: strengths to choose from, positive.
        folds: number of cross-validation folds; row ``i`` or group ``i`` is in fold ``i % folds``.

    Attributes:
        coef_: ``(d,)`` weights, a tensor in double precision.
        intercept_: the intercept.
        standardized_coef_: ``(d,)`` weights times the standard deviation of their features (Figure 12.3).
        alpha_: the chosen strength.

    :meth:`fitted` has the rest: losses on left-out folds, number of images, their range and the majority baseline.

    Example:
        >>> import torch
        >>> from clip_aesthetics import LinearProbe
        >>> generator = torch.Generator().manual_seed(0)
        >>> features = torch.randn(2000, 8, generator=generator)
        >>> ratings = 5.5 + features @ torch.linspace(0, 0.7, 8) + 0.3 * torch.randn(2000, generator=generator)
        >>> probe = LinearProbe()
        >>> for start in range(0, 2000, 500):
        ...     probe = probe.partial_fit(features[start : start + 500], ratings[start : start + 500])
        >>> probe.coef_
        tensor([0.0020, 0.0960, 0.2094, 0.3019, 0.4055, 0.5088, 0.5851, 0.7051],
               dtype=torch.float64)
        >>> probe.score(features[:2]).aesthetic
        tensor([False,  True])

    Reference:
        Chapter 12, Section 12.1.2.
    """

    def __init__(
        self,
        encoder: Encoder | str | None = None,
        *,
        normalize: bool = False,
        threshold: float = 5.0,
        loss: Loss = "squared",
        alphas: Sequence[float] = _ALPHAS,
        folds: int = 5,
    ) -> None:
        """Store the options."""
        if loss not in get_args(Loss):
            raise value_error("loss", "'squared' or 'logistic'", loss)
        if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds < 2**63:
            raise value_error("folds", "a whole number of at least 2", folds)
        strengths = as_vector("alphas", alphas)
        if (strengths <= 0).any():
            raise value_error("alphas", "positive numbers", list(alphas))
        self._encoder = None if isinstance(encoder, str) else encoder
        self.encoder = identity_of(encoder)
        self.normalize, self.threshold, self.loss = normalize, as_number("threshold", threshold), loss
        self.alphas, self.folds = tuple(alphas), folds
        self._fitted: FittedProbe | None = None
        self._reset()

    def fit(self, features: Array, ratings: Array, *, groups: Array | None = None) -> Self:
        """Fit from scratch.

        Args:
            features: ``(n, d)``.
            ratings: ``(n,)`` mean ratings.
            groups: ``(n,)`` integers; images of one group, such as versions of one photograph, share a fold.

        Returns:
            The probe itself.

        Raises:
            TypeError, ValueError: arguments that do not fit; the message names them.
        """
        self._reset()
        if self.loss == "squared":
            return self.partial_fit(features, ratings, groups=groups)
        rows, truth, fold = self._checked(features, ratings, groups)
        labels = (truth >= self.threshold).double()
        if len(labels.unique()) < 2:
            raise value_error("ratings", f"ratings on both sides of the threshold {self.threshold:g}", "one side")
        self._note(truth)
        self._fitted = self._with_context(_logistic.fit(rows, labels, fold, self._strengths()))
        return self

    def partial_fit(self, features: Array, ratings: Array, *, groups: Array | None = None) -> Self:
        """Add a batch; the weights are solved for when they are next asked for. Arguments as in :meth:`fit`."""
        if self.loss != "squared":
            raise value_error("loss", "'squared' for partial_fit", self.loss)
        if self._fitted is not None and not self._moments:
            raise value_error("probe", "a new probe for partial_fit, since files have no statistics", "a loaded one")
        rows, truth, fold = self._checked(features, ratings, groups)
        joint = torch.cat([rows, truth[:, None]], dim=1)
        for known in self._moments.values():
            if len(known.mean) != joint.shape[1]:
                raise shape_error("features", f"(n, {len(known.mean) - 1}), as before", {"features": rows.shape})
        for number in fold.unique().tolist():
            moments = Moments.of(joint[fold == number])
            self._moments[number] = self._moments[number] + moments if number in self._moments else moments
        self._note(truth)
        self._fitted = None
        return self

    def predict(self, features: Sequence[Any] | Array) -> Array:
        """Return ratings, or probabilities for the logistic loss, ``(n,)``.

        Args:
            features: ``(n, d)``, or images that the encoder takes.
        """
        fitted = self.fitted()
        rows = self._prepared(embeddings_of(features, self._encoder, projected=False))
        if rows.shape[1] != len(fitted.coef):
            raise shape_error("features", f"(n, {len(fitted.coef)}), as in fit", {"features": rows.shape})
        values = rows @ fitted.coef.to(rows) + fitted.intercept
        return given_back(values.sigmoid() if fitted.loss == "logistic" else values, features)

    def score(self, images: Sequence[Any] | Array) -> AestheticScores:
        """Return the scores of images, or of their features ``(n, d)``, as :class:`AestheticScores`."""
        fitted = self.fitted()
        values = self.predict(images)
        if fitted.loss == "logistic":
            return AestheticScores(values, values >= 0.5, (0.0, 1.0), "probability", self.encoder)
        return AestheticScores(values, values >= fitted.threshold, fitted.range, "rating", self.encoder)

    def fitted(self) -> FittedProbe:
        """Return everything that fitting found, solving for it where that is still to do."""
        if self._fitted is None:
            if not self._moments:
                raise value_error("probe", "a probe after fit or partial_fit", "one before")
            folds = [self._moments[number] for number in sorted(self._moments)]
            self._fitted = self._with_context(_ridge.fit(folds, self._strengths()))
        return self._fitted

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted probe, with the identity of its encoder, as safetensors (extra ``safetensors``)."""
        save_probe(self.fitted(), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, encoder: Encoder | str | None = None) -> Self:
        """Read what :meth:`save` wrote.

        Args:
            path: file to read.
            encoder: encoder of the images to score, or its identity.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged or no probe, or was fitted on the features of another encoder.
        """
        fitted = load_probe(path)
        if encoder is not None and fitted.encoder is not None and identity_of(encoder) != fitted.encoder:
            raise value_error("encoder", f"the one of the probe, {fitted.encoder!r}", repr(identity_of(encoder)))
        probe = cls(
            fitted.encoder if encoder is None else encoder,
            normalize=fitted.normalize,
            threshold=fitted.threshold,
            loss=fitted.loss,
        )
        probe._fitted = fitted
        return probe

    @property
    def coef_(self) -> Tensor:
        """The weights ``(d,)``."""
        return self.fitted().coef

    @property
    def intercept_(self) -> float:
        """The intercept."""
        return self.fitted().intercept

    @property
    def standardized_coef_(self) -> Tensor:
        """The weights times the standard deviations of their features ``(d,)``."""
        return self.fitted().coef * self.fitted().deviation

    @property
    def alpha_(self) -> float:
        """The chosen strength."""
        return self.fitted().alpha

    def _reset(self) -> None:
        self._moments: dict[int, Moments] = {}
        self._fitted = None
        self._n, self._aesthetic = 0, 0
        self._range = (float("inf"), -float("inf"))

    def _note(self, truth: Tensor) -> None:
        self._n += len(truth)
        self._aesthetic += int((truth >= self.threshold).sum())
        self._range = min(self._range[0], truth.min().item()), max(self._range[1], truth.max().item())

    def _prepared(self, features: Tensor) -> Tensor:
        return unit_rows("features", features) if self.normalize else features

    def _checked(self, features: Array, ratings: Array, groups: Array | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return features and ratings in double precision, and the fold of each row."""
        # Double precision does not exist on every device; the statistics are small and live on the CPU.
        rows = self._prepared(as_matrix("features", features)).cpu().double()
        truth = as_vector("ratings", ratings).cpu().double()
        if len(truth) != len(rows):
            shapes = {"ratings": truth.shape, "features": rows.shape}
            raise shape_error("ratings", "one rating per row of features", shapes)
        if groups is None:
            return rows, truth, (torch.arange(len(rows)) + self._n) % self.folds
        numbers = as_numbers("groups", groups).cpu()
        if numbers.shape != truth.shape or (numbers != numbers.round()).any():
            raise shape_error("groups", "one whole number per row of features", {"groups": numbers.shape})
        return rows, truth, numbers.long() % self.folds

    def _strengths(self) -> Tensor:
        return torch.tensor(self.alphas, dtype=torch.float64)

    def _with_context(self, solution: Solution) -> FittedProbe:
        share = self._aesthetic / self._n
        return FittedProbe(
            **solution._asdict(),
            loss=self.loss,
            normalize=self.normalize,
            threshold=self.threshold,
            n_samples=self._n,
            range=self._range,
            majority=max(share, 1 - share),
            encoder=self.encoder,
        )
