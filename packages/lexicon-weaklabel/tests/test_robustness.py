"""Hostile arguments are used or refused by name, and damaged files are named."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lexicon_weaklabel import (
    AverageLabeler,
    Lexicon,
    LexiconLabeler,
    SignalMasker,
    SocialTokenizer,
    WordVectors,
    analysis,
    read_word2vec,
)
from lexicon_weaklabel._cli import _texts
from lexicon_weaklabel._corpus import _plan
from lexicon_weaklabel.neural import TextClassifier, train_textcnn

VECTORS = WordVectors(("a", "b", "c"), np.arange(6, dtype=np.float32).reshape(3, 2))
TEXTS = ["LUL a", "PogChamp b", "c"] * 8

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
        lambda rounds, **arguments: analysis.randomisation_test(
            # Those of 10**30 would never end, and that is no mistake.
            rounds=rounds if rounds != 10**30 else 1, **arguments
        ),
        {
            "truth": NAMES, "first": NAMES, "second": NAMES, "metric": "macro_f1", "rounds": 5, "seed": 0,
            "classes": NAMES,
        },
    ),
    "mcnemar_test": (analysis.mcnemar_test, {"truth": NAMES, "first": NAMES, "second": NAMES}),
    "ablation": (analysis.ablation, {"lexica": {"emotes": EMOTES}, "texts": TEXTS[:3], "truth": NAMES}),
}  # fmt: skip

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
