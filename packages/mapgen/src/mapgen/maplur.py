"""MapLUR: the reference network that estimates air pollution from map images, and its training (extra ``torch``)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._checks import check_flag, check_number, check_numbers, check_type, check_whole
from ._core import import_extra, shape_error, track, type_error, value_error
from ._style import MAX_PX

import_extra("torch", package="mapgen", extra="torch")

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

POOLED_BLOCKS = (1, 3, 5, 7, 10, 13)


class MapLUR(nn.Module):
    """15 blocks of convolution (16 filters of 3 x 3), batch normalisation and ReLU, then 128 units and one output.

    Maximum pooling by 2 follows blocks 1, 3, 5, 7, 10 and 13. For the thesis' 224 pixels it has 52,097 parameters.

    Args:
        size_px: side of the images, at least 64, for which the head is built.

    Shape:
        Input ``(n, 3, size_px, size_px)`` in [0, 1]; output ``(n, 1)``.

    Example:
        >>> sum(parameter.numel() for parameter in MapLUR().parameters())
        52097

    Reference: Chapter 6, Figure 6.1; Steininger, Kobs, Zehe, Lautenschlager, Becker, Hotho: MapLUR (2020).
    """

    def __init__(self, size_px: int = 224) -> None:
        """Draw the initial weights from torch's generator."""
        super().__init__()
        size_px = check_whole("size_px", size_px, minimum=64, maximum=MAX_PX)  # six poolings leave one of 64 pixels
        self.size_px = size_px
        layers: list[nn.Module] = []
        for block in range(1, 16):
            layers += [nn.Conv2d(3 if block == 1 else 16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()]
            if block in POOLED_BLOCKS:
                layers.append(nn.MaxPool2d(2))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(16 * (size_px // 64) ** 2, 128), nn.ReLU(), nn.Linear(128, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return one estimate per image, ``(n, 1)``."""
        wanted = (3, self.size_px, self.size_px)
        if images.ndim != 4 or images.shape[1:] != wanted:
            raise shape_error("images", f"(n, {', '.join(map(str, wanted))})", {"images": images.shape})
        estimates: Tensor = self.head(self.layers(images))
        return estimates


@dataclass(frozen=True)
class Training:
    """Losses of a training run.

    Args:
        training: mean squared error per epoch, while the weights change.
        validation: mean squared error per epoch, after it.
        best_epoch: whose weights the model has, counted from 0.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    best_epoch: int


def train(
    model: nn.Module,
    images: NDArray[np.uint8],
    targets: ArrayLike,
    validation_images: NDArray[np.uint8],
    validation_targets: ArrayLike,
    *,
    epochs: int = 2000,
    batch_size: int = 400,
    learning_rate: float = 1e-4,
    patience: int = 20,
    seed: int = 0,
    progress: bool | None = None,
) -> Training:
    """Train with Adam on the mean squared error; the model ends with the weights of its best epoch.

    Each image is flipped and transposed at random, and training stops after ``patience`` epochs without a better
    validation error. Defaults are the thesis'.

    Args:
        model: ``MapLUR()`` or any network of ``(n, 3, h, w)`` with outputs ``(n, 1)``, on any device.
        images: ``(n, h, w, 3)`` of uint8, square.
        targets: ``(n,)``.
        validation_images: ``(m, h, w, 3)`` of uint8.
        validation_targets: ``(m,)``.
        epochs: at most so many.
        batch_size: images per step.
        learning_rate: of Adam.
        patience: epochs without improvement.
        seed: of the batches and the flips; initial weights are the model's own.
        progress: whether to show a bar; ``None`` in a terminal only.

    Reference: Chapter 6.
    """
    pixels, wanted = _examples("images", images, targets)
    held_out = _examples("validation_images", validation_images, validation_targets)
    epochs, patience = check_whole("epochs", epochs, minimum=1), check_whole("patience", patience, minimum=1)
    batch_size = check_whole("batch_size", batch_size, minimum=2)  # one image cannot be normalised
    check_number("learning_rate", learning_rate, above=0)
    check_flag("progress", progress, optional=True)
    device = _device(model)
    generator = torch.Generator().manual_seed(check_whole("seed", seed))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses, validated, best = [], [], copy.deepcopy(model.state_dict())
    for _ in track(range(epochs), "training", progress=progress):
        model.train()
        total = 0.0
        # A last batch of one image cannot be normalised.
        order = torch.randperm(len(pixels), generator=generator)
        batches = [batch for batch in order.split(batch_size) if len(batch) > 1]
        for batch in batches:
            inputs = _augment(_scaled(pixels[batch], device), generator)
            loss = nn.functional.mse_loss(_ask(model, inputs), wanted[batch].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / sum(map(len, batches)))
        validated.append(_error(model, *held_out, batch_size))
        if not math.isfinite(validated[-1]):
            wanted_rate = f"a rate whose error stays finite (it was {validated[-1]} after {len(validated)} epochs)"
            raise value_error("learning_rate", wanted_rate, learning_rate)
        if validated[-1] <= min(validated):
            best = copy.deepcopy(model.state_dict())
        elif len(validated) - int(np.argmin(validated)) > patience:
            break
    model.load_state_dict(best)
    model.eval()
    return Training(tuple(losses), tuple(validated), int(np.argmin(validated)))


def _device(model: nn.Module) -> torch.device:
    check_type("model", model, nn.Module, "a torch module")
    first = next(model.parameters(), None)
    if first is None:
        raise type_error("model", "a torch module with parameters to train", model)
    return first.device


def _ask(model: nn.Module, inputs: Tensor) -> Tensor:
    # Convolutions of few filters are a third faster with the channels of a pixel side by side.
    answers = model(inputs.contiguous(memory_format=torch.channels_last))
    if not isinstance(answers, Tensor) or answers.shape != (len(inputs), 1):
        got = answers.shape if isinstance(answers, Tensor) else type(answers).__name__
        raise shape_error("model", "one answer per image, (n, 1)", {"images": inputs.shape, "answer": got})
    return answers[:, 0]


def _examples(argument: str, images: NDArray[np.uint8], targets: ArrayLike) -> tuple[Tensor, Tensor]:
    name = argument.replace("images", "targets")
    wanted = check_numbers(name, targets)
    if (np.abs(wanted) > np.finfo(np.float32).max).any():
        raise value_error(name, "numbers of single precision", f"{np.abs(wanted).max():g}")
    wanted = wanted.astype(np.float32)
    check_type(argument, images, np.ndarray, "an array of images")
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3 or images.dtype != np.uint8:
        raise shape_error(argument, "square images (n, h, w, 3) of uint8", {argument: images.shape})
    if wanted.shape != images.shape[:1] or len(wanted) < 2:
        shapes = {"images": images.shape, "targets": wanted.shape}
        raise shape_error(argument, "two or more, with one target each", shapes)
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))), torch.from_numpy(wanted)


def _scaled(pixels: Tensor, device: torch.device) -> Tensor:
    return pixels.to(device).float() / 255


def _augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Flip left-right, flip top-bottom and transpose, each for a random half of the images."""
    chosen = torch.rand(3, len(images), 1, 1, 1, generator=generator).to(images.device) < 0.5
    images = torch.where(chosen[0], images.flip(-1), images)
    images = torch.where(chosen[1], images.flip(-2), images)
    return torch.where(chosen[2], images.transpose(-1, -2), images)


@torch.inference_mode()
def _error(model: nn.Module, pixels: Tensor, targets: Tensor, batch_size: int) -> float:
    model.eval()
    device = _device(model)
    parts: Sequence[Any] = [_ask(model, _scaled(batch, device)).cpu() for batch in pixels.split(batch_size)]
    return nn.functional.mse_loss(torch.cat(list(parts)), targets).item()
