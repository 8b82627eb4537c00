"""10,605 movie review snippets, each rated from -4 to 4 by 15 people or more (Hutto and Gilbert 2014, MIT licence)."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo.data.cache import CACHE

SDIST = "vaderSentiment-3.3.2"
MEMBERS = (
    f"{SDIST}/additional_resources/hutto_ICWSM_2014.tar.gz",
    "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
)


def load_movies() -> tuple[list[str], NDArray[np.float64]]:
    """Return the snippets and the mean rating of each.

    The wheel of vaderSentiment leaves the ratings out, so pip downloads its sdist once, into the cache.
    """
    path = CACHE / f"{SDIST}.tar.gz"
    if not path.exists():
        _download(path.parent)
    with tarfile.open(path) as sdist, tarfile.open(fileobj=io.BytesIO(_read(sdist, MEMBERS[0]))) as resources:
        lines = _read(resources, MEMBERS[1]).decode().splitlines()
    _, ratings, texts = zip(*(line.split("\t", 2) for line in lines))
    return list(texts), np.array(ratings, dtype=float)


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-binary", ":all:"]
    try:
        subprocess.run([*command, "--dest", folder, SDIST.replace("-", "==")], check=True)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"pip could not download the sdist of {SDIST}; put it into {folder} by hand") from error


def _read(archive: tarfile.TarFile, member: str) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        raise FileNotFoundError(f"no {member} in {archive.name}")
    return file.read()
