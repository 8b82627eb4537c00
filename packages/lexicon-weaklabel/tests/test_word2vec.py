import struct

import numpy as np
import pytest
from gensim.models.keyedvectors import KeyedVectors
from lexicon_weaklabel import read_word2vec, train_word2vec

WORDS, VECTORS = ["good", "PogChamp", "👍🏽", "a\u00a0b"], np.arange(12, dtype=np.float32).reshape(4, 3) / 7


@pytest.mark.parametrize("newlines", [False, True])
def test_both_formats_give_the_vectors_back(tmp_path, newlines):
    lines = [f"{word} {' '.join(map(repr, map(float, row)))}" for word, row in zip(WORDS, VECTORS)]
    (tmp_path / "v.txt").write_text("\n".join(["4 3", *lines]) + "\n")
    rows = [word.encode() + b" " + struct.pack("<3f", *row) + b"\n" * newlines for word, row in zip(WORDS, VECTORS)]
    (tmp_path / "v.bin").write_bytes(b"4 3\n" + b"".join(rows))
    for name in ("v.txt", "v.bin"):
        read = read_word2vec(tmp_path / name)
        assert read.words == tuple(WORDS)
        np.testing.assert_array_equal(read.vectors, VECTORS)
        assert read.vectors.dtype == np.float32


def test_what_gensim_writes_is_read(tmp_path):
    saved = KeyedVectors(3)
    saved.add_vectors(WORDS, VECTORS)
    for binary in (False, True):
        saved.save_word2vec_format(tmp_path / "v", binary=binary)
        np.testing.assert_allclose(read_word2vec(tmp_path / "v", binary=binary).vectors, VECTORS, rtol=1e-6)


def test_training_counts_words():
    sentences = [["the", "good", "cat"], ["the", "bad", "cat"]] * 10
    vectors = train_word2vec(sentences, dimensions=5, min_count=20)
    assert sorted(vectors.words) == ["cat", "the"]
    assert vectors.vectors.shape == (2, 5)
    again = train_word2vec(sentences, dimensions=5, min_count=20)
    np.testing.assert_array_equal(vectors.vectors, again.vectors)
    with pytest.raises(ValueError, match="min_count: expected a number that some words reach, got 100"):
        train_word2vec(sentences)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.txt", b"", "word2vec's text format"),
        ("v.txt", b"2 3\ngood 1 2 3\n", "1 of 2 words"),
        ("v.txt", b"1 3\ngood 1 2\n", "2 of 3 numbers for word 0"),
        ("v.txt", b"1 2\ngood 1 x\n", "could not convert"),
        ("v.bin", b"2 1\ngood 1234", "1 of 2 words"),
        ("v.bin", b"1 9\ngood 1234", "0 of 1 words"),
    ],
)
def test_broken_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_word2vec(tmp_path / name)
