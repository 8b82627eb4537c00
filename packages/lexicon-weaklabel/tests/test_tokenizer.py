import emoji
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lexicon_weaklabel import SocialTokenizer

TOKENIZER = SocialTokenizer(emotes=["PogChamp", "LUL", "B)", "R&R", "d:"])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, World", ["hello", ",", "world"]),
        ("PogChamp LUL pogchamp lul", ["PogChamp", "LUL", "pogchamp", "lul"]),
        ("I loooove it sooooooo MUUUUCH", ["i", "loove", "it", "soo", "muuch"]),
        ("1000 !!!! ....", ["1000", "!!!!", "...."]),
        ("too bad...ok", ["too", "bad", "...", "ok"]),
        ("bad...", ["bad", "..."]),
        ("see https://t.co/aB?x=1&y=2, ok", ["see", "URL", ",", "ok"]),
        ("(www.twitch.tv/videos/1).", ["(", "URL", ")", "."]),
        ("go to twitch.tv/me now", ["go", "to", "URL", "now"]),
        ("mail me@example.com", ["mail", "me", "@example", ".", "com"]),
        ("nice:) :-D XD xD ;P", ["nice", ":)", ":-D", "XD", "xD", ";P"]),
        ("<3 </3 ^_^ O_o T_T", ["<3", "</3", "^_^", "O_o", "T_T"]),
        (
            "at 10:30 (chapter:8) key:(value)",
            ["at", "10", ":", "30", "(", "chapter", ":", "8", ")", "key", ":", "(", "value", ")"],
        ),
        ("B) ABd: R&R", ["B)", "abd", ":", "R&R"]),
        ("don't well-known it’s", ["don't", "well-known", "it’s"]),
        ("#love @happy_one", ["#", "love", "@happy_one"]),
        ("👨‍👩‍👧‍👦👍🏽🇩🇪🇫🇷❤️‍🔥1️⃣🏴󠁧󠁢󠁥󠁮󠁧󠁿ok", ["👨‍👩‍👧‍👦", "👍🏽", "🇩🇪", "🇫🇷", "❤️‍🔥", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "ok"]),
        ("hi👩🏽‍🚀you 🧑🏻‍🤝‍🧑🏿🏳️‍🌈👁️‍🗨️", ["hi", "👩🏽‍🚀", "you", "🧑🏻‍🤝‍🧑🏿", "🏳️‍🌈", "👁️‍🗨️"]),
        ("👍🏻👍🏼👍🏽👍🏾👍🏿👍\u200d 🏽", ["👍🏻", "👍🏼", "👍🏽", "👍🏾", "👍🏿", "👍", "🏽"]),
        ("☺☺\ufe0f☺\ufe0e©️", ["☺", "☺\ufe0f", "☺\ufe0e", "©️"]),
        ("🇺🇸🇺🇸x🇺 🇩🇪🇫🇷🇺", ["🇺🇸", "🇺🇸", "x", "🇺", "🇩🇪", "🇫🇷", "🇺"]),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿🏴󠁧󠁢󠁷󠁬󠁳󠁿🏴ok", ["🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "🏴", "ok"]),
        ("1️⃣2️⃣#️⃣*️⃣1⃣ 12 #1", ["1️⃣", "2️⃣", "#️⃣", "*️⃣", "1⃣", "12", "#", "1"]),
        (
            ":-) >:( :'( :| =/ :o) :-* (: :)) -_- :3",
            [":-)", ">:(", ":'(", ":|", "=/", ":o)", ":-*", "(:", ":))", "-_-", ":3"],
        ),
        (
            "bad...https://t.co/x bad...com no.good e.g. end.Net",
            ["bad", "...", "URL", "bad", "...", "com", "no", ".", "good", "e", ".", "g", ".", "end", ".", "net"],
        ),
        ("HTTPS://T.CO/A WWW.X.DE EXAMPLE.COM/a http:// x", ["URL", "URL", "URL", "http", "://", "x"]),
        (
            "yessss!!!! ДААААА éééé e\u0301e\u0301e\u0301 __init__",
            ["yess", "!!!!", "даа", "éé", "e\u0301e\u0301", "__init__"],
        ),
        ("\ud83d good\udc00bad \0x\ufffdy", ["good", "bad", "x", "\ufffd", "y"]),
        ("عربي\u200fgood\u202c :) \u2067שלום\u2069", ["عربي", "good", ":)", "שלום"]),
        ("日本語 한국어 ไทย", ["日本語", "한국어", "ไทย"]),
        ("שלום עולם مرحبا", ["שלום", "עולם", "مرحبا"]),
        ("नमस्ते e\u0301te\u0301", ["नमस्ते", "e\u0301te\u0301"]),
        ("a\0b\u200bc\u3000d", ["a", "b", "c", "d"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_tokens_of_social_media(text, tokens):
    assert TOKENIZER(text).tokens == tokens


def test_every_emoji_of_unicode_is_one_token():
    known = [
        e
        for e, data in emoji.EMOJI_DATA.items()
        if data["status"] <= emoji.STATUS["minimally_qualified"] and data["E"] <= 15
    ]
    assert len(known) > 3500
    broken = [e for e in known if SocialTokenizer()(e).tokens != [e]]
    assert broken == []
    joined = ",".join(known)
    assert [token for token in SocialTokenizer()(joined).tokens if token != ","] == known


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.text(
        alphabet=st.characters() | st.sampled_from(list(":;=()<>3DdPpXx.,!?/@#'’-_ \tabcLUL👍🏽\u200d🇩🇪")), max_size=40
    )
)
def test_spans_are_where_the_tokens_are(text):
    tokens, spans = TOKENIZER(text)
    assert len(tokens) == len(spans)
    ends = [0, *(end for _, end in spans)]
    for token, (start, end), before in zip(tokens, spans, ends):
        assert before <= start < end <= len(text)
        written = text[start:end]
        assert not any(character.isspace() for character in written)
        if token not in (written, "URL"):
            assert len(token) <= len(written.lower())
    # What lies between two tokens is white space or unprintable.
    between = [text[a:b] for a, b in zip(ends, [*(start for start, _ in spans), len(text)])]
    assert not any(character.isalnum() for gap in between for character in gap)


def test_pieces_leave_nothing_out():
    text = "So GOOOOD:) 👍🏽\0\u200b www.x.com/?"
    assert "".join(TOKENIZER.pieces(text)) == text


@pytest.mark.parametrize(
    "text", ["a.b." * 25_000, "http://" + "." * 100_000, "T" + "_" * 100_000, ":(" * 50_000 + "x", "<" * 100_000]
)
def test_no_text_takes_long(text):
    # A backtracking pattern would take minutes.
    assert len(TOKENIZER(text).tokens) >= 1


def test_a_text_of_a_megabyte_and_ten_thousand_emoji():
    tokens, spans = TOKENIZER("good BAD 👍🏽 " * 83_334)
    assert len(tokens) == 3 * 83_334
    assert tokens[-3:] == ["good", "bad", "👍🏽"]
    assert spans[-1] == (12 * 83_333 + 9, 12 * 83_333 + 11)
    tokens, spans = TOKENIZER("👩🏽‍🚀" * 10_000)
    assert set(tokens) == {"👩🏽‍🚀"}
    assert spans[-1] == (4 * 9_999, 4 * 10_000)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="text: expected a string, got NoneType"):
        TOKENIZER(None)
    with pytest.raises(TypeError, match="emotes: expected a sequence of strings, got str"):
        SocialTokenizer(emotes="LUL")
    with pytest.raises(ValueError, match=r"emotes: expected tokens without white space, got \['a b'\]"):
        SocialTokenizer(emotes=["a b"])
