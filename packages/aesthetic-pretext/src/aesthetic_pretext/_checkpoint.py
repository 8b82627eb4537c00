"""The state of a training run as one safetensors file: tensors as such, everything else as JSON in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ._core import atomic_path, value_error

LAST, BEST = "last.safetensors", "best.safetensors"  # in the folder of a run


def save_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    settings: Mapping[str, Any],
    state: Mapping[str, Any],
) -> None:
    """Write modules, the optimizer, the settings of a run and a JSON state; the file exists whole or not at all."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    saved = optimizer.state_dict()
    numbers: dict[str, Any] = {}
    for row, values in saved["state"].items():
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{row}.{key}"] = value
            else:
                numbers[f"{row}.{key}"] = value
    document = {
        "settings": dict(settings),
        "state": dict(state),
        "param_groups": saved["param_groups"],
        "numbers": numbers,
    }
    write_tensors(path, tensors, document)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Write tensors and a JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        # Tensors that share memory cannot be saved as they are.
        copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
        # save_file would make a temporary file of its own, which stays when the process is killed.
        temporary.write_bytes(save(copies, {"json": json.dumps(document)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the JSON document of a file.

    Raises:
        ValueError: the file is none of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        return tensors, json.loads(metadata["json"])
    except FileNotFoundError:
        raise
    except Exception as error:  # safetensors raises a bare subclass of it
        raise value_error(str(path), "a file that aesthetic-pretext wrote", str(error)) from error


def load_checkpoint(
    path: Path, modules: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Restore modules and the optimizer in place, and return the JSON state.

    Raises:
        ValueError: the file is none of ours, or of a run with other settings.
    """
    tensors, document = read_tensors(path)
    saved = document.get("settings", {})
    if saved != settings:
        other = {name: value for name, value in saved.items() if settings.get(name) != value}
        raise value_error(
            str(path), f"a run with { {name: settings.get(name) for name in other} }", f"one with {other}"
        )
    for name, module in modules.items():
        module.load_state_dict(_below(tensors, name))
    state: dict[int, dict[str, Any]] = {}
    for key, value in [*_below(tensors, "optimizer").items(), *document["numbers"].items()]:
        row, _, entry = key.partition(".")
        state.setdefault(int(row), {})[entry] = value
    optimizer.load_state_dict({"state": state, "param_groups": document["param_groups"]})
    result: dict[str, Any] = document["state"]
    return result


def _below(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
