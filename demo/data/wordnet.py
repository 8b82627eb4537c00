"""WordNet 3.0 (Debian package ``wordnet-base``, WordNet licence)."""

from __future__ import annotations

from pathlib import Path

from demo.data.debian import debian_folder


def wordnet_folder() -> Path:
    """Return the folder of WordNet's files."""
    return debian_folder("wordnet-base", "/usr/share/wordnet")
