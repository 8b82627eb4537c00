"""Trained models as files: weights, and what they are the weights of."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import nn

from ._checkpoint import read_tensors, write_tensors
from ._core import import_extra, value_error
from ._model import PretextModel
from ._nima import NimaModel


def make_backbone(name: str) -> nn.Module:
    """Return an untrained backbone: ``torchvision:mobilenet_v2`` or ``timm:resnet18``, by the library's own names.

    Raises:
        ValueError: the name is unknown.
        ImportError: the library is missing.
    """
    library, _, model = name.partition(":")
    if library == "torchvision" and model:
        models = import_extra("torchvision.models", package="aesthetic-pretext", extra="vision")
        if model not in models.list_models():
            raise value_error("backbone", "one of torchvision.models.list_models()", repr(model))
        backbone: nn.Module = models.get_model(model, weights=None)
        return backbone
    if library == "timm" and model:
        timm = import_extra("timm", package="aesthetic-pretext", extra="timm")
        if not timm.is_model(model):
            raise value_error("backbone", "one of timm.list_models()", repr(model))
        named: nn.Module = timm.create_model(model, pretrained=False)
        return named
    raise value_error("backbone", "torchvision:<name> or timm:<name>", repr(name))


def save_model(path: str | os.PathLike[str], model: PretextModel | NimaModel, backbone: str) -> None:
    """Write a model whose backbone has a name of `make_backbone`."""
    tasks = list(model.tasks) if isinstance(model, PretextModel) else None
    write_tensors(Path(path), model.state_dict(), {"backbone": backbone, "tasks": tasks})


def load_model(path: str | os.PathLike[str]) -> tuple[PretextModel | NimaModel, str]:
    """Read a model that `save_model` wrote, and the name of its backbone.

    Raises:
        ValueError: the file is none of ours.
        OSError: there is no such file.
    """
    tensors, document = read_tensors(Path(path))
    if "backbone" not in document:
        raise value_error(str(path), "a model, such as pretrain or finetune writes", "another file of ours")
    backbone = make_backbone(document["backbone"])
    with torch.random.fork_rng([]):
        model = NimaModel(backbone) if document["tasks"] is None else PretextModel(backbone, document["tasks"])
    model.load_state_dict(tensors)
    return model, document["backbone"]
