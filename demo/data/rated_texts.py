"""Tweets, reviews and editorials, each rated from -4 to 4 by 10 people or more (Hutto and Gilbert 2014, MIT)."""

from __future__ import annotations

import io
import tarfile

import numpy as np
from numpy.typing import NDArray

from demo.data.cache import CACHE
from demo.data.movies import SDIST, load_movies

FILES = {
    "tweets": "tweets",
    "film reviews": "movieReviewSnippets",
    "product reviews": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
}
CLASSES = ("negative", "neutral", "positive")


def load_rated_texts() -> dict[str, tuple[list[str], NDArray[np.object_]]]:
    """Return the texts of each corpus and their classes: the mean rating, rounded and binned like VADER's ratings."""
    load_movies()  # downloads the archive, once
    resources = f"{SDIST}/additional_resources/hutto_ICWSM_2014.tar.gz"
    corpora = {}
    with tarfile.open(CACHE / f"{SDIST}.tar.gz") as sdist:
        inner = sdist.extractfile(resources)
        assert inner is not None
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as archive:
            for name, file in FILES.items():
                member = archive.extractfile(f"hutto_ICWSM_2014/{file}_GroundTruth.txt")
                assert member is not None
                rows = [line.split("\t", 2) for line in member.read().decode("utf-8", "replace").splitlines()]
                ratings = np.array([float(rating) for _, rating, _ in rows])
                bins = 1 + (ratings > 1.5).astype(int) - (ratings < -1.5)
                corpora[name] = [text for _, _, text in rows], np.array(CLASSES, dtype=object)[bins]
    return corpora
