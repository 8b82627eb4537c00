"""The user's model: its state, its output, its input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ._arrays import dense, finite
from ._core import shape_error, type_error, value_error

Output = int | str | Callable[[Any], Tensor]


@contextmanager
def frozen(forward_func: Callable[..., Any]) -> Iterator[None]:
    """Hold the model in eval mode without parameter gradients; leave every flag as it was, also after an exception.

    The model is ``forward_func`` or, for a bound method such as ``clip.encode_image``, the module it is bound to.
    """
    model = getattr(forward_func, "__self__", forward_func)
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [(module, module.training) for module in modules]
    # Frozen parameters keep the pass from saving what only their gradients need.
    trainable = [p for module in modules for p in module.parameters(recurse=False) if p.requires_grad]
    try:
        if isinstance(model, nn.Module) and any(mode for _, mode in modes):
            model.eval()
        for parameter in trainable:
            parameter.requires_grad_(False)
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for module, mode in modes:
            module.training = mode


def embed(forward_func: Callable[[Tensor], Any], inputs: Tensor, output: Output | None) -> Tensor:
    """Return the embeddings ``(n, d)`` of ``inputs``, in float32 at least.

    Raises:
        TypeError: the model's result is no tensor and ``output`` does not say where the embedding is.
        ValueError: the embedding is not ``(n, d)`` of floating-point numbers, or the result has no such ``output``.
    """
    returned = forward_func(inputs)
    result = _taken(returned, output)
    if not isinstance(result, Tensor):
        fields = f" out of {sorted(returned)}" if isinstance(returned, Mapping) else ""
        raise type_error("output", f"the key, attribute or function that takes the embedding{fields}", result)
    if not result.is_floating_point():
        raise value_error("forward_func", "floating-point embeddings, with a gradient path to the input", result.dtype)
    if result.ndim != 2 or len(result) != len(inputs):
        expected = "embeddings (n, d); pool others, such as output=lambda maps: maps.mean((2, 3))"
        raise shape_error("forward_func", expected, {"inputs": inputs.shape, "output": result.shape})
    return result.float() if result.dtype in (torch.float16, torch.bfloat16) else result


def _taken(returned: Any, output: Output | None) -> Any:
    if callable(output):
        return output(returned)
    try:
        if isinstance(output, str) and not isinstance(returned, Mapping):
            return getattr(returned, output)
        if output is not None:
            return returned[output]
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise value_error("output", f"what the model's {type(returned).__name__} has", repr(output)) from error
    return returned[0] if type(returned) in (tuple, list) and returned else returned


def check_images(argument: str, images: object) -> Tensor:
    """Return ``images`` detached when they are a batch ``(n, c, h, w)`` of finite floating-point numbers."""
    images = dense(argument, images)
    if images.ndim != 4 or 0 in images.shape:
        raise shape_error(argument, "a batch (n, c, h, w) with at least one image", {argument: images.shape})
    if not images.is_floating_point():
        raise value_error(argument, "images as the model takes them, in a floating-point dtype", images.dtype)
    if not finite(images):
        raise value_error(argument, "finite values", "NaN or infinity")
    return images
