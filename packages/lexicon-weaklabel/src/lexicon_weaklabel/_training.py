"""Training of the network on weak labels: masked inputs, soft targets, early stopping, resumable."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._checks import (
    check_counts,
    check_finite,
    check_number,
    check_path,
    check_seed,
    check_share,
    check_type,
    checked_tuple,
)
from ._classifier import TextClassifier, padded
from ._core import shape_error, track, value_error
from ._labels import Labels
from ._masking import SignalMasker
from ._sources import naming
from ._torch import F, Tensor, read_tensors, torch, write_tensors
from ._word2vec import WordVectors

_ADAM = ("exp_avg", "exp_avg_sq", "step")  # what it keeps for each parameter


@dataclass(frozen=True)
class Trained:
    """What ``train_textcnn`` returns.

    Attributes:
        model: the classifier in the state of the lowest validation loss.
        losses: the validation loss after each period, from the first.
        best: number of the period that was kept, from 0.
        held_out: rows of the texts used for validation.
    """

    model: TextClassifier
    losses: list[float]
    best: int
    held_out: NDArray[np.int64]


def train_textcnn(
    texts: Any,
    labels: Labels,
    vectors: WordVectors,
    *,
    emotes: Sequence[str] = (),
    mask: float = 0.5,
    uncertain: Literal["target", "drop", "weight"] = "target",
    uncertain_weight: float = 0.1,
    filters: int = 182,
    widths: Sequence[int] = (3, 4, 5),
    dropout: float = 0.27,
    static: bool = False,
    learning_rate: float = 1e-3,
    batch_size: int = 2816,
    check_every: int = 500,
    patience: int = 5,
    max_checks: int = 1000,
    validation: float = 0.2,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> Trained:
    """Train a ``TextCNN`` on weak labels, with signal tokens hidden at random.

    Args:
        texts: the ``n`` texts that were labelled.
        labels: what a ``LexiconLabeler`` returned for them; its probabilities are the targets.
        vectors: word vectors; words without one become the zero vector.
        emotes: tokens that keep their spelling, such as ``labeler.tokenizer.emotes``.
        mask: probability of each occurrence of a signal token to become the zero vector; 0 switches masking off.
        uncertain: what becomes of training texts without signal: ``"target"`` trains on the labeler's default,
            ``"drop"`` leaves them out, ``"weight"`` multiplies their loss by ``uncertain_weight``.
        uncertain_weight: see ``uncertain``.
        filters: see ``TextCNN``; so for ``widths``, ``dropout`` and ``static``.
        widths: of the convolutions.
        dropout: on the pooled features.
        static: do not train the word vectors.
        learning_rate: of Adam.
        batch_size: texts per step.
        check_every: steps between two checks of the validation loss.
        patience: checks without a lower validation loss before training ends.
        max_checks: at most so many checks.
        validation: share of the texts held out, which are neither masked nor trained on.
        seed: of everything random.
        device: where to train.
        checkpoint: file to keep the state in after each check; training continues from it if it exists.
        progress: ``True`` shows a bar, ``None`` only on a terminal.

    Raises:
        ValueError: labels for another number of texts, options out of range, nothing to train on.

    Reference:
        Chapter 15.1.2 and 15.2; the alternatives for uncertain texts are its outlook.
    """
    check_counts(batch_size=batch_size, check_every=check_every, max_checks=max_checks)
    check_number("patience", patience, "a number of checks")
    check_share("mask", mask)
    check_finite("learning_rate", learning_rate, zero=True)
    check_finite("uncertain_weight", uncertain_weight, zero=False)
    check_number("validation", validation, "a share between 0 and 1")
    check_seed(seed, below=2**32)
    try:
        torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise value_error("device", "the name of a device", device) from error
    check_type("labels", labels, Labels, "what a LexiconLabeler returned")
    check_type("vectors", vectors, WordVectors, "WordVectors")
    checked_tuple("widths", widths, "a sequence of integers")
    if checkpoint is not None:
        check_path("checkpoint", checkpoint)
    if uncertain not in ("target", "drop", "weight"):
        raise value_error("uncertain", "'target', 'drop' or 'weight'", uncertain)
    if not 0 < validation < 1:
        raise value_error("validation", "a share between 0 and 1", validation)
    options = {"filters": filters, "widths": list(widths), "dropout": dropout, "static": static}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = TextClassifier(vectors, classes=labels.classes, emotes=emotes, options=options)
        data = _Data(model, texts, labels, uncertain, uncertain_weight, validation, seed)
        model.network.to(device)
        optimizer = torch.optim.Adam((p for p in model.network.parameters() if p.requires_grad), lr=learning_rate)
        state = _State(model, optimizer, None if checkpoint is None else Path(checkpoint))
        periods = range(len(state.losses), max_checks)
        for period in track(periods, "training", progress=progress):
            if len(state.losses) - 1 - state.best >= patience:
                break
            torch.manual_seed(seed + 1 + period)  # so that a resumed run draws what an uninterrupted one draws
            masker = SignalMasker(mask, seed=seed + 1 + period)
            model.network.train()
            for step in range(period * check_every, (period + 1) * check_every):
                ids, target, weight = data.batch(step, batch_size, masker, device)
                optimizer.zero_grad()
                loss = F.cross_entropy(model.network(ids), target, reduction="none")
                ((loss * weight).sum() / weight.sum()).backward()
                optimizer.step()
            state.add(data.validation_loss(model))
    state.restore_best()
    return Trained(model, state.losses, state.best, data.held_out)


class _Data:
    """Encoded texts, their signals and targets."""

    def __init__(
        self,
        model: TextClassifier,
        texts: Any,
        labels: Labels,
        uncertain: str,
        uncertain_weight: float,
        validation: float,
        seed: int,
    ) -> None:
        self.ids, token_spans = model.encode(texts)
        if len(self.ids) != len(labels):
            raise shape_error("labels", "one per text", {"texts": (len(self.ids),), "labels": (len(labels),)})
        self.signals = [
            np.array([span in signal for span in spans], dtype=bool)
            for spans, signal in zip(token_spans, map(set, labels.spans))
        ]
        self.targets = labels.probabilities.astype(np.float32)
        self.weights = np.where(labels.covered, 1.0, uncertain_weight if uncertain == "weight" else 1.0)
        order = np.random.default_rng(seed).permutation(len(self.ids))
        self.held_out, training = np.split(order, [round(validation * len(order))])
        self.training = training[labels.covered[training]] if uncertain == "drop" else training
        if len(self.training) == 0 or len(self.held_out) == 0:
            raise value_error("texts", "enough for training and validation", f"{len(self.ids)} texts")
        self.seed = seed

    def batch(self, step: int, size: int, masker: SignalMasker, device: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return the masked ids, targets and weights of one step; the texts are shuffled in each epoch."""
        steps = -(-len(self.training) // size)
        epoch, number = divmod(step, steps)
        order = np.random.default_rng([self.seed, epoch]).permutation(self.training)
        rows = order[number * size : (number + 1) * size]
        ids = masker.mask_ids(padded([self.ids[row] for row in rows]), padded([self.signals[row] for row in rows]))
        weights = self.weights[rows].astype(np.float32)
        ids_, target, weight = (torch.from_numpy(values).to(device) for values in (ids, self.targets[rows], weights))
        return ids_, target, weight

    def validation_loss(self, model: TextClassifier) -> float:
        """Return the mean cross entropy of the texts held out."""
        probabilities = model.predict_ids([self.ids[row] for row in self.held_out]).astype(np.float64)
        losses = -(self.targets[self.held_out] * np.log(np.maximum(probabilities, 1e-12))).sum(1)
        weights = self.weights[self.held_out]
        return float((losses * weights).sum() / weights.sum())


class _State:
    """The course of the training, kept in a file if there is one."""

    def __init__(self, model: TextClassifier, optimizer: torch.optim.Adam, path: Path | None) -> None:
        self.model, self.optimizer, self.path = model, optimizer, path
        self.losses: list[float] = []
        self.best = 0
        self.best_state = self._network_state()
        if path is not None:
            for leftover in path.parent.glob(f".{glob.escape(path.stem)}-{8 * '[0-9a-f]'}{glob.escape(path.suffix)}"):
                leftover.unlink(missing_ok=True)  # of a run that was killed while it wrote
            if path.exists():
                self._read(path)

    def add(self, loss: float) -> None:
        """Note the loss of a period, and keep the network if it is the lowest."""
        if loss < min(self.losses, default=float("inf")):
            self.best, self.best_state = len(self.losses), self._network_state()
        self.losses.append(loss)
        if self.path is not None:
            self._write(self.path)

    def restore_best(self) -> None:
        """Put the best state back into the network."""
        self.model.network.load_state_dict(self.best_state)
        self.model.network.eval()

    def _network_state(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.model.network.state_dict().items()}

    def _write(self, path: Path) -> None:
        tensors = {f"network.{name}": value for name, value in self._network_state().items()}
        tensors |= {f"best.{name}": value for name, value in self.best_state.items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        metadata = {"losses": json.dumps(self.losses), "best": str(self.best)}
        write_tensors(path, tensors, metadata)

    def _read(self, path: Path) -> None:
        with naming(path, "the checkpoint of a training that was stopped"):
            tensors, metadata = read_tensors(path)
            try:
                self.losses, self.best = json.loads(metadata["losses"]), int(metadata["best"])
                self.best_state = _under("best.", tensors)
                for state in (self.best_state, _under("network.", tensors)):
                    self.model.network.load_state_dict(state)
                moments = _under("optimizer.", tensors)
                trained = range(len(self.optimizer.param_groups[0]["params"]))
                if moments.keys() != {f"{number}.{key}" for number in trained for key in _ADAM}:
                    raise KeyError("the state of Adam")
            except (KeyError, RuntimeError) as error:
                raise value_error("checkpoint", "a file of the same training", f"{path}: {error}") from error
            adam = self.optimizer.state_dict()
            for name, value in moments.items():
                number, _, key = name.partition(".")
                adam["state"].setdefault(int(number), {})[key] = value
            self.optimizer.load_state_dict(adam)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
