"""Hostile arguments are used or refused by name, and damaged files are named."""

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from lexicon_weaklabel import (
    AverageLabeler,
    Lexicon,
    LexiconLabeler,
    SignalMasker,
    SocialTokenizer,
    WordVectors,
    adapters,
    analysis,
    label_corpus,
    read_word2vec,
    train_word2vec,
)
from lexicon_weaklabel._cli import _texts
from lexicon_weaklabel._corpus import _plan
from lexicon_weaklabel.neural import TextClassifier, TextCNN, train_textcnn

VECTORS = WordVectors(("a", "b", "c"), np.arange(6, dtype=np.float32).reshape(3, 2))
TEXTS = ["LUL a", "PogChamp b", "c"] * 8

TINY = {"filters": 2, "widths": [1], "dropout": 0.1, "static": False}


def bounded(arguments, *names):
    """Replace the huge number, which is no mistake and would never end, by a small one."""
    return {name: 1 if name in names and value == 10**30 else value for name, value in arguments.items()}


EMOTES = Lexicon.twitch_emotes()
LABELER = LexiconLabeler(EMOTES)
LABELS = LABELER.label(TEXTS[:3])
MASKER = SignalMasker(mode="drop", seed=0)
NAMES = ["negative", "neutral", "positive"]

CALLS = {
    "Lexicon": (Lexicon, {"tokens": ["a"], "probabilities": [[0.5, 0.5]], "classes": ["x", "y"], "scores": [0.1]}),
    "from_dict": (Lexicon.from_dict, {"distributions": {"a": [0.5, 0.5]}, "classes": ["x", "y"]}),
    "merge": (
        lambda other, precedence: EMOTES.merge(other, precedence=precedence),
        {"other": EMOTES, "precedence": "first"},
    ),
    "LexiconLabeler": (
        LexiconLabeler,
        {
            "lexicon": EMOTES, "classes": NAMES, "default": [0.25, 0.5, 0.25], "tie_order": NAMES,
            "tokenizer": SocialTokenizer(), "floor": 0.01,
        },
    ),
    "AverageLabeler": (AverageLabeler, {"lexicon": {"a": 0.5}, "classes": NAMES}),
    "SocialTokenizer": (SocialTokenizer, {"emotes": ["LUL"]}),
    "label": (LABELER.label, {"texts": TEXTS}),
    "explain": (LABELER.explain, {"text": "LUL"}),
    "label_batch": (LABELER.label_batch, {"batch": pa.table({"text": TEXTS}), "column": "text", "prefix": ""}),
    "SignalMasker": (SignalMasker, {"p": 0.5, "mode": "zero", "mask_token": None, "seed": 0}),
    "mask_texts": (MASKER.mask_texts, {"texts": ["a LUL"], "spans": [[(2, 5)]]}),
    "mask_tokens": (
        MASKER.mask_tokens, {"values": ["a", "LUL"], "token_spans": [(0, 1), (2, 5)], "spans": [(2, 5)]},
    ),
    "mask_ids": (MASKER.mask_ids, {"ids": [[1, 2]], "signal": [[True, False]]}),
    "mask_encoding": (
        MASKER.mask_encoding,
        {"encoding": {"input_ids": [[1, 2]], "offset_mapping": [[(0, 1), (2, 5)]]}, "spans": [[(2, 5)]]},
    ),
    "audit": (analysis.audit, {"labeler": LABELER, "labels": LABELS}),
    "relabelled": (analysis.relabelled, {"labels": LABELS, "predicted": NAMES}),
    "confusion": (analysis.confusion, {"truth": NAMES, "predicted": NAMES, "classes": NAMES}),
    "evaluate": (analysis.evaluate, {"truth": NAMES, "predicted": NAMES, "classes": NAMES}),
    "expected_scores": (analysis.expected_scores, {"truth": NAMES, "probabilities": [0.2, 0.3, 0.5]}),
    "randomisation_test": (
        lambda **arguments: analysis.randomisation_test(**bounded(arguments, "rounds")),
        {
            "truth": NAMES, "first": NAMES, "second": NAMES, "metric": "macro_f1", "rounds": 5, "seed": 0,
            "classes": NAMES,
        },
    ),
    "mcnemar_test": (analysis.mcnemar_test, {"truth": NAMES, "first": NAMES, "second": NAMES}),
    "ablation": (analysis.ablation, {"lexica": {"emotes": EMOTES}, "texts": TEXTS[:3], "truth": NAMES}),
    "SocialTokenizer()": (SocialTokenizer(), {"text": "LUL"}),
    "WordVectors": (WordVectors, {"words": ("a",), "vectors": np.zeros((1, 2), np.float32)}),
    "train_word2vec": (
        lambda **arguments: train_word2vec(**bounded(arguments, "dimensions", "epochs", "workers")),
        {"sentences": [["a", "b"]] * 9, "dimensions": 2, "min_count": 1, "epochs": 1, "seed": 0, "workers": 1},
    ),
    "TextCNN": (
        lambda **arguments: TextCNN(**bounded(arguments, "num_classes", "filters")),
        {"vectors": torch.zeros(3, 2), "num_classes": 2, "filters": 2, "widths": (1,), "dropout": 0.1, "static": False},
    ),
    "TextClassifier": (TextClassifier, {"vectors": VECTORS, "classes": ("x", "y"), "emotes": (), "options": {}}),
    "predict_proba": (
        TextClassifier(VECTORS, classes=("x", "y"), options=TINY).predict_proba, {"texts": TEXTS, "batch_size": 4},
    ),
    "label_pandas": (
        adapters.label_pandas,
        {"frame": pandas.DataFrame({"text": TEXTS}), "labeler": LABELER, "column": "text", "prefix": ""},
    ),
}  # fmt: skip
TRAINING = {
    "texts": TEXTS, "labels": LABELER.label(TEXTS), "vectors": VECTORS, "emotes": (), "mask": 0.5,
    "uncertain": "target", "uncertain_weight": 0.1, **TINY, "learning_rate": 0.01, "batch_size": 16, "check_every": 1,
    "patience": 2, "max_checks": 1, "validation": 0.2, "seed": 0,
}  # fmt: skip
PATHS = {
    "from_csv": Lexicon.from_csv,
    "from_votes": Lexicon.from_votes,
    "from_emoji_ranking": Lexicon.from_emoji_ranking,
    "load": Lexicon.load,
    "read_word2vec": read_word2vec,
    "TextClassifier.load": TextClassifier.load,
    "sources": lambda path: label_corpus(LABELER, [path], "out"),
    "out": lambda path: label_corpus(LABELER, ["texts.parquet"], path),
}

TABLES = {
    "probabilities.csv": ("token,negative,neutral,positive\n" + "a,0.2,0.3,0.5\nb,0.5,0.3,0.2\n", Lexicon.from_csv),
    "votes.csv": ("token,negative,neutral,positive\n" + "a,2,3,5\nb,5,3,2\n", Lexicon.from_votes),
    "emoji.csv": ("Emoji,Occurrences,Negative,Neutral,Positive\n😂,100,20,30,50\n", Lexicon.from_emoji_ranking),
    "vader.txt": ("good\t1.9\t0.5\t[2, 1, 1, 3, 2, 4, 2, 2, 1, 1]\n", Lexicon.from_vader),
    "vectors.txt": ("3 2\na 1 2\nb 3 4\nc 5 6\n", read_word2vec),
}


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


@pytest.mark.slow
def test_hostile_arguments_of_the_training_are_refused_by_name(check_arguments):
    def train(texts, labels, vectors, **options):
        options = bounded(options, "filters", "check_every", "max_checks")
        return train_textcnn(texts, labels, vectors, progress=False, **options)

    assert check_arguments(train, **TRAINING) == 14 * len(TRAINING)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("wrong", [None, object(), b"", [], {}, True, 0, 2.5])
def test_what_is_no_path_is_refused_by_name(name, wrong):
    with pytest.raises(TypeError, match=r"^(path|folder|sources|out): expected a path, got"):
        PATHS[name](wrong)


@pytest.mark.parametrize("delimiter", [None, b"", "", ",,", 0])
def test_what_is_no_delimiter_is_refused(delimiter, tmp_path):
    file = tmp_path / "votes.csv"
    file.write_text(TABLES["votes.csv"][0])
    for read in (Lexicon.from_csv, Lexicon.from_votes):
        with pytest.raises(TypeError, match="delimiter: expected a string of one character, got"):
            read(file, delimiter=delimiter)


@pytest.mark.parametrize("smoothing", [-1, float("inf"), float("nan")])
def test_smoothing_is_a_finite_number(smoothing, tmp_path):
    file = tmp_path / "votes.csv"
    file.write_text(TABLES["votes.csv"][0])
    with pytest.raises(ValueError, match="smoothing: expected 0 or more, got"):
        Lexicon.from_votes(file, smoothing=smoothing)


@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_table_is_named(name, tmp_path, check_damaged):
    text, read = TABLES[name]
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    check_damaged(lambda: read(file), file, cuts=20, flips=60)


def test_a_damaged_lexicon_is_named(tmp_path, check_damaged):
    file = tmp_path / "lexicon.parquet"
    Lexicon.twitch_emotes().save(file)
    check_damaged(lambda: Lexicon.load(file), file, cuts=20, flips=60)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_damaged_model_is_named(name, tmp_path, check_damaged):
    options = {"filters": 2, "widths": [1, 2], "dropout": 0.1, "static": False}
    TextClassifier(VECTORS, classes=("x", "y"), options=options).save(tmp_path)
    check_damaged(lambda: TextClassifier.load(tmp_path), tmp_path / name)


def test_a_damaged_checkpoint_is_named(tmp_path, check_damaged):
    labels, file = LexiconLabeler(Lexicon.twitch_emotes()).label(TEXTS), tmp_path / "checkpoint.safetensors"
    options = {"filters": 2, "widths": (1,), "batch_size": 4, "check_every": 1, "max_checks": 1, "validation": 0.2}

    def train():
        train_textcnn(TEXTS, labels, VECTORS, checkpoint=file, progress=False, **options)

    train()
    check_damaged(train, file, flips=30)


def test_a_damaged_corpus_is_named(tmp_path, check_damaged):
    labeler, file = LexiconLabeler(Lexicon.twitch_emotes()), tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"text": TEXTS}), file)
    check_damaged(lambda: _texts([file], "text"), file)
    for content in (b"", b"PAR1 no", file.read_bytes()[:-20]):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"corpus.parquet: expected a Parquet file"):
            _plan(labeler, [file], tmp_path, "text", "")


def test_what_a_killed_training_left_is_removed(tmp_path):
    leftover, other = tmp_path / ".checkpoint-0123abcd.safetensors", tmp_path / ".checkpoint-mine.safetensors"
    leftover.touch()
    other.touch()
    labels = LexiconLabeler(Lexicon.twitch_emotes()).label(TEXTS)
    options = {"filters": 2, "widths": (1,), "batch_size": 4, "check_every": 1, "max_checks": 1, "progress": False}
    train_textcnn(TEXTS, labels, VECTORS, checkpoint=tmp_path / "checkpoint.safetensors", **options)
    assert not leftover.exists()
    assert other.exists()
