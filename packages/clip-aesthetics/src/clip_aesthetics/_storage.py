"""Fitted probes as safetensors files that name their encoder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ._core import atomic_path, import_extra, value_error

_TENSORS = ("coef", "deviation", "cv_loss")


@dataclass(frozen=True, eq=False)
class FittedProbe:
    """What fitting a :class:`clip_aesthetics.LinearProbe` found.

    Attributes:
        coef: ``(d,)`` weights.
        deviation: ``(d,)`` standard deviations of the features.
        cv_loss: mean squared error, or log loss, of each strength on left-out folds.
        intercept: the intercept.
        alpha: the chosen strength.
        loss: ``"squared"`` or ``"logistic"``.
        normalize: whether features are brought to unit length.
        threshold: rating from which on an image is aesthetic.
        n_samples: number of images.
        range: lowest and highest rating.
        majority: accuracy of always predicting the more frequent class.
        encoder: identity of the encoder, ``None`` where it is not known.
    """

    coef: Tensor
    deviation: Tensor
    cv_loss: Tensor
    intercept: float
    alpha: float
    loss: Any
    normalize: bool
    threshold: float
    n_samples: int
    range: tuple[float, float]
    majority: float
    encoder: str | None


def save_probe(probe: FittedProbe, path: str | os.PathLike[str]) -> None:
    """Write a probe; the file appears whole or not at all."""
    safetensors = import_extra("safetensors.torch", package="clip-aesthetics", extra="safetensors")
    header = asdict(probe)
    tensors = {name: header.pop(name).contiguous() for name in _TENSORS}
    with atomic_path(path) as temporary:
        safetensors.save_file(tensors, temporary, metadata={"clip_aesthetics": json.dumps(header)})


def load_probe(path: str | os.PathLike[str]) -> FittedProbe:
    """Read a probe; a damaged file is a ``ValueError`` that names it."""
    safetensors = import_extra("safetensors", package="clip-aesthetics", extra="safetensors")
    if not Path(path).is_file():
        raise FileNotFoundError(f"path: expected a file, got {os.fspath(path)!r}")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["clip_aesthetics"])
            tensors = {name: file.get_tensor(name) for name in _TENSORS}
        low, high = header.pop("range")
        probe = FittedProbe(**tensors, **header, range=(low, high))
        if probe.coef.ndim != 1 or not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
            raise ValueError("weights that are not finite numbers (d,)")
        if probe.loss not in ("squared", "logistic"):
            raise ValueError(f"loss {probe.loss!r}")
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{os.fspath(path)!r} ({type(error).__name__}: {error})"
        raise value_error("path", "a file written by LinearProbe.save", reason) from error
    return probe
