"""The three experiments with SimLoss: data, scores and the grid of similarities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import simloss
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor, nn

from demo.chapter import step
from demo.data.cache import cached_array
from demo.data.clipart import load_clipart, open_drawing
from demo.data.glove import load_glove
from demo.data.image_features import image_features
from demo.data.movies import load_movies
from demo.data.solar_cells import load_solar_cells
from demo.training import HIDDEN, Examples, Scores, SparseLinear, ordinal_scores, sparse_rows

REDUCTION_FACTORS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
LOWER_BOUNDS = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]


@dataclass(frozen=True)
class Experiment:
    """Examples and the losses to compare on them."""

    name: str
    title: str
    data: str
    examples: Examples
    class_names: list[str]
    parameter: str
    losses: Mapping[float, nn.Module]
    baseline: float


def movies(factors: Sequence[float] = REDUCTION_FACTORS, snippets: int | None = None) -> Experiment:
    """Ratings of snippets in nine ordered classes."""
    with step("movies: snippets and ratings"):
        texts, ratings = (column[:snippets] for column in load_movies())
        weights = TfidfVectorizer(max_features=4096, sublinear_tf=True).fit_transform(texts)
        # A row has length 1; scaled up, its entries have the size that the initial weights of a layer expect.
        features = sparse_rows(csr_array(weights * weights.shape[1] ** 0.5 / 4))
    return Experiment(
        name="movies",
        title="Movie snippets, nine ratings",
        data=f"Movies: {len(texts):,} snippets of movie reviews, their mean human rating rounded to nine classes from "
        "-4 to 4; TF-IDF of the 4,096 most frequent words (fitted without labels on all snippets).",
        examples=_ordinal_examples(features, np.rint(ratings) + 4, 9, partial(SparseLinear, weights.shape[1], HIDDEN)),
        class_names=[f"{rating:+d}" if rating else "0" for rating in range(-4, 5)],
        parameter="r",
        losses=_ordinal_losses(9, factors),
        baseline=0.0,
    )


def solar_cells() -> Experiment:
    """Defects in four ordered classes."""
    with step("solar cells: photographs and features"):
        photographs, labels = load_solar_cells()
        features = cached_array("solar_cells", lambda: image_features(photographs))
    return Experiment(
        name="solar_cells",
        title="Solar cells, four degrees of defect",
        data=f"Solar cells: {len(labels):,} photographs, defect probability 0, 1/3, 2/3 or 1 (elpv-dataset, CC "
        "BY-NC-SA: evaluation only); frozen features of EfficientNet-Lite0.",
        examples=_ordinal_examples(torch.tensor(features), labels, 4, partial(nn.Linear, features.shape[1], HIDDEN)),
        class_names=["0", "1/3", "2/3", "1"],
        parameter="r",
        losses=_ordinal_losses(4, REDUCTION_FACTORS),
        baseline=0.0,
    )


def clipart() -> Experiment:
    """Folders of drawings, whose names have word vectors."""
    with step("clip art: drawings, features and word vectors"):
        drawings, folders, superclass_of = load_clipart()
        features = cached_array("clipart", lambda: image_features(map(open_drawing, drawings)))
        names = _distinct_names([*superclass_of])
        similarity, known = simloss.word_similarity(names.values(), load_glove(), missing="drop")
    kept = [row for row, folder in enumerate(folders) if names[folder] in known]
    superclass = [parent for folder, parent in superclass_of.items() if names[folder] in known]

    def score(logits: Tensor, target: Tensor) -> Scores:
        return {
            "Acc": (logits.argmax(1) == target).float().mean().item(),
            "SA": simloss.superclass_accuracy(logits, target, superclass).item(),
            "FSA": simloss.failed_superclass_accuracy(logits, target, superclass).item(),
        }

    labels = torch.tensor([known.index(names[folders[row]]) for row in kept])
    return Experiment(
        name="clipart",
        title=f"Clip art, {len(known)} folders",
        data=f"Clip art: {len(kept):,} drawings in {len(known)} folders of openclipart with 20 drawings or more (at "
        f"most 100 of each), {len({*superclass})} superclasses (parent folders), GloVe vectors of the folder names "
        f"({len(names) - len(known)} folders without a vector left out); frozen features of EfficientNet-Lite0.",
        examples=Examples(
            torch.tensor(features[kept]),
            labels,
            len(known),
            partial(nn.Linear, features.shape[1], HIDDEN),
            score,
            stop_by="Acc",
            patience=20,
        ),
        class_names=known,
        parameter="l",
        losses={0.99: nn.CrossEntropyLoss()}
        | {bound: simloss.SimLoss(simloss.lower_bounded_similarity(similarity, bound)) for bound in LOWER_BOUNDS},
        baseline=0.99,
    )


def _ordinal_examples(
    features: Tensor, labels: NDArray[Any], num_classes: int, first_layer: Callable[[], nn.Module]
) -> Examples:
    labels = torch.tensor(labels, dtype=torch.int64)
    return Examples(features, labels, num_classes, first_layer, ordinal_scores, stop_by="MAE", patience=10)


def _ordinal_losses(num_classes: int, factors: Sequence[float]) -> dict[float, nn.Module]:
    """Return cross entropy for a reduction factor of 0, SimLoss for the others."""
    return {
        r: simloss.SimLoss(simloss.OrdinalSimilarity(num_classes, r)) if r else nn.CrossEntropyLoss() for r in factors
    }


def _distinct_names(folders: list[str]) -> dict[str, str]:
    """Return the last part of each folder's path, with the part before it where several paths end alike."""
    last = [folder.rpartition("/")[2] for folder in folders]
    return {
        folder: name if last.count(name) == 1 else " ".join(folder.split("/")[-2:])
        for folder, name in zip(folders, last)
    }
