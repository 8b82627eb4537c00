"""The test for background bias: how much worse is retrieval in front of other backgrounds?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from ._arguments import as_device, check_function, check_whole, length
from ._core import shape_error, track, type_error, value_error
from ._dataset import class_of
from ._draw import check_options, with_drawn_background
from ._images import Image, as_array, channels_first, dense, scaled, to_uint8
from ._map_at_r import map_at_r
from ._pools import BackgroundPool

Metric = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class BackgroundGap:
    """A metric on clean images and in front of other backgrounds.

    Attributes:
        clean: value on the images as they are.
        corrupted: one value per repeat, each with its own draw of backgrounds.
    """

    clean: float
    corrupted: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the corrupted values."""
        return float(np.mean(self.corrupted))

    @property
    def std(self) -> float:
        """Standard deviation of the corrupted values over the repeats (divided by their number)."""
        return float(np.std(self.corrupted))

    @property
    def drop(self) -> float:
        """Clean value minus mean corrupted value."""
        return self.clean - self.mean

    @property
    def relative_drop(self) -> float:
        """Drop as a share of the clean value; NaN where that is 0."""
        return self.drop / self.clean if self.clean else float("nan")

    def __str__(self) -> str:
        """Return one line in percent, as Table 11.1 has it."""
        return (
            f"clean {100 * self.clean:.2f}, corrupted {100 * self.mean:.2f} ± {100 * self.std:.2f}, "
            f"relative drop {self.relative_drop:.1%}"
        )


def background_gap(
    model: Callable[[Tensor], Any],
    dataset: Dataset[Any] | Sequence[Any],
    masks: Sequence[Image],
    pool: BackgroundPool,
    *,
    repeats: int = 5,
    metric: str | Metric = "map_at_r",
    transform: Callable[[Any], Tensor] | None = None,
    normalize: bool = True,
    batch_size: int = 64,
    device: str | torch.device = "cpu",
    seed: int = 0,
    progress: bool | None = None,
) -> BackgroundGap:
    """Measure a metric on the images as they are and, repeatedly, with their backgrounds replaced.

    Two models that are given the same arguments see the same images.

    Args:
        model: embeds ``(n, c, h, w)`` as ``(n, d)``. A module is set to eval mode and back.
        dataset: yields ``(image, label, ...)`` with images of a size that their masks have.
        masks: one mask per item.
        pool: backgrounds that the model was not trained with: ``training, test = pool.split(seed)``.
        repeats: number of draws of backgrounds.
        metric: ``"map_at_r"``, or a function of embeddings ``(n, d)`` and class numbers ``(n,)``, larger being better.
        transform: makes an input of the model of an image, after the replacement; by default arrays and PIL images
            become float tensors in [0, 1] and tensors stay as they are.
        normalize: give the metric embeddings of unit length.
        batch_size: number of images the model is given at once.
        device: where the model's input goes.
        seed: of the draws.
        progress: show a progress bar; by default only in a terminal.

    Returns:
        Clean and corrupted values with mean, standard deviation and relative drop.

    Raises:
        TypeError: an item is no ``(image, label, ...)``.
        ValueError: numbers of items and masks differ, inputs have several shapes, or the model returns anything but
            finite ``(n, d)``.

    Example:
        >>> from bgaugment import ListPool
        >>> items = [(np.full((2, 2, 3), colour, np.uint8), colour > 99) for colour in (10, 20, 200, 210)]
        >>> masks = [np.eye(2, dtype=bool)] * 4
        >>> pool = ListPool([np.full((2, 2, 3), colour, np.uint8) for colour in (0, 255)])
        >>> print(background_gap(lambda x: x.mean((2, 3)), items, masks, pool, normalize=False))
        clean 100.00, corrupted 70.00 ± 18.71, relative drop 30.0%

    Reference:
        Chapter 11, Section 11.1.1, Table 11.1.
    """
    items = cast(Sequence[Any], dataset)
    if length("dataset", dataset) != length("masks", masks):
        raise value_error("masks", f"{len(items)} masks for as many items", len(masks))
    check_whole("repeats", repeats, 1)
    check_whole("batch_size", batch_size, 1)
    check_whole("seed", seed, 0)
    check_function("transform", transform)
    device = as_device(device)
    if not callable(model):
        raise type_error("model", "a function or module", model)
    if metric != "map_at_r" and not callable(metric):
        raise value_error("metric", "'map_at_r' or a function of embeddings and labels", metric)
    score = metric if callable(metric) else map_at_r
    classes: dict[Any, int] = {}
    check_options(pool, 1.0)
    values = []
    training = isinstance(model, nn.Module) and model.training
    if isinstance(model, nn.Module):
        model.eval()
    try:
        for repeat in track(range(repeats + 1), "background gap", progress=progress):
            parts, labels = [], []
            for start in range(0, len(items), batch_size):
                inputs = []
                for index in range(start, min(start + batch_size, len(items))):
                    image, label = _image_and_label(items[index])
                    if repeat:
                        rng = np.random.default_rng([seed, repeat, index])
                        image = with_drawn_background(image, masks[index], pool, rng, index=index, label=label)
                    inputs.append(_to_input(image) if transform is None else transform(image))
                    labels.append(classes.setdefault(label, len(classes)))
                parts.append(_embed(model, _stacked(inputs).to(device)))
            embeddings = torch.cat(parts)
            embeddings = nn.functional.normalize(embeddings) if normalize else embeddings
            value: object = score(embeddings, torch.tensor(labels, device=embeddings.device))
            try:
                values.append(float(value))  # type: ignore[arg-type]
            except (TypeError, ValueError, RuntimeError):
                raise type_error("metric", "a function that returns a number", value) from None
    finally:
        if isinstance(model, nn.Module):
            model.train(training)
    return BackgroundGap(values[0], tuple(values[1:]))


def _image_and_label(item: Any) -> tuple[Any, Any]:
    if not isinstance(item, (tuple, list)) or len(item) < 2:
        raise type_error("dataset", "items (image, label, ...)", item)
    label = class_of(item[1])
    if getattr(label, "__hash__", None) is None or isinstance(label, Tensor):
        raise type_error("dataset", "a class as label of each item", label)
    return item[0], label


def _to_input(image: Image) -> Tensor:
    if isinstance(image, Tensor):
        return image
    return scaled(channels_first(to_uint8(as_array(image))), torch.float32)


def _stacked(inputs: list[Tensor]) -> Tensor:
    for one in inputs:
        dense("transform", one)
        if one.shape != inputs[0].shape:
            shapes = {"one": inputs[0].shape, "another": one.shape}
            raise shape_error("transform", "inputs of one shape (images of several sizes need a transform)", shapes)
    return torch.stack(inputs)


def _embed(model: Callable[[Tensor], Any], batch: Tensor) -> Tensor:
    with torch.inference_mode():
        embeddings = model(batch)
    if not isinstance(embeddings, Tensor):
        raise type_error("model", "a model that returns a tensor", embeddings)
    embeddings = dense("model", embeddings)
    if embeddings.ndim != 2 or len(embeddings) != len(batch):
        raise shape_error("model", "embeddings (n, d)", {"input": batch.shape, "output": embeddings.shape})
    if not embeddings.isfinite().all():
        raise value_error("model", "finite embeddings", "NaN or infinity")
    return embeddings.float()
