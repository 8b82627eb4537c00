"""Word vectors in the two formats of word2vec, read without gensim."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ._checks import check_counts, check_path, check_seed, check_type, checked_strings
from ._core import import_extra, shape_error, value_error


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: the ``v`` words.
        vectors: ``(v, d)`` float32.
    """

    words: tuple[str, ...]
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check that there is one vector per word."""
        checked_strings("words", self.words)
        check_type("vectors", self.vectors, np.ndarray, "an array (v, d)")
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.words):
            shapes = {"words": (len(self.words),), "vectors": self.vectors.shape}
            raise shape_error("vectors", "one vector per word, (v, d)", shapes)


def read_word2vec(path: str | os.PathLike[str], *, binary: bool | None = None) -> WordVectors:
    """Read vectors in word2vec's text or binary format.

    Args:
        path: the file.
        binary: which format; by default binary when the name ends with ``.bin``.

    Raises:
        ValueError: the file is not what its header says.
    """
    check_path("path", path)
    is_binary = Path(path).suffix == ".bin" if binary is None else binary
    with Path(path).open("rb") as file:
        try:
            count, dimensions = map(int, file.readline().split())
            read = _read_binary if is_binary else _read_text
            words, vectors = read(file, count, dimensions)
        except ValueError as error:
            kind = "binary" if is_binary else "text"
            raise value_error(str(path), f"word vectors in word2vec's {kind} format", str(error)) from error
    return WordVectors(tuple(words), vectors)


def train_word2vec(
    sentences: Iterable[Sequence[str]],
    *,
    dimensions: int = 100,
    min_count: int = 100,
    epochs: int = 5,
    seed: int = 0,
    workers: int = 1,
) -> WordVectors:
    """Train vectors on tokenized texts with gensim (extra ``gensim``).

    Args:
        sentences: the tokens of each text; iterated over several times.
        dimensions: length of a vector.
        min_count: words that occur less often get no vector; the thesis' value is 100.
        epochs: passes over the texts.
        seed: of the vectors; with more than one worker the result still varies.
        workers: number of threads.
    """
    check_counts(dimensions=dimensions, min_count=min_count, epochs=epochs, workers=workers)
    check_seed(seed, below=2**32)
    check_type("sentences", sentences, Iterable, "lists of tokens")
    word2vec = import_extra("gensim.models.word2vec", package="lexicon-weaklabel", extra="gensim")
    options = {"vector_size": dimensions, "min_count": min_count, "epochs": epochs, "seed": seed, "workers": workers}
    try:
        model = word2vec.Word2Vec(sentences, **options)
    except RuntimeError as error:  # gensim's word for an empty vocabulary
        raise value_error("min_count", "a number that some words reach", min_count) from error
    return WordVectors(tuple(model.wv.index_to_key), np.array(model.wv.vectors, dtype=np.float32))


def _read_text(file: BinaryIO, count: int, dimensions: int) -> tuple[list[str], NDArray[np.float32]]:
    words, vectors = [], np.empty((count, dimensions), dtype=np.float32)
    for row, line in zip(range(count), file):
        # A word may hold white space of other alphabets, so the numbers are counted from the right.
        word, *numbers = line.decode("utf-8", "replace").rstrip("\r\n ").rsplit(" ", dimensions)
        if len(numbers) != dimensions:
            raise ValueError(f"{len(numbers)} of {dimensions} numbers for word {row}")
        words.append(word)
        vectors[row] = [float(number) for number in numbers]
    if len(words) < count:
        raise ValueError(f"{len(words)} of {count} words")
    return words, vectors


def _read_binary(file: BinaryIO, count: int, dimensions: int) -> tuple[list[str], NDArray[np.float32]]:
    words, vectors = [], np.empty((count, dimensions), dtype=np.float32)
    for row in range(count):
        word = bytearray()
        while (byte := file.read(1)) != b" ":
            if not byte:
                raise ValueError(f"{row} of {count} words")
            if byte != b"\n":  # some writers end each vector with a newline
                word += byte
        data = file.read(4 * dimensions)
        if len(data) < 4 * dimensions:
            raise ValueError(f"{row} of {count} words")
        words.append(word.decode("utf-8", "replace"))
        vectors[row] = np.frombuffer(data, dtype="<f4")
    return words, vectors
