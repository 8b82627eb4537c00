"""Whatever answers to a batch of images."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._core import shape_error, type_error, value_error


def as_function(model: Any) -> Callable[[NDArray[np.uint8]], Any]:
    """Return a function of images ``(n, h, w, 3)`` of uint8.

    A torch module and an ONNX session get float32 ``(n, 3, h, w)`` in [0, 1]; an estimator with ``predict`` gets one
    float32 row per image; any other callable gets the images.
    """
    torch = sys.modules.get("torch")  # a torch module exists only where torch is imported already
    if torch is not None and isinstance(model, torch.nn.Module):
        return lambda images: _ask_torch(torch, model, images)
    if hasattr(model, "get_inputs") and hasattr(model, "run"):
        name = model.get_inputs()[0].name
        return lambda images: model.run(None, {name: channels_first(images)})[0]
    if hasattr(model, "predict"):
        return lambda images: model.predict(images.reshape(len(images), -1).astype(np.float32) / 255)
    if not callable(model):
        raise type_error("model", "a callable, a torch module, an ONNX session or an estimator", model)
    return model  # type: ignore[no-any-return]


def channels_first(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return float32 images ``(n, 3, h, w)`` in [0, 1]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


def _ask_torch(torch: Any, model: Any, images: NDArray[np.uint8]) -> Any:
    first = next(model.parameters(), None)
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            batch = torch.from_numpy(channels_first(images))
            return model(batch if first is None else batch.to(first.device, first.dtype)).float().cpu().numpy()
    finally:
        model.train(training)


def check_answers(answers: Any, n: int, output: int | None) -> NDArray[np.float64]:
    """Return ``n`` finite numbers, or raise an error that says what the model answered instead."""
    try:
        array = np.asarray(answers, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise type_error("model", "numbers, one per image", answers) from error
    wanted = "one number per image, (n,) or (n, 1), or (n, c) and output="
    if array.ndim == 0 or len(array) != n or array.ndim > 2 or array.size == 0:
        raise shape_error("model", wanted, {"images": (n, "h", "w", 3), "answer": array.shape})
    if array.ndim == 2:
        outputs = array.shape[1]
        if output is None and outputs > 1:
            raise shape_error("model", wanted, {"images": (n, "h", "w", 3), "answer": array.shape})
        if output is not None and not 0 <= output < outputs:
            raise value_error("output", f"a column from 0 to {outputs - 1}", output)
        array = array[:, output or 0]
    if not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array))[0])
        raise value_error("model", "finite answers", f"{array[bad]} for image {bad} of a batch")
    return array
