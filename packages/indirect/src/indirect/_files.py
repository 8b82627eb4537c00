"""Tensors and a JSON description in one safetensors file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ._core import atomic_path, value_error


def write_tensors(
    path: str | os.PathLike[str], file_format: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]
) -> None:
    """Write the tensors, and the metadata as JSON into the header of the file."""
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"format": file_format, "json": json.dumps(dict(metadata), sort_keys=True)}
    with atomic_path(path) as temporary:
        try:
            save_file(stored, temporary, metadata=header)
        except SafetensorError as error:
            raise OSError(f"{os.fspath(path)}: cannot be written: {error}") from error


def read_tensors(path: str | os.PathLike[str], file_format: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and metadata of a file of this format.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is another kind of file, or damaged.
    """
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != file_format:
                raise value_error(str(path), f"a file in the format {file_format!r}", header.get("format"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        try:
            return tensors, dict(json.loads(header["json"]))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise value_error(str(path), "a description in JSON", f"{type(error).__name__}: {error}") from error
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError) as error:
        raise value_error(str(path), f"a safetensors file in the format {file_format!r}", str(error)) from error
