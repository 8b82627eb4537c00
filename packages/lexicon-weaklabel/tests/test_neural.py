import inspect
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from lexicon_weaklabel import Lexicon, LexiconLabeler, WordVectors
from lexicon_weaklabel._cli import main
from lexicon_weaklabel.neural import TextClassifier, TextCNN, train_textcnn
from torch.nn import functional as F

RNG = np.random.default_rng(0)
LABELER = LexiconLabeler(Lexicon.from_dict({"good": [0.1, 0.2, 0.7], "bad": [0.7, 0.2, 0.1]}))
# "sunny" goes with "good" and "rainy" with "bad", but neither is in the lexicon.
TEXTS = [f"{a} {b} day {c}" for a, b in (("good", "sunny"), ("bad", "rainy"), ("some", "grey")) for c in "abcdefgh"] * 4
WORDS = ("good", "bad", "sunny", "rainy", "some", "grey", "day")
VECTORS = WordVectors(WORDS, RNG.normal(size=(7, 8)).astype(np.float32))
SMALL = {"filters": 4, "widths": (1, 2), "batch_size": 16, "check_every": 5, "learning_rate": 0.02}


def slow_logits(network, ids):
    """One text: windows, maxima and the linear layer in plain loops."""
    table = network.embedding.weight
    words = [table[i] for i in [*ids, *[0] * network.padding]]
    features = []
    for convolution in network.convolutions:
        width = convolution.kernel_size[0]
        for weight, bias in zip(convolution.weight, convolution.bias):
            windows = [
                sum((words[start + k] * weight[:, k]).sum() for k in range(width)) + bias
                for start in range(len(words) - width + 1)
            ]
            features.append(max(torch.stack(windows).max(), torch.zeros(())))
    return network.output(torch.stack(features))


def test_logits_are_those_of_plain_loops_and_padding_changes_nothing():
    torch.manual_seed(0)
    network = TextCNN(torch.randn(6, 4), 3, filters=3, widths=(2, 3)).eval()
    texts = [[1, 5, 2, 0, 3], [4], []]
    batch = torch.tensor([text + [0] * (9 - len(text)) for text in texts])
    for row, text in zip(network(batch), texts):
        torch.testing.assert_close(row, slow_logits(network, text))


def test_the_defaults_of_the_thesis():
    network = TextCNN(torch.randn(6, 4), 3)
    assert [convolution.out_channels for convolution in network.convolutions] == [182] * 3
    assert network.dropout.p == 0.27
    options = {name: p.default for name, p in inspect.signature(train_textcnn).parameters.items()}
    assert (options["batch_size"], options["check_every"], options["patience"], options["mask"]) == (2816, 500, 5, 0.5)
    assert options["uncertain"] == "target"


@pytest.mark.parametrize("static", [False, True])
def test_vectors_are_trained_unless_static_and_zero_stays_zero(static):
    trained = train_textcnn(TEXTS, LABELER.label(TEXTS), VECTORS, static=static, max_checks=1, **SMALL)
    table = trained.model.network.embedding.weight.detach().numpy()
    assert not table[0].any()
    assert (table[1:] == VECTORS.vectors).all() == static


def test_masking_lets_the_network_use_words_outside_the_lexicon():
    trained = train_textcnn(TEXTS, LABELER.label(TEXTS), VECTORS, mask=1.0, max_checks=20, patience=20, **SMALL)
    assert min(trained.losses) == trained.losses[trained.best] < trained.losses[0]
    sunny, rainy = trained.model.predict_proba(["sunny day", "rainy day"])
    # The network has seen neither text, and never "good" or "bad".
    assert sunny[2] - sunny[0] > 0.2
    assert rainy[0] - rainy[2] > 0.2


def test_a_resumed_training_is_the_uninterrupted_one(tmp_path):
    labels = LABELER.label(TEXTS)
    whole = train_textcnn(TEXTS, labels, VECTORS, max_checks=4, seed=3, **SMALL)
    path = tmp_path / "checkpoint.safetensors"
    train_textcnn(TEXTS, labels, VECTORS, max_checks=2, seed=3, checkpoint=path, **SMALL)
    resumed = train_textcnn(TEXTS, labels, VECTORS, max_checks=4, seed=3, checkpoint=path, **SMALL)
    assert resumed.losses == whole.losses
    np.testing.assert_array_equal(resumed.model.predict_proba(TEXTS), whole.model.predict_proba(TEXTS))
    other = train_textcnn(TEXTS, labels, VECTORS, max_checks=4, seed=4, **SMALL)
    assert other.losses != whole.losses
    with pytest.raises(ValueError, match="checkpoint: expected a file of the same training"):
        train_textcnn(TEXTS, labels, VECTORS, checkpoint=path, **{**SMALL, "filters": 5})


def test_training_stops_when_nothing_improves():
    options = {**SMALL, "learning_rate": 0.0}
    trained = train_textcnn(TEXTS, LABELER.label(TEXTS), VECTORS, patience=3, **options)
    assert len(trained.losses) == trained.best + 4


def test_uncertain_texts_are_targets_dropped_or_weighted():
    labels = LABELER.label(TEXTS)
    models = {
        uncertain: train_textcnn(TEXTS, labels, VECTORS, uncertain=uncertain, max_checks=8, **SMALL).model
        for uncertain in ("target", "drop", "weight")
    }
    neutral = {name: model.predict_proba(["some grey day"])[0, 1] for name, model in models.items()}
    assert neutral["target"] > neutral["drop"]
    assert len(set(neutral.values())) == 3


def test_the_loss_is_soft_cross_entropy():
    labels = LABELER.label(TEXTS)
    trained = train_textcnn(TEXTS, labels, VECTORS, max_checks=1, **SMALL)
    held_out = trained.held_out
    log_probabilities = torch.from_numpy(trained.model.predict_proba([TEXTS[row] for row in held_out])).log()
    expected = F.cross_entropy(log_probabilities, torch.from_numpy(labels.probabilities[held_out]).float())
    assert trained.losses[0] == pytest.approx(expected.item(), rel=1e-5)


def test_saved_models_answer_the_same(tmp_path):
    model = train_textcnn(TEXTS, LABELER.label(TEXTS), VECTORS, emotes=["LUL"], max_checks=1, **SMALL).model
    model.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    odd = [*TEXTS[:3], "", None, "LUL unknown", "x " * 1000]
    np.testing.assert_array_equal(loaded.predict_proba(odd), model.predict_proba(odd))
    assert loaded.predict(["good"])[0] in loaded.classes
    assert loaded.predict_proba([]).shape == (0, 3)
    description = json.loads((tmp_path / "model" / "model.json").read_text())
    for change, message in (
        ({"format": "0"}, "a model of format 1, got format 0"),
        ({"words": ["good"]}, "one vector per word|weights that fit"),
    ):
        (tmp_path / "model" / "model.json").write_text(json.dumps({**description, **change}))
        with pytest.raises(ValueError, match=message):
            TextClassifier.load(tmp_path / "model")
    with pytest.raises(ValueError, match=r"folder: expected a folder with model.json"):
        TextClassifier.load(tmp_path)


def test_the_command_is_the_whole_pipeline(tmp_path, capsys):
    pq.write_table(pa.table({"text": [*TEXTS, None]}), tmp_path / "texts.parquet")
    lexicon = Lexicon.from_dict({"good": [0.1, 0.2, 0.7], "bad": [0.7, 0.2, 0.1]})
    lexicon.save(tmp_path / "lexicon.parquet")
    arguments = ["train", str(tmp_path / "texts.parquet"), "--out", str(tmp_path / "model"), "--filters", "3"]
    arguments += ["--lexicon", str(tmp_path / "lexicon.parquet"), "--min-count", "5", "--dimensions", "4"]
    assert main([*arguments, "--batch-size", "16", "--check-every", "2", "--max-checks", "2"]) == 0
    printed = capsys.readouterr().out
    assert "96 texts, 15 words" in printed
    assert "of 32 texts without signal get another label" in printed
    assert TextClassifier.load(tmp_path / "model").predict_proba(["good"]).shape == (1, 3)
    with pytest.raises(SystemExit):
        main([*arguments, "--column", "message"])
    source = tmp_path / "texts.parquet"
    assert f"--column: expected one of ['text'], as {source} has, got message" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size: expected an integer of at least 1"),
        ({"uncertain": "keep"}, "uncertain: expected 'target', 'drop' or 'weight'"),
        ({"validation": 1.0}, "validation: expected a share between 0 and 1"),
        ({"filters": 0}, "filters: expected an integer of at least 1"),
        ({"mask": 2.0}, "mask: expected a number from 0 to 1"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        train_textcnn(TEXTS, LABELER.label(TEXTS), VECTORS, **{**SMALL, **options})


def test_labels_belong_to_the_texts():
    with pytest.raises(ValueError, match=r"labels: expected one per text, got texts \(96,\), labels \(1,\)"):
        train_textcnn(TEXTS, LABELER.label(["good"]), VECTORS, **SMALL)
