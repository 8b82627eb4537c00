"""Masks of a salient-object network: torch or ONNX, from a local file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ._arguments import as_device, as_path, check_whole, length
from ._core import import_extra, shape_error, type_error, value_error
from ._images import Array, ImageSource, dense, read_image

Network: TypeAlias = Callable[[Tensor], Any]


class ModelMasks:
    """Masks of a network that takes ``(n, 3, size, size)`` and returns the saliency of each pixel.

    An image is resized to a square, divided by 255 (or by its own maximum), and normalised. Of a tuple or list of
    outputs the first is used; it is stretched to [0, 1] by its minimum and maximum and resized back, both bilinear.
    A constant output is not stretched.

    Args:
        network: a torch module in eval mode, `onnx_network`, or any other callable on a float32 batch.
        size: side of the network's input in pixels.
        mean: subtracted from each channel, on a scale of 0 to 1.
        std: each channel is divided by it.
        by_maximum: divide by the brightest value of the image instead of by 255.
        device: where the network's input goes.
        name: what the network is, for the `MaskStore`.

    Raises:
        ValueError: the network is in training mode, or its output is no ``(n, 1, h, w)``, or not finite.

    Example:
        >>> brightness = ModelMasks(lambda x: x.mean(1, keepdim=True), size=2, mean=(0.5,) * 3, std=(1,) * 3)
        >>> image = np.array([[[0, 0, 0], [50, 50, 50]], [[100, 100, 100], [100, 100, 100]]], np.uint8)
        >>> brightness([image])[0].round(2)
        array([[0. , 0.5],
               [1. , 1. ]], dtype=float32)

    Reference:
        Qin et al., "U2-Net: going deeper with nested U-structure for salient object detection" (2020).
    """

    def __init__(
        self,
        network: Network,
        *,
        size: int,
        mean: Sequence[float],
        std: Sequence[float],
        by_maximum: bool = False,
        device: str | torch.device = "cpu",
        name: str = "model",
    ) -> None:
        if isinstance(network, nn.Module) and network.training:
            raise value_error("network", "a module in eval mode (call network.eval())", "training mode")
        if not callable(network):
            raise type_error("network", "a function or module", network)
        check_whole("size", size, 1, 2**15)
        self.network, self.size, self.by_maximum, self.device = network, size, by_maximum, as_device(device)
        self.mean, self.std = (_per_channel(name, v) for name, v in {"mean": mean, "std": std}.items())
        self.name = name

    @classmethod
    def u2net(cls, network: Network, *, device: str | torch.device = "cpu", name: str = "u2net") -> ModelMasks:
        """Return the provider for U2-Net: 320 pixels, ImageNet's mean and deviation, divided by the maximum."""
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        return cls(network, size=320, mean=mean, std=std, by_maximum=True, device=device, name=name)

    @classmethod
    def isnet(cls, network: Network, *, device: str | torch.device = "cpu", name: str = "isnet") -> ModelMasks:
        """Return the provider for ISNet (DIS): 1024 pixels, values in [-0.5, 0.5]."""
        return cls(network, size=1024, mean=(0.5,) * 3, std=(1,) * 3, device=device, name=name)

    def __call__(self, images: Sequence[ImageSource]) -> list[Array]:
        """Return the network's masks."""
        if not length("images", images):
            return []
        arrays = [read_image(image) for image in images]
        if empty := [array.shape for array in arrays if not array.size]:
            raise shape_error("images", "at least one pixel", {"image": empty[0]})
        batch = torch.stack([self._prepared(array) for array in arrays]).to(self.device)
        with torch.inference_mode():
            output = self.network(batch)
        while isinstance(output, (tuple, list)) and output:
            output = output[0]
        output = dense("network", output).detach()
        if output.ndim != 4 or output.shape[:2] != (len(arrays), 1) or not output.numel():
            raise shape_error("network", "an output (n, 1, h, w)", {"input": batch.shape, "output": output.shape})
        if not output.isfinite().all():
            raise value_error("network", "a finite output", "NaN or infinity")
        return [_restored(saliency, array.shape[:2]) for saliency, array in zip(output.float().cpu(), arrays)]

    def _prepared(self, array: Array) -> Tensor:
        pixels = torch.tensor(array).movedim(-1, 0).float()
        square = interpolate(pixels[None], (self.size, self.size), mode="bilinear", antialias=True)[0]
        scale = square.max().clamp_min(1e-6) if self.by_maximum else 255
        return (square / scale - self.mean) / self.std


def _per_channel(argument: str, values: Sequence[float]) -> Tensor:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        raise value_error(argument, "three numbers", values) from None
    if len(numbers) != 3:
        raise value_error(argument, "three numbers", values)
    return torch.tensor(numbers)[:, None, None]


def _restored(saliency: Tensor, size: tuple[int, ...]) -> Array:
    least, largest = saliency.min(), saliency.max()
    stretched = (saliency - least) / (largest - least) if largest > least else saliency
    mask = interpolate(stretched[None], size, mode="bilinear", antialias=True)[0, 0]
    return mask.clamp(0, 1).numpy()


def onnx_network(path: str | os.PathLike[str], *, providers: Sequence[Any] | None = None, threads: int = 0) -> Network:
    """Return the network of a local ONNX file for `ModelMasks`: ``ModelMasks.u2net(onnx_network("u2net.onnx"))``.

    Args:
        path: the file.
        providers: onnxruntime's execution providers, names or ``(name, options)``, the preferred first. ``None`` is
            CUDA where the installed onnxruntime has it, and the CPU.
        threads: of one run; 0 leaves it to onnxruntime.

    Raises:
        ValueError: there is no such file, it is no network that onnxruntime reads, this onnxruntime does not have a
            provider, or ``threads`` is negative; from the network, when it does not take the images.
        ImportError: onnxruntime is not installed.
    """
    if not as_path("path", path).is_file():
        raise value_error("path", "an ONNX file", os.fspath(path))
    check_whole("threads", threads, 0)
    runtime = import_extra("onnxruntime", package="bgaugment", extra="onnx")
    chosen = _chosen(providers, runtime.get_available_providers())
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session = runtime.InferenceSession(os.fspath(path), options, providers=chosen)
    # The errors of onnxruntime have no class in common.
    except Exception as error:
        raise value_error("path", "an ONNX file", f"{os.fspath(path)} ({error})") from error
    entrance, exit_ = session.get_inputs()[0].name, session.get_outputs()[0].name

    def network(batch: Tensor) -> Tensor:
        # Many exported networks have a batch size of one built in.
        try:
            outputs = [session.run([exit_], {entrance: one[None].cpu().numpy()})[0] for one in batch]
        except Exception as error:
            got = f"{tuple(batch.shape[1:])} ({' '.join(str(error).split())})"
            raise value_error("network", "an input that the ONNX file takes", got) from error
        return torch.from_numpy(np.concatenate(outputs))

    return network


def _chosen(providers: Sequence[Any] | None, available: Sequence[str]) -> list[Any]:
    if providers is None:
        return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]
    if not isinstance(providers, (list, tuple)):
        raise type_error("providers", "a list of execution providers", providers)
    # onnxruntime would warn and take another one.
    if not providers or not all((one[0] if isinstance(one, tuple) and one else one) in available for one in providers):
        raise value_error("providers", f"a list of {', '.join(available)}", providers)
    return list(providers)


def fingerprint(path: str | os.PathLike[str]) -> str:
    """Return the file's name with the beginning of its hash, to name a provider by."""
    with Path(path).open("rb") as file:
        return f"{Path(path).name} {hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"
