"""torch and safetensors, or the error that says how to install them."""

import os

from ._core import atomic_path, import_extra

for _module in ("torch", "safetensors"):
    import_extra(_module, package="lexicon-weaklabel", extra="torch")

import torch  # noqa: E402
from safetensors import SafetensorError, safe_open  # noqa: E402
from safetensors.torch import save  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

__all__ = ["F", "Tensor", "nn", "read_tensors", "torch", "write_tensors"]


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a safetensors file; a broken one is a ``ValueError``."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def write_tensors(
    path: str | os.PathLike[str], tensors: dict[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write a safetensors file, whole or not at all."""
    with atomic_path(path) as temporary:
        # save_file would make a temporary file of its own, which stays when the process is killed.
        temporary.write_bytes(save(tensors, metadata))
