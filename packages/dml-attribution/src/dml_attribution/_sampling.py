"""SmoothGrad as a running sum over chunks of noise x images, so memory does not grow with the number of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypedDict

import torch
from torch import Tensor

from ._arrays import finite, flag, number, whole
from ._core import track, type_error, value_error

# A pass of four images keeps two CPU cores busy; accelerators want more.
_CPU_BATCH, _ACCELERATOR_BATCH = 4, 32
# Numbers per call of the generator: 4 MB, or one image's when it is larger.
_DRAWN = 2**20


class Sampling(TypedDict, total=False):
    """The options of one SmoothGrad run."""

    n_samples: int
    noise: float
    batch_size: int | None
    generator: torch.Generator | None
    progress: bool | None


def pass_size(batch_size: int | None, device: torch.device) -> int:
    """Return how many images one pass takes.

    Raises:
        ValueError: ``batch_size`` is no whole number of at least one.
    """
    if batch_size is None:
        return _CPU_BATCH if device.type == "cpu" else _ACCELERATOR_BATCH
    return whole("batch_size", batch_size, least=1)


def smooth_gradients(
    inputs: Tensor,
    embedding: Callable[[Tensor], Tensor],
    objective: Callable[[Tensor, Tensor], Tensor],
    per_sample: Callable[[Tensor], Tensor],
    *,
    n_samples: int = 50,
    noise: float = 0.15,
    batch_size: int | None = None,
    generator: torch.Generator | None = None,
    progress: bool | None = None,
) -> Tensor:
    """Return the mean over noise of ``per_sample(gradients)``, in float32 at least.

    Args:
        inputs: images ``(n, c, h, w)``.
        embedding: the model, ``(b, c, h, w) -> (b, d)``.
        objective: what is derived: from embeddings ``(b, d)`` and their rows ``(b,)`` in ``inputs`` to values ``(b,)``.
        per_sample: what is summed of the gradients ``(b, c, h, w)``.
        n_samples: noisy variants per image.
        noise: standard deviation of the noise, as a share of each image's range.
        batch_size: noisy images per pass.
        generator: start of the noise; it is read, not advanced.
        progress: see ``track``.
    """
    n_samples = whole("n_samples", n_samples, least=1)
    noise = number("noise", noise)
    if not 0 <= noise < float("inf"):
        raise value_error("noise", "a share of the image's range, at least 0", noise)
    if noise == 0:
        n_samples = 1  # without noise all samples are the same
    if not (generator is None or isinstance(generator, torch.Generator)):
        raise type_error("generator", "a torch.Generator", generator)
    if progress is not None:
        flag("progress", progress)
    size = min(pass_size(batch_size, inputs.device), len(inputs) * n_samples)
    images = (inputs.float() if inputs.dtype in (torch.float16, torch.bfloat16) else inputs).contiguous()
    passes = _noisy_passes(images, noise, n_samples, size, generator)
    layouts = _layouts(inputs)
    # Memory of a sum that comes after the first pass would lie between what the next passes allocate.
    total = torch.zeros_like(per_sample(images))

    def value(noisy: Tensor, rows: Tensor) -> Tensor:
        return objective(embedding(noisy), rows).sum()

    for rows, variants in track(passes, "attribution", total=-(-len(images) * n_samples // size), progress=progress):
        gradients, layouts = _gradients(value, variants.to(inputs.dtype), rows, layouts)
        values = per_sample(gradients.to(images.dtype, memory_format=torch.contiguous_format))
        total.index_add_(0, rows, values)
        del gradients, values  # before the next pass, for the same reason
    if not finite(total):
        raise value_error("forward_func", "finite embeddings and gradients", "NaN or infinity")
    return total / n_samples


def _noisy_passes(
    images: Tensor, noise: float, n_samples: int, size: int, generator: torch.Generator | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``size`` noisy variants at a time with their rows in ``images``; the next ones take the same memory.

    All images of all calls see the same draws, so neither the batch nor the model changes an image's noise.
    """
    source = torch.Generator(generator.device if generator else "cpu")
    if generator:
        source.set_state(generator.get_state())
    else:
        source.manual_seed(0)
    flat = images.flatten(1)
    clean = list(zip(images, noise * (flat.amax(dim=1) - flat.amin(dim=1))))
    memory = images.new_empty(size, *images.shape[1:])
    places = list(memory)
    rows: list[int] = []
    for draw in _draws(images, n_samples, source):
        for row, (image, deviation) in enumerate(clean):
            torch.addcmul(image, deviation, draw, out=places[len(rows)])
            rows.append(row)
            if len(rows) == size:
                yield torch.tensor(rows, device=images.device), memory.detach()
                rows.clear()
    if rows:
        yield torch.tensor(rows, device=images.device), memory[: len(rows)].detach()


def _draws(images: Tensor, n_samples: int, source: torch.Generator) -> Iterator[Tensor]:
    """Yield standard normal noise ``(c, h, w)``; neither the batch nor the pass decides how many are drawn at once."""
    shape = images.shape[1:]
    at_once = min(n_samples, max(1, _DRAWN // shape.numel()))
    memory = torch.empty(at_once, *shape, device=source.device, dtype=images.dtype)
    for start in range(0, n_samples, at_once):
        yield from memory[: n_samples - start].normal_(generator=source).to(images.device)


def _layouts(inputs: Tensor) -> Sequence[torch.memory_format]:
    """Return the memory formats to run the model in, the fastest first."""
    faster = inputs.device.type == "cpu" and inputs.dtype != torch.float64
    if faster or inputs.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last, torch.contiguous_format
    return (torch.contiguous_format,)


def _gradients(
    value: Callable[[Tensor, Tensor], Tensor], images: Tensor, rows: Tensor, layouts: Sequence[torch.memory_format]
) -> tuple[Tensor, Sequence[torch.memory_format]]:
    """Return the gradients of ``value`` with respect to ``images``, and the one of ``layouts`` that the model took."""
    *preferred, last = layouts
    for layout in preferred:
        # A model may refuse a format, by .view() for instance; an error of another kind comes again below.
        with suppress(RuntimeError):
            return _gradient(value, images, rows, layout), [layout]
    return _gradient(value, images, rows, last), [last]


def _gradient(
    value: Callable[[Tensor, Tensor], Tensor], images: Tensor, rows: Tensor, layout: torch.memory_format
) -> Tensor:
    images = images.contiguous(memory_format=layout).requires_grad_()
    result = value(images, rows)
    gradient = torch.autograd.grad(result, images, allow_unused=True)[0] if result.requires_grad else None
    if gradient is None:
        got = "an output without one (torch.no_grad, .detach(), integers, or an input that is not used)"
        raise value_error("forward_func", "a gradient path from its output to its input", got)
    return gradient
