import csv
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vaderSentiment
from lexicon_weaklabel import Lexicon


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.mark.parametrize("packaged", [False, True])
def test_vader_is_add_one_smoothing_of_its_ten_raters(vader_file, packaged):
    path = Path(vaderSentiment.__file__).with_name("vader_lexicon.txt") if packaged else vader_file
    lexicon = Lexicon.from_vader() if packaged else Lexicon.from_vader(vader_file)
    expected = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                token, mean, _, ratings = line.split("\t")
                numbers = [int(part) for part in ratings.strip().strip("[]").split(",")]
                counts = [
                    sum(r <= -2 for r in numbers),
                    sum(-1 <= r <= 1 for r in numbers),
                    sum(r >= 2 for r in numbers),
                ]
                expected[token] = ([(count + 1) / 13 for count in counts], float(mean) / 4)
    assert set(lexicon) == set(expected)
    for row, token in enumerate(lexicon):
        assert lexicon[token].tolist() == expected[token][0]
        assert lexicon.scores[row] == expected[token][1]
    assert lexicon.classes == ("negative", "neutral", "positive")


def test_the_printed_emotes_are_their_votes_without_unknown():
    emotes = Lexicon.twitch_emotes()
    assert len(emotes) == 11
    assert emotes["Jebaited"].tolist() == [25 / 89, 27 / 89, 37 / 89]
    assert emotes.scores[list(emotes).index("LUL")] == pytest.approx((72 - 11) / 106)


def test_a_missing_token_is_a_key_error_and_entries_cannot_change(lexicon):
    with pytest.raises(KeyError, match="poggers"):
        lexicon["poggers"]
    assert "poggers" not in lexicon
    assert lexicon.get("poggers") is None
    with pytest.raises(ValueError, match="read-only"):
        lexicon["good"][0] = 1


def test_merge_keeps_the_entry_that_goes_before():
    first = Lexicon.from_dict({"a": [1, 0, 0], "b": [1, 0, 0]})
    second = Lexicon.from_dict({"b": [0, 0, 1], "c": [0, 0, 1]})
    third = Lexicon.from_dict({"c": [0, 1, 0], "b": [0, 1, 0]})
    merged = first.merge(second, third)
    assert {token: merged[token].argmax() for token in merged} == {"a": 0, "b": 0, "c": 2}
    merged = first.merge(second, third, precedence="last")
    assert {token: merged[token].argmax() for token in merged} == {"a": 0, "b": 1, "c": 1}


def test_merge_aligns_classes_by_name():
    first = Lexicon.from_dict({"a": [0.2, 0.8]}, classes=("no", "yes"))
    second = Lexicon.from_dict({"b": [0.7, 0.3]}, classes=("yes", "no"))
    assert first.merge(second)["b"].tolist() == [0.3, 0.7]


def test_save_and_load_return_the_same_lexicon(lexicon, tmp_path):
    lexicon.save(tmp_path / "lexicon.parquet")
    assert Lexicon.load(tmp_path / "lexicon.parquet") == lexicon
    assert pickle.loads(pickle.dumps(lexicon)) == lexicon
    changed = Lexicon(lexicon, lexicon.probabilities, scores=-lexicon.scores)
    assert changed != lexicon


def test_csv_votes_and_emoji_ranking(tmp_path):
    path = write(tmp_path / "p.csv", [["yes", "word", "no"], ["0.75", "ja", "0.25"], ["0.1", "nein", "0.9"]])
    lexicon = Lexicon.from_csv(path, token="word", classes=("no", "yes"))
    assert lexicon["ja"].tolist() == [0.25, 0.75]
    votes = write(tmp_path / "v.csv", [["token", "negative", "neutral", "positive", "unknown"], ["LUL", 11, 23, 72, 2]])
    assert Lexicon.from_votes(votes) == Lexicon(["LUL"], [Lexicon.twitch_emotes()["LUL"]])
    assert Lexicon.from_votes(votes, smoothing=1)["LUL"].tolist() == [12 / 109, 24 / 109, 73 / 109]
    header = ["Emoji", "Unicode codepoint", "Occurrences", "Position", "Negative", "Neutral", "Positive"]
    rows = [["😂", "0x1f602", "14622", "0.8", "3614", "4163", "6845"], ["🐫", "0x1f42b", "49", "0.8", "9", "20", "20"]]
    ranking = Lexicon.from_emoji_ranking(write(tmp_path / "e.csv", [header, *rows]))
    assert list(ranking) == ["😂"]
    assert ranking["😂"].tolist() == [3615 / 14625, 4164 / 14625, 6846 / 14625]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda p: Lexicon.from_dict({}), "tokens: expected one entry or more"),
        (lambda p: Lexicon.from_dict({"a": [0.5, 0.5]}), r"distributions\['a'\]: expected 3 probabilities"),
        (lambda p: Lexicon.from_dict({"a": [0.5, 0.5, 0.5]}), "probabilities of 'a': expected non-negative numbers"),
        (lambda p: Lexicon.from_dict({"a": [1.5, -0.5, 0]}), "probabilities of 'a'"),
        (lambda p: Lexicon.from_dict({"a": [np.nan, 0.5, 0.5]}), "probabilities of 'a'"),
        (lambda p: Lexicon.from_dict({" ": [1, 0, 0]}), "tokens: expected no empty entries"),
        (lambda p: Lexicon(["a", "a"], np.full((2, 3), 1 / 3)), r"tokens: expected each entry once, got 1 repeated"),
        (lambda p: Lexicon(["a"], [[1, 0, 0]], scores=[2]), r"scores: expected 1 numbers in \[-1, 1\]"),
        (lambda p: Lexicon.from_dict({"a": [1]}, classes=("x",)), "classes: expected two different names"),
        (
            lambda p: Lexicon.twitch_emotes().merge(Lexicon.from_dict({"a": [1, 0]}, classes=("x", "y"))),
            "others: expected lexica with the classes",
        ),
        (lambda p: Lexicon.twitch_emotes().merge(precedence="none"), "precedence: expected 'first' or 'last'"),
        (
            lambda p: Lexicon.from_csv(write(p / "a.csv", [["token", "x"], ["a", "1"]])),
            r"without \['negative', 'neutral', 'positive'\]",
        ),
        (
            lambda p: Lexicon.from_votes(
                write(p / "a.csv", [["token", "negative", "neutral", "positive"], ["a", 0, 0, 0]])
            ),
            "at least one vote per token",
        ),
        (
            lambda p: Lexicon.from_votes(
                write(p / "a.csv", [["token", "negative", "neutral", "positive"], ["a", "x", 0, 0]])
            ),
            "column negative: expected numbers",
        ),
        (
            lambda p: Lexicon.from_votes(write(p / "a.csv", [["token", "negative", "neutral", "positive"], ["a", 1]])),
            "record 2: expected 4 fields, got 2",
        ),
        (lambda p: Lexicon.load(write(p / "a.csv", [["token"]])), "expected a lexicon saved as Parquet"),
        (lambda p: Lexicon.from_vader(write(p / "a.csv", [["token"]])), "line 1: expected token, mean"),
    ],
)
def test_bad_lexica_name_what_is_wrong(build, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        build(tmp_path)


def test_a_parquet_file_of_another_format_is_refused(tmp_path):
    pq.write_table(pa.table({"token": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="saved in format 1, got format unknown"):
        Lexicon.load(tmp_path / "other.parquet")


def test_tokens_and_classes_are_strings():
    with pytest.raises(TypeError, match="tokens: expected a sequence of strings, got int"):
        Lexicon([1], [[1, 0, 0]])
    with pytest.raises(TypeError, match="classes: expected a sequence of strings, got str"):
        Lexicon.from_dict({"a": [0.5, 0.5]}, classes="ab")
