"""A model on disk: ``model-<hash>.safetensors`` with the numbers and ``model.json`` with everything else."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from ._checks import as_path
from ._core import atomic_path, value_error
from ._model import Model
from ._network import FieldCNN
from ._text import Vocabulary

FORMAT = 2


def save(folder: str | os.PathLike[str], parameters: Mapping[str, Any], model: Model) -> None:
    """Write both files, so that a folder holds one whole model at any time: the one before or this one."""
    path = as_path("folder", folder)
    path.mkdir(parents=True, exist_ok=True)
    counts = {"venue_papers": model.venue_papers, "word_papers": model.word_papers}
    tensors = {name: value.cpu().contiguous() for name, value in {**model.network.state_dict(), **counts}.items()}
    content = save_tensors(tensors)
    digest = hashlib.sha256(content).hexdigest()
    document = {
        "format": FORMAT,
        "sha256": digest,
        "parameters": dict(parameters),
        "venues": model.venues,
        "vocabulary": model.vocabulary.words,
        "history": model.history,
    }
    with atomic_path(path / _weights(digest)) as temporary:
        temporary.write_bytes(content)
    with atomic_path(path / "model.json") as temporary:
        temporary.write_text(json.dumps(document), encoding="utf-8")
    # Those of the model before, and what a run left that was killed while it wrote.
    for other in [*path.glob("model-*.safetensors"), *path.glob(".model*-*.*")]:
        if other.name != _weights(digest):
            other.unlink()


def load(
    folder: str | os.PathLike[str], new_network: Callable[[Mapping[str, Any], int, int], FieldCNN]
) -> tuple[dict[str, Any], Model]:
    """Read both files.

    Args:
        folder: where they are.
        new_network: makes a network from parameters and the numbers of words and venues.

    Raises:
        FileNotFoundError: a file is not there.
        ValueError: the files are damaged, of another format or not of one model.
    """
    path = as_path("folder", folder)
    document = (path / "model.json").read_bytes()
    with _readable(path):
        learned = json.loads(document)
        written = learned["format"]
    if written != FORMAT:
        raise value_error(str(path), f"a model folder of format {FORMAT}", f"format {written}")
    with _readable(path):
        digest = str(learned["sha256"])
        content = (path / _weights(digest)).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise value_error(_weights(digest), "the file that model.json names", "another one")
        tensors = load_tensors(content)
        venue_papers, word_papers = tensors.pop("venue_papers"), tensors.pop("word_papers")
        # Without memory at first, so that the sizes in the JSON file cannot ask for any.
        with torch.device("meta"):
            network = new_network(learned["parameters"], len(learned["vocabulary"]), len(learned["venues"]))
        network.load_state_dict(tensors, assign=True)
        vocabulary = Vocabulary(learned["vocabulary"])
        model = Model(learned["venues"], vocabulary, network, venue_papers, word_papers, learned["history"])
        return learned["parameters"], model


def _weights(digest: str) -> str:
    """Return the name of the file with the numbers; its content is in its name, so that no other model's fits."""
    return f"model-{digest[:16]}.safetensors"


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Say that the folder is damaged when its content does not fit together."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError, RecursionError, SafetensorError) as error:
        raise value_error(str(folder), "a model folder that is whole", f"{type(error).__name__}: {error}") from error
