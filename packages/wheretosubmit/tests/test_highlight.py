import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wheretosubmit import Highlight
from wheretosubmit._render import PALETTES

HOSTILE = [
    "<script>alert(1)</script>",
    "\" onmouseover='x' &amp;",
    "nul\x00 and escape \x1b[31m",
    "lone \ud800 surrogate",
    "שלום עולם",
    "👩‍👩‍👧‍👦🏳️‍🌈" * 50,
    "\\input{x} 100% $x_1^2$ {#~}",
]


class Page(HTMLParser):
    """Tags, the text inside marks, and all text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.marks, self.text, self.inside = [], [], "", False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "mark":
            self.marks.append(("", float(dict(attrs)["title"])))

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        self.text += data
        if self.tags and self.get_starttag_text().startswith("<mark") and self.marks and not self.marks[-1][0]:
            self.marks[-1] = (data, self.marks[-1][1])


def test_needs_no_torch_and_no_numpy():
    code = (
        "import sys; from wheretosubmit import Highlight; assert not {'torch', 'numpy', 'IPython'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_html_shows_each_score_on_its_token():
    page = Page(Highlight(["good", "dull", "bad"], [0.5, 0.0, -0.25], text="good, dull (bad)").to_html())
    assert page.marks == [("good", 0.5), ("bad", -0.25)]
    assert page.text == "good, dull (bad)"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text):
    highlight = Highlight([text], [1.0])
    printed = re.sub("[\x00\x1b\ud800]", "\ufffd", text)
    html = Page(highlight.to_html())
    assert html.tags == ["span", "mark"]
    assert html.text == printed
    image = ElementTree.fromstring(highlight.to_svg())
    shown = "".join(node.text for node in image.iter("{http://www.w3.org/2000/svg}text"))
    assert shown == re.sub(r"\s", "", printed)
    escapes = re.findall("\x1b[^m]*m", highlight.to_ansi())
    assert escapes == ["\x1b[38;2;0;0;0;48;2;102;187;106;4m", "\x1b[0m"]
    assert json.loads(highlight.to_json())["tokens"] == [text]
    for rendered in (highlight.to_html(), highlight.to_ansi(), highlight.to_latex(), highlight.to_svg()):
        rendered.encode()


def test_latex_escapes_what_means_something():
    latex = Highlight(["\\input{x}", "100%", "$a_1^2$", "#~&"], [1, -1, 0, 0]).to_latex()
    body = (
        r"\colorbox[HTML]{66BB6A}{\strut \underline{\textbackslash{}input\{x\}}} \colorbox[HTML]{EF7368}{\strut 100\%} "
    )
    assert latex == rf"{{\setlength{{\fboxsep}}{{1pt}}{body}\$a\_1\textasciicircum{{}}2\$ \#\textasciitilde{{}}\&}}"


def test_svg_breaks_lines():
    image = ElementTree.fromstring(Highlight(["word"] * 10 + ["x" * 25], [1.0] * 11).to_svg(columns=10))
    assert image.get("viewBox") == "0 0 100 192"  # ten words on five lines, the long one on three
    rectangles = [node for node in image.iter("{http://www.w3.org/2000/svg}rect") if node.get("x")]
    assert all(int(node.get("x")) + int(node.get("width")) <= 100 for node in rectangles)


def test_svg_gives_joined_emoji_and_marks_no_more_room_than_they_need():
    widths = {}
    for word in ("👩‍👩‍👧", "cafe\u0301", "深"):
        rectangle = ElementTree.fromstring(Highlight([word], [1.0]).to_svg())[1]
        widths[word] = int(rectangle.get("width"))
    assert list(widths.values()) == [60, 40, 20]  # three emoji of two letters each, four letters, one wide letter


def contrast(colour):
    """Return the WCAG contrast of black on a colour."""
    channels = [c / 255 for c in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return (np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05) / 0.05


@pytest.mark.parametrize("palette", PALETTES)
def test_black_is_readable_on_every_colour(palette):
    assert all(contrast(colour) > 7 for colour in PALETTES[palette])


def test_palettes_differ_and_the_line_tells_the_sign_without_colour():
    green, blue = (Highlight(["a", "b"], [1, -1], palette=palette).to_html() for palette in PALETTES)
    assert green != blue
    for html in (green, blue):
        assert re.findall("solid|dotted", html) == ["solid", "dotted"]


def test_scale_makes_highlights_comparable():
    weak, strong = Highlight(["a"], [0.1]), Highlight(["a"], [1.0])
    assert weak.to_html().replace("0.1", "1") == strong.to_html()
    assert "#f0f8f0" in Highlight(["a"], [0.1], scale=1.0).to_html()


def test_equal_tokens_are_found_in_order_and_spans_win():
    highlight = Highlight(["a", "a"], [1, -1], text="banana")
    assert highlight.spans == [(1, 2), (3, 4)]
    assert Highlight(["a", "a"], [1, -1], text="banana", spans=[(3, 4), (5, 6)]).spans == [(3, 4), (5, 6)]


def test_words_phrases_and_merged():
    highlight = Highlight(
        ["Deep", "nets", "and", "deep", "seas"], [0.4, 0.3, 0.0, -0.1, -0.2], text="Deep nets and deep seas"
    )
    assert highlight.words()[0] == ("deep", pytest.approx(0.3))
    assert highlight.phrases() == [("Deep nets", pytest.approx(0.7)), ("deep seas", pytest.approx(-0.3))]
    assert highlight.phrases(threshold=0.5) == [("Deep nets", pytest.approx(0.7)), ("seas", pytest.approx(-0.2))]
    pieces = Highlight(["[CLS]", "par", "sing", "it"], [9, 1, 2, 4], text="[CLS]parsing it").merged([None, 0, 0, 1])
    assert (pieces.tokens, pieces.scores) == (["parsing", "it"], [3.0, 4.0])


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.text(min_size=1), st.floats(-1e6, 1e6))))
def test_any_tokens_make_well_formed_output(pairs):
    highlight = Highlight([token for token, _ in pairs], [score for _, score in pairs])
    assert Page(highlight.to_html()).tags.count("span") == 1
    ElementTree.fromstring(highlight.to_svg())
    assert json.loads(highlight.to_json())["spans"] == [list(span) for span in highlight.spans]
    assert sum(score for _, score in highlight.words()) == pytest.approx(sum(highlight.scores), abs=1e-6)


def test_no_tokens():
    assert Highlight([], []).to_html() == '<span class="highlight"></span>'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": [1.0]}, r"scores: expected one per token, got tokens \(2,\), scores \(1,\)"),
        ({"scores": [1.0, np.nan]}, "scores: expected finite numbers, got nan for 'b'"),
        ({"text": "a only"}, "text: expected the token 'b' behind character 1, got  only"),
        ({"text": "ab", "spans": [(0, 1)]}, r"spans: expected one per token, got tokens \(2,\), spans \(1,\)"),
        ({"text": "ab", "spans": [(1, 2), (0, 1)]}, r"spans: expected ascending places .* got \(0, 1\)"),
        ({"text": "ab", "spans": [(0, 1), (1, 9)]}, r"spans: expected ascending places .* got \(1, 9\)"),
        ({"palette": "rainbow"}, "palette: expected 'green-red' or 'blue-orange', got rainbow"),
        ({"scale": 0}, "scale: expected a positive number, got 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Highlight(**{"tokens": ["a", "b"], "scores": [1.0, 2.0], **arguments})
