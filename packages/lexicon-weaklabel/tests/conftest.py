import pytest
import torch
from lexicon_weaklabel import Lexicon

torch.set_num_threads(1)  # the networks are so small that a second thread waits more than it works

VADER_ROWS = [
    ("good", 1.9, [2, 1, 1, 3, 2, 4, 2, 2, 1, 1]),
    ("bad", -2.5, [-3, -2, -4, -3, -2, -2, -3, -2, -2, -2]),
    ("meh", -0.3, [-1, 0, 0, 0, -1, 0, -1, 0, 0, 0]),
    (":)", 2.0, [2, 2, 1, 1, 1, 1, 4, 3, 4, 1]),
    (":d", 2.3, [3, 2, 2, 2, 2, 3, 3, 2, 2, 2]),
    ("grrr", -0.4, [3, -1, -1, 1, 2, -2, -1, -1, -2, -2]),
    ("can't stand", -2.0, [-2] * 10),
    ("good", 1.0, [1] * 10),
    ("good", 1.9, [2, 1, 1, 3, 2, 4, 2, 2, 1, 1]),
]


@pytest.fixture
def vader_file(tmp_path):
    """A file in VADER's format, with a repeated key."""
    path = tmp_path / "vader_lexicon.txt"
    path.write_text("".join(f"{token}\t{mean}\t0.5\t{ratings}\n" for token, mean, ratings in VADER_ROWS))
    return path


@pytest.fixture
def lexicon(vader_file):
    """Emotes, two emoji, words and emoticons."""
    emoji = Lexicon.from_dict({"😂": [0.2, 0.3, 0.5], "❤": [0.05, 0.15, 0.8], "👍": [0.1, 0.2, 0.7]})
    return Lexicon.twitch_emotes().merge(emoji, Lexicon.from_vader(vader_file))
