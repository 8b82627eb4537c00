import pytest
import torch
from wheretosubmit._text import Vocabulary, find_words, split_words


def test_words_and_their_places():
    text = "Don't re-use  GPT_2, naïve שלום!"
    assert split_words(text) == ["don't", "re", "use", "gpt", "2", "naïve", "שלום"]
    assert [text[a:b].lower() for a, b in find_words(text)] == split_words(text)
    assert split_words(text, 2) == ["don't", "re"]


def test_places_survive_letters_that_grow_in_lower_case():
    text = "İİ image"
    assert [text[a:b] for a, b in find_words(text)] == ["İİ", "image"]


def test_vocabulary_counts_and_orders():
    vocabulary = Vocabulary.of(["b a", "b c", "a b d"], min_count=2, limit=2)
    assert vocabulary.words == ["b", "a"]
    assert Vocabulary.of(["a b d", "b a", "b c"], min_count=2, limit=2).words == vocabulary.words


@pytest.mark.parametrize("typo", ["netwrk", "netwoork", "nestwork", "netowrk", "metwork"])
def test_one_typing_error_is_mended(typo):
    assert Vocabulary(["images", "network"]).number(typo) == 2


@pytest.mark.parametrize("other", ["ntwrk", "work", "gan", "2015b", ""])
def test_other_words_are_unknown(other):
    assert Vocabulary(["gans", "network", "2015"]).number(other) == 0


def test_of_two_near_words_the_frequent_one():
    assert Vocabulary(["gated", "gates"]).number("gatex") == 1


def test_encode_fills_up_and_cuts_off():
    vocabulary = Vocabulary(["network", "deep"])
    rows = vocabulary.encode(["deep netwrk x deep", ""], 3, typos=True)
    assert rows.tolist() == [[2, 1, 0], [0, 0, 0]]
    assert rows.dtype == torch.int32
    assert vocabulary.encode(["deep netwrk"], 3, typos=False).tolist() == [[2, 0, 0]]
