import itertools
import math
import pickle

import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lexicon_weaklabel import AverageLabeler, Lexicon, LexiconLabeler, SocialTokenizer

WORDS = [
    "good",
    "bad",
    "GOOD!",
    "bad...",
    "Good,",
    "gooood",
    "grrr",
    "GRRRR",
    "meh",
    ":)",
    ":D",
    "nice:)",
    "xD",
    "LUL",
    "lul",
    "mcaT",
    "😂",
    "❤️",
    "👍🏽",
    "👍",
    "xD-good",
    "xd's",
    "don't,",
    "good-day",
    "www.good.com",
    "https://good.com/bad",
    "https://good.com/bad/!",
    "http://good.com/(bad)",
    "http://good",
    "https://GOOD.com,bad",
    "good-bad",
    "(good)",
    '"bad"',
    "10:)",
    "wat",
    "",
    "  ",
    "\t",
    "\u3000good",
    "\0bad",
    "e\u0301",
    "😂😂LUL",
    "@good",
    "#good",
    "אbad",
]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=12), max_size=8)

MIXED = Lexicon.twitch_emotes().merge(
    Lexicon.from_dict(
        {
            "url": [0.2, 0.7, 0.1],
            "don't": [0.6, 0.3, 0.1],
            "good-day": [0.1, 0.1, 0.8],
            "good": [0, 0.3, 0.7],
            "bad": [0.8, 0.1, 0.1],
            "grrr": [0.5, 0.4, 0.1],
            ":)": [0.1, 0.2, 0.7],
            ":d": [0.1, 0.2, 0.7],
            "❤": [0.1, 0.1, 0.8],
            "👍": [0.1, 0.2, 0.7],
            "😂": [0.3, 0.3, 0.4],
        }
    )
)


def reference(lexicon, texts, floor=1e-6):
    """The product of Eq. 15.10 with plain loops over the tokens."""
    tokenizer = LexiconLabeler(lexicon).tokenizer
    result = []
    for text in texts:
        product, found = [1.0] * len(lexicon.classes), []
        for token, span in zip(*tokenizer(text)):
            candidates = [
                token,
                token.lower().replace("\ufe0f", "").replace("🏽", ""),
                "grrr" if token in ("grr",) else token,
            ]
            entry = next((c for c in candidates if c in lexicon and (c == token or c == c.lower())), None)
            if entry is not None:
                found.append(span)
                product = [p * max(q, floor) for p, q in zip(product, lexicon[entry])]
        result.append((found, [p / sum(product) for p in product]))
    return result


def fast_and_slow(lexicon):
    """The labeler that looks at distinct chunks, and one whose tokenizer sees each text."""
    fast = LexiconLabeler(lexicon)
    return fast, LexiconLabeler(lexicon, tokenizer=lambda text: tuple(fast.tokenizer(text)))


ODD_WORDS = ["good", "bad", "don't", "d", "wow", "1st", "xD", "GOOOOD"]
MARKS = ["", "!", "?!", ".", ").", "']", ":", "):", '"', "..."]


@pytest.mark.parametrize("words", [WORDS, [word.upper() for word in WORDS]])
def test_every_chunk_is_found_as_the_tokenizer_cuts_it(words):
    marks = ["", ",", "!?", "...", "'", ")", "/", "-", "'s", ":)", "\u3000", "\t"]
    texts = [f"{word}{mark}" for word in words for mark in marks]
    fast, slow = fast_and_slow(MIXED)
    assert [*fast.label(texts).spans] == [*slow.label(texts).spans]


def test_marks_around_a_word_are_cut_as_the_tokenizer_cuts_them(monkeypatch):
    marks = "\"'()[]#,.!?:;-"
    sides = ["".join(side) for n in range(4) for side in itertools.product(marks, repeat=n)]
    emoticons = [":)", "):", "(:", ");", ":')", ";]", "]:", "]';", "(;", "xD", "d:"]
    lexicon = Lexicon.from_dict({entry: [0.1, 0.2, 0.7] for entry in ["good", "good-day", *emoticons]})
    fast, slow = fast_and_slow(lexicon)
    seen, pieces = [], SocialTokenizer.pieces
    monkeypatch.setattr(SocialTokenizer, "pieces", lambda self, text: seen.append(text) or pieces(self, text))
    texts = [f"GOOD-day{side}" for side in sides] + [f"{side}good" for side in sides]
    spans = fast.label(texts).spans
    tokenized = seen[-1].split()
    assert "GOOD-day):" in tokenized
    assert not {"GOOD-day)..", "GOOD-day.:", "['good"} & {*tokenized}  # Arrow knows those
    assert [*spans] == [*slow.label(texts).spans]
    texts = [f"{before}{word}{behind}" for word in ("xD", "d", "good") for before in marks for behind in sides[:200]]
    assert [*fast.label(texts).spans] == [*slow.label(texts).spans]


@pytest.mark.parametrize(
    "entry",
    [
        "(good",
        "good)",
        "(don",
        "d!",
        "!",
        "!!!",
        "(",
        "['",
        "good:",
        "wow!",
        "bad.",
        "].",
        ":",
        '"good"',
        "1st?",
        "#bad",
    ],
)
def test_entries_and_emotes_with_marks_of_their_own_are_found(entry):
    texts = [f"{a}{word}{b}" for a in ("", "(", "['", "#", '"') for word in ODD_WORDS for b in MARKS]
    texts += [f"{entry}{text}" for text in texts] + [f"{text}{entry}" for text in texts]
    lexicon = Lexicon.from_dict({"good": [0.1, 0.2, 0.7], "bad": [0.7, 0.2, 0.1], "don't": [0.3, 0.4, 0.3]})
    with_entry = lexicon.merge(Lexicon.from_dict({entry: [0.2, 0.2, 0.6]}))
    for known, tokenizer in ((with_entry, None), (lexicon, SocialTokenizer([entry])), (with_entry, SocialTokenizer())):
        fast = LexiconLabeler(known, tokenizer=tokenizer)
        slow = LexiconLabeler(known, tokenizer=lambda text, fast=fast: tuple(fast.tokenizer(text)))
        assert [*fast.label(texts).spans] == [*slow.label(texts).spans]


def test_emoji_in_a_row_are_cut_as_the_tokenizer_cuts_them():
    signs = [*"😂❤👍☺©ℹ🏽🇩🇪1#a\u200d\ufe0f\ufe0e\u20e3\U000e0067\U000e007f", "👩🏽\u200d🚀", "😂😂"]
    entries = ["😂", "❤", "👍", "ℹ", "🇩🇪", "1\u20e3", "👩\u200d🚀", "a"]
    fast, slow = fast_and_slow(Lexicon.from_dict({entry: [0.1, 0.2, 0.7] for entry in entries}))
    texts = ["".join(row) for n in (1, 2, 3) for row in itertools.product(signs, repeat=n)]
    a, b = fast.label(texts).spans, slow.label(texts).spans
    assert [*a] == [*b]
    assert (a.entry == b.entry).all()
    assert fast.label(["😂👍❤", "😂👍🏽❤"]).spans == [[(0, 1), (1, 2), (2, 3)], [(0, 1), (1, 3), (3, 4)]]


def test_the_word_url_is_no_address():
    lexicon = Lexicon.from_dict({"https://Good.com": [0.1, 0.1, 0.8]})
    labels = LexiconLabeler(lexicon, tokenizer=SocialTokenizer()).label(["URL", "url!", "https://bad.com"])
    assert labels.spans == [[], [], [(0, 15)]]


def test_worked_example(lexicon):
    labels = LexiconLabeler(lexicon).label(["so bad", "bad LUL 👍🏽", "hm", "LUL :)"])
    bad, lul, thumb, smile = lexicon["bad"], lexicon["LUL"], lexicon["👍"], lexicon[":)"]
    expected = np.stack([bad, bad * lul * thumb, [0.25, 0.5, 0.25], lul * smile])
    np.testing.assert_allclose(labels.probabilities, expected / expected.sum(1, keepdims=True), rtol=1e-12)
    assert labels.label.tolist() == ["negative", "positive", "neutral", "positive"]
    assert labels.covered.tolist() == [True, True, False, True]
    assert labels.spans == [[(3, 6)], [(0, 3), (4, 7), (8, 10)], [], [(0, 3), (4, 6)]]
    assert labels.spans[-1] == [(0, 3), (4, 6)]
    assert labels.spans[1:3] == [[(0, 3), (4, 7), (8, 10)], []]


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_chunks_equal_whole_texts_and_the_plain_product(texts):
    fast, slow = fast_and_slow(MIXED)
    a, b = fast.label(texts), slow.label(texts)
    assert a.spans == b.spans
    assert a.label.tolist() == b.label.tolist()
    np.testing.assert_allclose(a.probabilities, b.probabilities, rtol=1e-12)
    if "\u0130" in "".join(texts):
        return
    for row, (spans, probabilities) in enumerate(reference(MIXED, texts)):
        assert a.spans[row] == spans
        if spans:
            np.testing.assert_allclose(a.probabilities[row], probabilities, rtol=1e-9)


def test_a_subclass_of_the_tokenizer_is_called():
    class Cutting(SocialTokenizer):
        def __call__(self, text):
            return super().__call__(text.replace("_", " "))

    lexicon = Lexicon.from_dict({"good": [0.1, 0.2, 0.7]})
    assert LexiconLabeler(lexicon, tokenizer=Cutting()).label(["so_good"]).spans == [[(3, 7)]]


def test_an_address_of_the_lexicon_is_found_and_no_other():
    lexicon = Lexicon.from_dict({"https://good.com": [0.1, 0.1, 0.8], "url": [0.2, 0.7, 0.1]})
    labels = LexiconLabeler(lexicon).label(["https://good.com https://bad.com!", "http://good.com/"])
    assert [[*map(labels.spans.entry.__getitem__, range(2))], labels.spans[0]] == [[0, 1], [(0, 16), (17, 32)]]
    assert labels.spans[1] == [(0, 16)]


def test_a_lexicon_with_marks_behind_words_still_finds_them():
    lexicon = Lexicon.from_dict({"wow": [0.1, 0.2, 0.7], "!!!": [0.1, 0.1, 0.8], "Wow!": [0.8, 0.1, 0.1]})
    assert LexiconLabeler(lexicon).label(["wow !!!", "wow!!!", "Wow! ok"]).spans == [
        [(0, 3), (4, 7)],
        [(0, 3), (3, 6)],
        [(0, 4)],
    ]


def test_ten_thousand_tokens_do_not_underflow(lexicon):
    labels = LexiconLabeler(lexicon).label(["good bad meh " * 10_000])
    assert labels.probabilities.sum() == pytest.approx(1)
    shares = np.log([lexicon[token] for token in ("good", "bad", "meh")]).sum(0)
    assert labels.label[0] == lexicon.classes[shares.argmax()]


def test_ties_go_to_the_class_preferred_in_any_order_of_summation():
    lexicon = Lexicon.from_dict(
        {"a": [0.6, 0.1, 0.3], "b": [0.3, 0.1, 0.6], "c": [0.2, 0.2, 0.6], "d": [0.6, 0.2, 0.2]}
    )
    texts = ["a b a b a b c d", "d c b a b a b a", "b"]
    assert LexiconLabeler(lexicon).label(texts).label.tolist() == ["negative", "negative", "positive"]
    preferred = LexiconLabeler(lexicon, tie_order=("positive", "neutral", "negative"))
    assert preferred.label(texts).label.tolist() == ["positive", "positive", "positive"]


def test_a_zero_entry_rules_nothing_out():
    lexicon = Lexicon.from_dict({"never": [1, 0, 0], "good": [0.01, 0.01, 0.98]})
    labels = LexiconLabeler(lexicon, floor=1e-3).label(["never " + "good " * 4])
    assert labels.label[0] == "positive"
    assert (labels.probabilities > 0).all()


def test_any_classes_in_any_order_and_any_tokenizer():
    lexicon = Lexicon.from_dict({"ja ja": [0.9, 0.1], "nein": [0.1, 0.9]}, classes=("yes", "no"))

    def by_comma(text):
        parts = text.split(",")
        ends = np.cumsum([len(part) + 1 for part in parts]) - 1
        return parts, [(int(end) - len(part), int(end)) for part, end in zip(parts, ends)]

    labeler = LexiconLabeler(lexicon, classes=("no", "yes"), default=(0.5, 0.5), tokenizer=by_comma)
    labels = labeler.label(["x,ja ja", "NEIN", "vielleicht"])
    assert labels.label.tolist() == ["yes", "no", "no"]
    assert labels.spans == [[(2, 7)], [(0, 4)], []]
    assert labeler.unreachable == ()


@pytest.mark.parametrize("texts", [["hm"], ["hm", "", None], [""] * 3])
def test_a_column_without_any_signal_gets_the_default(lexicon, texts):
    labels = LexiconLabeler(lexicon).label(texts)
    assert labels.label.tolist() == [None if text is None else "neutral" for text in texts]
    assert (labels.probabilities == [0.25, 0.5, 0.25]).all()
    assert (AverageLabeler(lexicon).label(texts).score == 0).all()


def test_average_is_the_mean_score_with_inclusive_thresholds():
    labeler = AverageLabeler({"a": 0.33, "b": -0.33, "c": 0.34, "d": -0.34, "e": 0.32})
    labels = labeler.label(["a", "b", "c", "d", "a a a", "c e", "x", "c d d"])
    assert labels.label.tolist() == [
        "neutral",
        "neutral",
        "positive",
        "negative",
        "neutral",
        "neutral",
        "neutral",
        "neutral",
    ]
    assert labels.score[-1] == pytest.approx(-0.34 / 3)
    assert labels.score[6] == 0
    assert not labels.covered[6]


def test_average_uses_the_lexicon_scores(lexicon):
    assert AverageLabeler(lexicon).label(["good LUL"]).score[0] == pytest.approx((1.9 / 4 + (72 - 11) / 106) / 2)


@pytest.mark.parametrize(
    "column",
    [
        lambda texts: texts,
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        pandas.Series,
        lambda texts: pandas.Series(texts, dtype="category"),
        polars.Series,
        pa.array,
        lambda texts: pa.array(texts, pa.large_string()),
        lambda texts: pa.array(texts, pa.string_view()),
        lambda texts: pa.array(["?", *texts, "?"]).slice(1, len(texts)),
        lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
        lambda texts: pa.array(texts).dictionary_encode(),
    ],
)
def test_every_column_of_strings_gives_the_same(lexicon, column):
    texts = ["good 😂 LUL", "", "bad ❤️:)"]
    labels = LexiconLabeler(lexicon).label(column(texts))
    assert labels.label.tolist() == ["positive", "neutral", "positive"]
    assert labels.spans == [[(0, 4), (5, 6), (7, 10)], [], [(0, 3), (4, 6), (6, 8)]]


def test_odd_texts(lexicon):
    labeler = LexiconLabeler(lexicon)
    texts = [
        None,
        "",
        "\ud83d good \udc00",
        "\0good\0",
        "رائع good",
        "😂" * 10_000,
        "x" * 1_000_000 + " good",
        math.nan,
    ]
    labels = labeler.label(texts)
    assert labels.label.tolist() == [None, "neutral", *["positive"] * 5, None]
    assert labels.spans[2:5] == [[(2, 6)], [(1, 5)], [(5, 9)]]
    assert len(labels.spans[5]) == 10_000
    assert labels.spans[6] == [(1_000_001, 1_000_005)]
    assert not labels.covered[0]
    assert np.isfinite(labels.probabilities).all()
    raw = pa.Array.from_buffers(pa.string(), 2, pa.array([b"good", b"\xff\xfe bad \xc3"]).buffers())
    assert labeler.label(raw).spans == [[(0, 4)], [(3, 6)]]
    assert len(labeler.label([])) == 0
    assert labeler.label([None]).label.tolist() == [None]


@pytest.mark.parametrize(
    "texts", ["good", b"good", [1, 2], ["a", 1], np.arange(3), pa.array([1]), pa.array([b"a"]), [["a"]]]
)
def test_other_columns_are_type_errors(lexicon, texts):
    with pytest.raises(TypeError, match="texts: expected"):
        LexiconLabeler(lexicon).label(texts)


def test_explain_says_what_each_token_says(lexicon):
    explanation = LexiconLabeler(lexicon).explain("So GOOD PogChamp 👍🏽")
    assert [(s.text, s.entry, s.start, s.end) for s in explanation.signals] == [
        ("GOOD", "good", 3, 7),
        ("PogChamp", "PogChamp", 8, 16),
        ("👍🏽", "👍", 17, 19),
    ]
    assert explanation.signals[0].value == tuple(lexicon["good"])
    assert explanation.label == "positive"
    assert sum(explanation.value) == pytest.approx(1)
    assert str(explanation).splitlines()[-1].startswith("= positive")
    assert AverageLabeler(lexicon).explain("bad").value == -2.5 / 4
    assert LexiconLabeler(lexicon).explain("").signals == ()


def test_entries_that_no_text_can_contain_are_named(lexicon):
    assert LexiconLabeler(lexicon).unreachable == ("can't stand",)


def test_long_columns_are_cut_into_parts_and_give_the_same(lexicon, monkeypatch):
    texts = ["good", "", "bad 😂", "x" * 50, "LUL :)"] * 20
    whole = LexiconLabeler(lexicon).label(texts)
    monkeypatch.setattr("lexicon_weaklabel._texts._SLICE_BYTES", 16)
    parts = LexiconLabeler(lexicon).label(texts)
    assert parts.spans == whole.spans
    assert (parts.probabilities == whole.probabilities).all()


def test_labelers_are_pickled_whole(lexicon):
    for labeler in (LexiconLabeler(lexicon), AverageLabeler(lexicon)):
        copy = pickle.loads(pickle.dumps(labeler))
        assert copy.fingerprint() == labeler.fingerprint()
        assert copy.label(["good LUL"]).spans == [[(0, 4), (5, 8)]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ("a", "b", "c")}, "classes: expected the classes"),
        ({"tie_order": ("negative",)}, "tie_order: expected the classes"),
        ({"default": (0.5, 0.5)}, "default: expected probabilities of the 3 classes"),
        ({"default": (0.5, 0.5, 0.5)}, "default: expected probabilities"),
        ({"default": (-0.5, 0.5, 1)}, "default: expected between 0 and 1"),
        ({"floor": 0}, "floor: expected between 0 and 1"),
    ],
)
def test_bad_options_are_named(lexicon, options, message):
    with pytest.raises(ValueError, match=message):
        LexiconLabeler(lexicon, **options)


def test_wrong_lexica_and_tokenizers(lexicon):
    with pytest.raises(TypeError, match="lexicon: expected a Lexicon, got dict"):
        LexiconLabeler({"a": [1, 0, 0]})
    with pytest.raises(TypeError, match="tokenizer: expected a callable"):
        LexiconLabeler(lexicon, tokenizer="words")
    with pytest.raises(ValueError, match=r"lexicon: expected scores in \[-1, 1\]"):
        AverageLabeler({"a": 2.0})
    with pytest.raises(ValueError, match="classes: expected three names"):
        AverageLabeler({"a": 1.0}, classes=("a", "b"))


def test_the_default_tokenizer_is_a_social_tokenizer_with_the_emotes(lexicon):
    tokenizer = LexiconLabeler(lexicon).tokenizer
    assert isinstance(tokenizer, SocialTokenizer)
    assert {"PogChamp", ":)"} <= tokenizer.emotes
