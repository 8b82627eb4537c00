"""Maps of the pixels that move an embedding away from the embedding of another image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Unpack

import torch
from torch import Tensor

from ._arrays import finite, flag
from ._baseline import Baseline, Channels, black, matched
from ._captum import path_gradients
from ._core import type_error, value_error
from ._distances import Distance, DistanceName, resolve_distance
from ._measured import MeasuredModel, Objective
from ._model import Output, check_images, frozen
from ._postprocess import postprocess, scale
from ._sampling import Sampling, pass_size, smooth_gradients

Order = Literal["text", "channel_first"]


class EmbeddingAttribution:
    r"""Explain an embedding model by the pixels that move an image's embedding away from that of a black image.

    .. math:: s(I) = \frac{\partial\, d(f(I), f(I_\mathrm{black}))}{\partial I}, \qquad
        \hat s(I) = \frac{1}{l} \sum_{i=1}^{l} s(I + \mathcal{N}(0, \sigma^2))

    The model is any callable from images ``(n, c, h, w)`` to embeddings ``(n, d)``. A module, or the module that a
    bound method belongs to, runs in eval mode and is left exactly as it was.

    Args:
        forward_func: the model; of a tuple the first entry is the embedding.
        distance: name, or a function ``(n, d), (n, d) -> (n,)``. Similarities are negated. :data:`LOSS_DISTANCES` has
            the one that each loss trains.
        normalize_embeddings: measure between embeddings scaled to length one.
        baseline: ``"black"``, which is black *before* the model's normalisation and needs ``mean`` and ``std`` or
            ``transform``; or an image of the shape of one input, already normalised; or a function from the inputs to
            that image.
        reference: another image instead, of the shape of one input, or one per input: why are these two close or far?
        mean: mean of the model's normalisation: a number or one per channel. Images in [0, 1] have mean 0 and std 1.
        std: standard deviation of the model's normalisation, likewise.
        transform: what turns a PIL image into one input, in place of ``mean`` and ``std`` (extra ``images``).
        output: where the model's result holds the embedding: a key, an attribute's name or a function. Needed
            for results that are no tensor, such as ``output="pooler_output"``.

    Raises:
        ValueError: a distance or baseline is unknown, or it is unknown what black looks like to the model.

    Example:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2, bias=False))
        >>> model[1].weight.data = torch.tensor([[3.0, 0, 0, 0], [0, 1.0, 0, 0]])
        >>> attribution = EmbeddingAttribution(
        ...     model, distance="sqeuclidean", normalize_embeddings=False, mean=0.0, std=1.0)
        >>> attribution.attribute(torch.ones(1, 1, 2, 2), noise=0.0)
        tensor([[[1.0000, 0.1142],
                 [0.0000, 0.0000]]])

    Reference:
        Chapter 9, Eq. 9.1 and 9.2; Kobs et al. 2021, "Do different deep metric learning losses lead to similar learned
        features?" (ICCV).
    """

    def __init__(
        self,
        forward_func: Callable[[Tensor], Any],
        *,
        distance: DistanceName | Distance = "euclidean",
        normalize_embeddings: bool = True,
        baseline: Literal["black"] | Baseline = "black",
        reference: Tensor | None = None,
        mean: Channels | None = None,
        std: Channels | None = None,
        transform: Callable[[Any], Tensor] | None = None,
        output: Output | None = None,
    ) -> None:
        if not callable(forward_func):
            raise type_error("forward_func", "a function from images (n, c, h, w) to embeddings (n, d)", forward_func)
        self.transform = transform
        constant: Baseline | None = None
        if isinstance(baseline, Tensor) or callable(baseline):
            constant = baseline
        elif not isinstance(baseline, str):
            raise type_error("baseline", "'black', a tensor or a callable", baseline)
        elif baseline != "black":
            raise value_error("baseline", "'black', a tensor or a callable", repr(baseline))
        elif reference is None:
            constant = black(mean, std, transform)
        if not (output is None or isinstance(output, (int, str)) or callable(output)):
            raise type_error("output", "a key, the name of an attribute or a function", output)
        normalize = flag("normalize_embeddings", normalize_embeddings)
        self._model = MeasuredModel(forward_func, output, resolve_distance(distance), normalize, constant, reference)

    def attribute(
        self,
        inputs: Tensor,
        *,
        n_samples: int = 50,
        noise: float = 0.15,
        batch_size: int | None = None,
        order: Order = "text",
        generator: torch.Generator | None = None,
        progress: bool | None = None,
    ) -> Tensor:
        """Return how strongly each pixel moves the embedding.

        Args:
            inputs: images ``(n, c, h, w)`` as the model takes them. On a CPU, or when they are ``channels_last``, the
                noisy ones are ``channels_last``; a model that refuses this memory format gets contiguous ones.
            n_samples: noisy variants per image.
            noise: standard deviation of the noise, as a share of each image's range (max - min over its channels).
            batch_size: noisy images per pass; bounds the memory. By default 4 on a CPU and 32 elsewhere.
            order: ``"text"``: mean over the samples, absolute value, mean over the channels (:func:`postprocess`);
                ``"channel_first"``: mean over the channels, absolute value, mean over the samples, as in the
                published tables.
            generator: start of the noise, by default one with seed 0. It is read, not advanced: each image of each call
                and each model sees the same noise, so a batch equals single calls and models compare in pairs.
            progress: ``True`` shows a bar, ``None`` only in a terminal.

        Returns:
            Maps ``(n, h, w)`` in [0, 1], in the dtype of ``inputs``. An image that is the baseline itself has zeros.

        Raises:
            TypeError: ``inputs`` or the model's result is no tensor.
            ValueError: ``inputs`` is not ``(n, c, h, w)`` or not finite, an option is out of range, or the model has no
                gradient path from its output to its input.
        """
        sampling: Sampling = {
            "n_samples": n_samples,
            "noise": noise,
            "batch_size": batch_size,
            "generator": generator,
            "progress": progress,
        }
        inputs = check_images("inputs", inputs)
        with frozen(self._model.forward_func):
            return self._maps(inputs, self._model.others(inputs), order, sampling)

    def gradients(self, inputs: Tensor, **sampling: Unpack[Sampling]) -> Tensor:
        """Return the signed gradients ``(n, c, h, w)``, averaged over the noise (Eq. 9.2); see :meth:`attribute`."""
        inputs = check_images("inputs", inputs)
        with frozen(self._model.forward_func):
            objective = self._model.toward(self._model.others(inputs), sampling.get("batch_size"))
            return smooth_gradients(inputs, self._model.embedding, objective, _unchanged, **sampling).to(inputs.dtype)

    def pair(
        self, first: Tensor, second: Tensor, *, order: Order = "text", **sampling: Unpack[Sampling]
    ) -> tuple[Tensor, Tensor]:
        """Return the maps of both images of each pair: which pixels make these two close or far?

        Args:
            first: images ``(n, c, h, w)``.
            second: images ``(n, c, h, w)``.
            order: as in :meth:`attribute`.
            sampling: ``n_samples``, ``noise``, ``batch_size``, ``generator``, ``progress`` as in :meth:`attribute`.

        Returns:
            Maps ``(n, h, w)`` of ``first`` and of ``second``. Noise is on the image that is explained, never on both.
        """
        first, second = check_images("first", first), _partner("second", second, first)
        with frozen(self._model.forward_func):
            maps = self._maps(first, second, order, sampling)
            return maps, self._maps(second, first, order, sampling, swap=True)

    def triplet(
        self, anchor: Tensor, positive: Tensor, negative: Tensor, *, order: Order = "text", **sampling: Unpack[Sampling]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of ``d(anchor, positive) - d(anchor, negative)`` with respect to each of the three.

        Args:
            anchor: images ``(n, c, h, w)``.
            positive: images of the same class, of the same shape.
            negative: images of another class, of the same shape.
            order: as in :meth:`attribute`.
            sampling: ``n_samples``, ``noise``, ``batch_size``, ``generator``, ``progress`` as in :meth:`attribute`.

        Returns:
            Maps ``(n, h, w)`` of the anchor, the positive and the negative.
        """
        anchor = check_images("anchor", anchor)
        positive, negative = _partner("positive", positive, anchor), _partner("negative", negative, anchor)
        with frozen(self._model.forward_func):
            near, far = (self._model.toward(others, sampling.get("batch_size")) for others in (positive, negative))
            return (
                self._summarised(anchor, lambda one, rows: near(one, rows) - far(one, rows), order, sampling),
                self._maps(positive, anchor, order, sampling, swap=True),
                self._maps(negative, anchor, order, sampling, swap=True),
            )

    def integrated_gradients(self, inputs: Tensor, *, n_steps: int = 50, batch_size: int | None = None) -> Tensor:
        """Return captum's integrated gradients from the baseline (or reference) to each image (extra ``captum``).

        Args:
            inputs: images ``(n, c, h, w)``.
            n_steps: points on the straight path.
            batch_size: images per pass, as in :meth:`attribute`.

        Returns:
            Signed attributions ``(n, c, h, w)`` that sum to the distance between the image and its baseline;
            :func:`postprocess` turns them into maps.
        """
        inputs = check_images("inputs", inputs)
        with frozen(self._model.forward_func):
            others = self._model.others(inputs)
            constants = self._model.constants(others, batch_size)

            def distance(images: Tensor, targets: Tensor) -> Tensor:
                return self._model.distance(self._model.embedding(images), targets)

            size = pass_size(batch_size, inputs.device)
            return path_gradients(distance, inputs, others, constants, n_steps=n_steps, batch_size=size)

    def distances(self, inputs: Tensor, *, reference: Tensor | None = None, batch_size: int | None = None) -> Tensor:
        """Return the distance ``(n,)`` between each image of ``inputs`` and its baseline, or ``reference``.

        Args:
            inputs: images ``(n, c, h, w)``.
            reference: other images to measure against, of the shape of one input, or one per input.
            batch_size: images per pass, as in :meth:`attribute`.
        """
        inputs = check_images("inputs", inputs)
        others = self.baselines(inputs) if reference is None else matched("reference", reference, inputs, each=True)
        with frozen(self._model.forward_func):
            embeddings, constants = (self._model.constants(images, batch_size) for images in (inputs, others))
            distances = self._model.distance(embeddings, constants.expand_as(embeddings))
        if not finite(distances):
            raise value_error("distance", "finite values", "NaN or infinity")
        return distances

    def baselines(self, inputs: Tensor) -> Tensor:
        """Return the image that all inputs, or each of them, are measured against: ``(1 or n, c, h, w)``."""
        return self._model.others(check_images("inputs", inputs))

    def _maps(self, inputs: Tensor, others: Tensor, order: Order, sampling: Sampling, *, swap: bool = False) -> Tensor:
        objective = self._model.toward(others, sampling.get("batch_size"), swap=swap)
        maps = self._summarised(inputs, objective, order, sampling)
        # At distance zero only the noise has a gradient.
        return maps.masked_fill((inputs == others).flatten(1).all(dim=1).reshape(-1, 1, 1), 0)

    def _summarised(self, inputs: Tensor, objective: Objective, order: Order, sampling: Sampling) -> Tensor:
        if order == "text":
            maps = postprocess(smooth_gradients(inputs, self._model.embedding, objective, _unchanged, **sampling))
        elif order == "channel_first":
            maps = scale(smooth_gradients(inputs, self._model.embedding, objective, _channel_magnitude, **sampling))
        else:
            raise value_error("order", "'text' or 'channel_first'", repr(order))
        return maps.to(inputs.dtype)


def _unchanged(gradients: Tensor) -> Tensor:
    return gradients


def _channel_magnitude(gradients: Tensor) -> Tensor:
    return gradients.mean(dim=1).abs()


def _partner(argument: str, images: object, first: Tensor) -> Tensor:
    return matched(argument, check_images(argument, images), first, each=True).expand_as(first)
