"""Lexica to soft labels at corpus scale, and masking of the words that gave them."""

from ._corpus import label_corpus
from ._labelers import AverageLabeler, LexiconLabeler
from ._labels import Labels, ScoredLabels
from ._lexicon import Lexicon
from ._masking import SignalMasker
from ._tokenizer import SocialTokenizer
from ._word2vec import WordVectors, read_word2vec, train_word2vec

__all__ = [
    "AverageLabeler",
    "Labels",
    "Lexicon",
    "LexiconLabeler",
    "ScoredLabels",
    "SignalMasker",
    "SocialTokenizer",
    "WordVectors",
    "label_corpus",
    "read_word2vec",
    "train_word2vec",
]
