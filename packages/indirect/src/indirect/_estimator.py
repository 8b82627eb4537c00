"""What the estimator and its baselines share: parameters, encoders and types, as scikit-learn expects them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ._arrays import like, to_tensor
from ._core import type_error, value_error
from ._encoder import Encoder
from ._prompts import Prompts
from ._store import EmbeddingStore


class Estimator:
    """Base of all models: fitted on text prompts or their embeddings, applied to images or theirs.

    A subclass stores the arguments of its constructor under their own names, among them ``encoder``, and implements
    ``_fit(rows)`` and ``_project(rows)`` on float tensors ``(n, r)``.
    """

    _estimator_type: ClassVar[str] = "transformer"
    encoder: Encoder | None
    random_state: int | torch.Generator | None
    n_features_in_: int
    encoder_identity_: str | None
    prompts_: list[str] | None

    def fit(self, prompts_or_embeddings: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Learn the embedding.

        Args:
            prompts_or_embeddings: ``Prompts`` or a list of texts, which ``encoder`` embeds; or text embeddings
                ``(n, r)``, array or tensor.
            y: ignored, for pipelines.

        Returns:
            The estimator itself.
        """
        self._fit(self._read(prompts_or_embeddings))
        return self

    def transform(self, images_or_embeddings: Any) -> Any:
        """Return the embeddings of images.

        Args:
            images_or_embeddings: image embeddings ``(m, r)``, array or tensor; an ``EmbeddingStore`` made by the
                encoder of the prompts; or a list of PIL images, which ``encoder`` embeds.

        Returns:
            Unit rows ``(m, r')``: an array for arrays and stores, a tensor (with gradients) for tensors and images.

        Raises:
            RuntimeError: not fitted.
            ValueError: another number of dimensions, NaN, zero rows, or a store made by another encoder.
        """
        self._check_fitted()
        if isinstance(images_or_embeddings, EmbeddingStore):
            return self._transform_store(images_or_embeddings)
        embeddings = images_or_embeddings
        if is_images(embeddings):
            encoder = self._encoder()
            self._check_identity("encoder", encoder.identity)
            embeddings = encoder.encode_image(embeddings)
        rows = to_tensor("images_or_embeddings", embeddings, columns=self.n_features_in_)
        return like(self._project(rows), embeddings)

    def fit_transform(self, prompts_or_embeddings: Any, y: Any = None) -> Any:
        """Fit, and return the embeddings of the same rows; for texts, those of the texts."""
        self.fit(prompts_or_embeddings, y)
        texts = self.prompts_
        return self.transform(prompts_or_embeddings if texts is None else self._encoder().encode_text(texts))

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's signature
        """Return the arguments of the constructor."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor."""
        for name, value in params.items():
            if name not in self.get_params():
                raise value_error("params", f"names out of {list(self.get_params())}", name)
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Return the constructor call, without the arguments that have their default."""
        parameters = inspect.signature(type(self)).parameters
        given = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if name != "encoder" and value is not parameters[name].default and value != parameters[name].default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn whether ``fit`` was called."""
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of an ordinary transformer."""
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
        )

    def _read(self, prompts_or_embeddings: Any) -> Tensor:
        """Return the unit rows to learn from, and remember what they are."""
        texts = as_texts(prompts_or_embeddings)
        embeddings = prompts_or_embeddings if texts is None else self._encoder().encode_text(texts)
        rows = to_tensor("prompts_or_embeddings", embeddings).detach()
        self.prompts_ = texts
        self.encoder_identity_ = self.encoder.identity if self.encoder is not None else None
        self.n_features_in_ = rows.shape[1]
        return F.normalize(rows, dim=1)

    def _fit(self, rows: Tensor) -> None:
        raise NotImplementedError

    def _project(self, rows: Tensor) -> Tensor:
        raise NotImplementedError

    def _transform_store(self, store: EmbeddingStore) -> Any:
        self._check_identity("store", store.encoder_identity)
        parts = [like(self._project(to_tensor("store", part, columns=self.n_features_in_)), None) for part in store]
        return np.concatenate(parts).astype(np.float32, copy=False)

    def _check_identity(self, argument: str, identity: str) -> None:
        if self.encoder_identity_ is not None and identity != self.encoder_identity_:
            raise value_error(argument, f"vectors of the encoder of the prompts ({self.encoder_identity_})", identity)

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise RuntimeError(f"this {type(self).__name__} is not fitted: call fit first")

    def _encoder(self) -> Encoder:
        if self.encoder is None:
            raise value_error("encoder", "an encoder, because texts or images were given instead of embeddings", None)
        return self.encoder

    def _generator(self) -> torch.Generator:
        """Return the generator that ``random_state`` stands for; draws are made on the CPU, so devices agree."""
        if isinstance(self.random_state, torch.Generator):
            return self.random_state
        generator = torch.Generator()
        if self.random_state is None:
            generator.seed()
        elif isinstance(self.random_state, (int, np.integer)):
            if not -(2**63) <= self.random_state < 2**64:
                raise value_error("random_state", "a whole number of 64 bits", self.random_state)
            generator.manual_seed(int(self.random_state))
        else:
            raise type_error("random_state", "a whole number, a torch.Generator or None", self.random_state)
        return generator


class SeededEstimator(Estimator):
    """An estimator of so many dimensions that depends on what is drawn."""

    def __init__(
        self,
        n_components: int = 128,
        *,
        random_state: int | torch.Generator | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self.n_components = n_components
        self.random_state = random_state
        self.encoder = encoder


def as_texts(given: Any) -> list[str] | None:
    """Return the texts if texts were given, and None for embeddings."""
    if isinstance(given, Prompts):
        return list(given)
    if isinstance(given, str):
        raise type_error("prompts_or_embeddings", "a list of texts, Prompts or embeddings (n, r)", given)
    if isinstance(given, Sequence) and any(isinstance(text, str) for text in given):
        return list(Prompts(given))
    return None


def is_images(given: Any) -> bool:
    """Return whether a list of PIL images was given."""
    return isinstance(given, Sequence) and len(given) > 0 and hasattr(given[0], "getexif")
