"""A trained network with everything it needs to read text."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import check_count, check_path, check_type, checked_classes, checked_strings
from ._core import atomic_path, value_error
from ._sources import naming
from ._textcnn import TextCNN
from ._texts import to_arrow
from ._tokenizer import SocialTokenizer
from ._torch import read_tensors, torch, write_tensors
from ._word2vec import WordVectors

_FORMAT = "1"


class TextClassifier:
    """A ``TextCNN``, its words, classes and tokenizer: texts in, probabilities out.

    Args:
        words: the words of the ids 1 to ``v``.
        classes: names of the ``K`` classes.
        emotes: tokens that the ``SocialTokenizer`` keeps as they are written.
        options: of the ``TextCNN``.
        vectors: ``(v, d)`` initial word vectors.
    """

    def __init__(
        self,
        vectors: WordVectors,
        *,
        classes: Sequence[str],
        emotes: Sequence[str] = (),
        options: dict[str, Any] | None = None,
    ) -> None:
        check_type("vectors", vectors, WordVectors, "WordVectors")
        check_type("options", options, (Mapping, NoneType), "a mapping of options of TextCNN")
        self.words, self.classes = vectors.words, checked_classes(classes)
        self.emotes = tuple(sorted(checked_strings("emotes", emotes)))
        self.options = dict(options or {})
        self.tokenizer = SocialTokenizer(emotes)
        self.network = TextCNN(torch.from_numpy(vectors.vectors), len(self.classes), **self.options)
        self._ids = {word: number for number, word in enumerate(self.words, start=1)}

    def encode(self, texts: Any) -> tuple[list[NDArray[np.int64]], list[list[tuple[int, int]]]]:
        """Return the word ids of each text, 0 for unknown words, and the spans of its tokens."""
        encoded, spans = [], []
        for text in to_arrow(texts).fill_null("").to_pylist():
            tokens, places = self.tokenizer(text)
            encoded.append(np.array([self._ids.get(token, 0) for token in tokens], dtype=np.int64))
            spans.append(places)
        return encoded, spans

    def predict_proba(self, texts: Any, *, batch_size: int = 1024) -> NDArray[np.float32]:
        """Return the probabilities ``(n, K)`` of texts."""
        return self.predict_ids(self.encode(texts)[0], batch_size=batch_size)

    def predict(self, texts: Any) -> NDArray[np.object_]:
        """Return the most probable class of each text."""
        names = np.array(self.classes, dtype=object)
        chosen: NDArray[np.object_] = names[self.predict_proba(texts).argmax(1)]
        return chosen

    @torch.inference_mode()
    def predict_ids(self, ids: Sequence[NDArray[np.int64]], *, batch_size: int = 1024) -> NDArray[np.float32]:
        """Return the probabilities ``(n, K)`` of encoded texts."""
        check_count("batch_size", batch_size)
        was_training, device = self.network.training, self.network.output.weight.device
        self.network.eval()
        order = np.argsort([len(row) for row in ids], kind="stable")  # texts of equal length waste no padding
        result = np.empty((len(ids), len(self.classes)), dtype=np.float32)
        for rows in np.array_split(order, max(1, -(-len(order) // batch_size))):
            logits = self.network(torch.from_numpy(padded([ids[row] for row in rows])).to(device))
            result[rows] = logits.softmax(1).cpu().numpy()
        self.network.train(was_training)
        return result

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write ``model.safetensors`` and ``model.json`` into a folder."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        description = {
            "format": _FORMAT,
            "classes": self.classes,
            "emotes": self.emotes,
            "options": self.options,
            "words": self.words,
        }
        write_tensors(path / "model.safetensors", self.network.state_dict())
        with atomic_path(path / "model.json") as temporary:
            temporary.write_text(json.dumps(description), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> TextClassifier:
        """Read what ``save`` wrote.

        Raises:
            ValueError: the folder holds no model, one of another format, or weights that do not fit.
        """
        check_path("folder", folder)
        path = Path(folder)
        if not (path / "model.json").is_file():
            raise value_error("folder", "a folder with model.json and model.safetensors", str(path))
        with naming(path, "a model that TextClassifier.save wrote"):
            description = json.loads((path / "model.json").read_text(encoding="utf-8"))
            if description.get("format") != _FORMAT:
                raise value_error("folder", f"a model of format {_FORMAT}", f"format {description.get('format')}")
            state, _ = read_tensors(path / "model.safetensors")
            # The table in the file has the zero vector in front.
            vectors = WordVectors(tuple(description["words"]), state["embedding.weight"][1:].numpy())
            options = description["options"]
            model = cls(vectors, classes=description["classes"], emotes=description["emotes"], options=options)
            model.network.load_state_dict(state)
        model.network.eval()
        return model


def padded(rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return rows of different lengths as one array, filled with zeros."""
    filled = np.zeros((len(rows), max((len(row) for row in rows), default=0)), dtype=np.int64)
    for target, row in zip(filled, rows):
        target[: len(row)] = row
    return filled
