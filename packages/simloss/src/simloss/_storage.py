"""Similarities as safetensors files that carry the class names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ._arguments import name_list
from ._checks import check_entries, check_square
from ._core import atomic_path, import_extra, value_error
from ._structured import AnySimilarity, OrdinalSimilarity, SparseSimilarity

if TYPE_CHECKING:
    from torch.types import Device


def save_similarity(
    similarity: AnySimilarity, path: str | os.PathLike[str], *, class_names: Iterable[str] | None = None
) -> None:
    """Write a similarity and the names of its classes to a safetensors file.

    The file appears whole or not at all. Its metadata has one entry, ``simloss``: JSON with the kind of the similarity,
    its scalar parameters and the class names.

    Args:
        similarity: similarities ``(c, c)``, :class:`simloss.OrdinalSimilarity` or :class:`simloss.SparseSimilarity`.
        path: file to write.
        class_names: ``c`` distinct names in the order of the classes.

    Raises:
        ValueError: the number of names is not the number of classes, or the matrix is no similarity.
        ImportError: safetensors is not installed: ``pip install "simloss[safetensors]"``.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = f"{folder}/grades.safetensors"
        ...     save_similarity(OrdinalSimilarity(3, 0.5), file, class_names=["A", "B", "C"])
        ...     load_similarity(file)
        (OrdinalSimilarity(num_classes=3, reduction_factor=0.5), ['A', 'B', 'C'])
    """
    safetensors = import_extra("safetensors.torch", package="simloss", extra="safetensors")
    header: dict[str, Any]
    tensors: dict[str, Tensor]
    if isinstance(similarity, OrdinalSimilarity):
        parameters = {"num_classes": similarity.num_classes, "reduction_factor": similarity.reduction_factor}
        header, tensors = {"kind": "ordinal", **parameters}, {}
    elif isinstance(similarity, SparseSimilarity):
        header, tensors = {"kind": "sparse"}, {"indices": similarity.indices, "values": similarity.values}
    else:
        check_square(similarity)
        check_entries("similarity", similarity)
        header, tensors = {"kind": "dense"}, {"similarity": similarity}
    if class_names is not None:
        header["class_names"] = _names_of(similarity, class_names)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        safetensors.save_file(tensors, temporary, metadata={"simloss": json.dumps(header, ensure_ascii=False)})


def load_similarity(path: str | os.PathLike[str], *, device: Device = None) -> tuple[AnySimilarity, list[str] | None]:
    """Read what :func:`save_similarity` wrote.

    A model's classes must be in the order of the names: compare them with those of the data set before training.

    Args:
        path: file to read.
        device: device of the result; the CPU when ``None``.

    Returns:
        The similarity, of the kind that was saved, and the class names in its order (``None`` if none were saved).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or was not written by :func:`save_similarity`; the message names it.
        ImportError: safetensors is not installed: ``pip install "simloss[safetensors]"``.
    """
    safetensors = import_extra("safetensors", package="simloss", extra="safetensors")
    if not Path(path).is_file():
        raise FileNotFoundError(f"path: expected a file, got {os.fspath(path)!r}")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["simloss"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        similarity = _restored(header, tensors)
        names = header.get("class_names")
        names = None if names is None else _names_of(similarity, names)
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        reason = f"{os.fspath(path)!r} ({type(error).__name__}: {error})"
        raise value_error("path", "a file written by save_similarity", reason) from error
    return similarity.to(device), names


def _restored(header: dict[str, Any], tensors: dict[str, Tensor]) -> AnySimilarity:
    """Return the similarity that ``header`` and ``tensors`` describe."""
    if header["kind"] == "ordinal":
        return OrdinalSimilarity(header["num_classes"], header["reduction_factor"])
    if header["kind"] == "sparse":
        return SparseSimilarity(tensors["indices"], tensors["values"])
    if header["kind"] == "dense":
        check_square(tensors["similarity"])
        check_entries("similarity", tensors["similarity"])
        return tensors["similarity"]
    raise value_error("kind", "'dense', 'ordinal' or 'sparse'", repr(header["kind"]))


def _names_of(similarity: AnySimilarity, class_names: Iterable[str]) -> list[str]:
    """Return the names as a list, one for each class of ``similarity``."""
    names = name_list("class_names", class_names)
    num_classes = len(similarity) if isinstance(similarity, Tensor) else similarity.num_classes
    if len(names) != num_classes:
        raise value_error("class_names", f"one name for each of {num_classes} classes", f"{len(names)} names")
    return names
