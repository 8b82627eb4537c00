"""Training of a small classifier on fixed features, the same way for each loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

Scores = dict[str, float]
HIDDEN = 64


@dataclass(frozen=True)
class Examples:
    """Features and classes ``(n,)``, and how predictions are scored."""

    features: Tensor
    labels: Tensor
    num_classes: int
    first_layer: Callable[[], nn.Module]  # from features to HIDDEN units
    score: Callable[[Tensor, Tensor], Scores]
    stop_by: str  # the validation metric that chooses the epoch
    patience: int

    def split(self, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rows of training, validation and test: 60, 20 and 20 %, drawn anew for each seed."""
        rows = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(seed))
        return rows.tensor_split([len(rows) * 60 // 100, len(rows) * 80 // 100])


class SparseLinear(nn.Module):
    """``nn.Linear`` for rows that are nearly all zero: ``(n, 2, width)``, the columns of a row and their values."""

    def __init__(self, num_features: int, out_features: int) -> None:
        super().__init__()
        dense = nn.Linear(num_features, out_features)
        self.columns = nn.EmbeddingBag.from_pretrained(dense.weight.detach().T.contiguous(), freeze=False, mode="sum")
        self.bias = dense.bias

    def forward(self, rows: Tensor) -> Tensor:
        """Return ``(n, out_features)``."""
        columns, values = rows.unbind(1)
        return self.columns(columns.long(), per_sample_weights=values) + self.bias


def sparse_rows(matrix: csr_array) -> Tensor:
    """Return the rows of a sparse matrix as ``SparseLinear`` takes them, short ones filled with zeros."""
    counts = np.diff(matrix.indptr)
    filled = np.arange(counts.max()) < counts[:, None]
    rows = np.zeros((len(counts), 2, counts.max()), dtype=np.float32)
    rows[:, 0][filled], rows[:, 1][filled] = matrix.indices, matrix.data
    return torch.from_numpy(rows)


@dataclass(frozen=True)
class Trained:
    """The best epoch of a run."""

    scores: dict[str, Scores]
    probabilities: Tensor
    targets: Tensor


def train_classifier(examples: Examples, loss: nn.Module, seed: int, epochs: int) -> Trained:
    """Train one hidden layer with Adam (0.001) until the validation metric has not improved for some epochs.

    The seed draws split, weights, batches and dropout, so that two losses differ in nothing else.
    """
    training, validation, test = examples.split(seed)
    features, labels = examples.features, examples.labels
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            examples.first_layer(), nn.ReLU(), nn.Dropout(0.5), nn.Linear(HIDDEN, examples.num_classes)
        )
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        best, best_epoch, state = -float("inf"), 0, network.state_dict()
        for epoch in range(epochs):
            network.train()
            for batch in training[torch.randperm(len(training))].split(256):
                optimizer.zero_grad()
                loss(network(features[batch]), labels[batch]).backward()
                optimizer.step()
            validated = examples.score(predict(network, features[validation]), labels[validation])[examples.stop_by]
            quality = -validated if is_error(examples.stop_by) else validated
            if quality > best:
                best, best_epoch = quality, epoch
                state = {name: value.clone() for name, value in network.state_dict().items()}
            elif epoch - best_epoch >= examples.patience:
                break
    network.load_state_dict(state)
    outputs = {name: predict(network, features[rows]) for name, rows in (("val", validation), ("test", test))}
    scores = {
        "val": examples.score(outputs["val"], labels[validation]),
        "test": examples.score(outputs["test"], labels[test]),
    }
    return Trained(scores, outputs["test"].softmax(1), labels[test])


def constant_scores(examples: Examples, seed: int) -> Scores:
    """Return the test scores of the best constant answer, chosen per metric on the training rows."""
    training, _, test = examples.split(seed)
    answers = torch.eye(examples.num_classes)

    def scores(rows: Tensor) -> list[Scores]:
        labels = examples.labels[rows]
        return [examples.score(answer.expand(len(rows), -1), labels) for answer in answers]

    seen, unseen = scores(training), scores(test)
    best = {
        metric: (min if is_error(metric) else max)(range(len(seen)), key=lambda i: seen[i][metric])
        for metric in seen[0]
    }
    return {metric: unseen[answer][metric] for metric, answer in best.items()}


@torch.inference_mode()
def predict(network: nn.Module, features: Tensor) -> Tensor:
    """Return the logits ``(n, c)``."""
    return network.eval()(features)


def is_error(metric: str) -> bool:
    """Tell whether lower is better."""
    return metric in {"MAE", "MSE"}


def ordinal_scores(logits: Tensor, target: Tensor) -> Scores:
    """Return accuracy, mean absolute and mean squared error of the predicted class."""
    distance = (logits.argmax(1) - target).abs().float()
    return {
        "Acc": (distance == 0).float().mean().item(),
        "MAE": distance.mean().item(),
        "MSE": distance.square().mean().item(),
    }
