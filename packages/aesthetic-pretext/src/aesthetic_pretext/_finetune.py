"""Finetuning on human ratings by the recipe of NIMA."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field

from . import _loading, functional
from ._checkpoint import BEST, LAST, read_tensors, write_tensors
from ._checks import local_path, number, positive, seed_number, whole_number
from ._core import track, type_error, value_error
from ._finetune_run import FinetuneRun
from ._history import Row
from ._nima import NimaModel, predict
from ._unfinished import remove_unfinished
from .ratings import RatedDataset


@dataclass(frozen=True)
class Finetuned:
    """The outcome of a run.

    Attributes:
        history: one row per epoch: loss in training and validation, learning rate of the head.
        best_epoch: the epoch (from 1) of the lowest validation loss, whose weights the model has.
        unfrozen_epoch: the first epoch (from 1) in which the backbone was trained, or ``None``.
    """

    history: list[Row] = field(repr=False)
    best_epoch: int
    unfrozen_epoch: int | None

    @property
    def epochs(self) -> int:
        """Number of epochs until the run stopped."""
        return len(self.history)


def finetune(
    model: NimaModel,
    training: RatedDataset,
    validation: RatedDataset,
    *,
    epochs: int = 200,
    batch_size: int = 64,
    backbone_learning_rate: float = 1e-4,
    head_learning_rate: float = 1e-3,
    weight_decay: float = 4e-5,
    plateau: int = 5,
    patience: int = 10,
    num_workers: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Finetuned:
    """Train on ratings with the published settings: Adam with two learning rates and the earth mover's distance.

    Only the last layer learns until the validation loss has not fallen for ``plateau`` epochs; whenever that happens
    the learning rates halve. The run stops after ``patience`` epochs without a new minimum once the backbone learns.
    Trains in place, on the device of the model. With ``checkpoint=``, a run that was stopped goes on where it was: its
    next step is the one that it would have made.

    Args:
        model: its ``features`` may come from pretraining.
        training: photographs with ratings.
        validation: others, to choose the epoch and the learning rate.
        epochs: upper limit.
        batch_size: photographs per batch.
        backbone_learning_rate: of the pretrained layers.
        head_learning_rate: of the last layer.
        weight_decay: of Adam.
        plateau: epochs without a fall of the validation loss before the learning rates halve.
        patience: epochs without a fall before the run stops.
        num_workers: processes that read photographs.
        checkpoint: folder for ``last.safetensors`` and ``best.safetensors``.
        checkpoint_every: also save after so many steps within an epoch.
        seed: of the order of photographs and of dropout.
        progress: show a progress bar; by default in a terminal only.

    Returns:
        History and best epoch.

    Raises:
        TypeError: the model or a set is of another kind.
        ValueError: a set is empty, an option does not fit, or the checkpoint is of a run with other options.
        FloatingPointError: the loss is not finite.

    Reference:
        Section 16.2.5; Talebi and Milanfar 2018, Lennan et al. 2018.
    """
    if not isinstance(model, NimaModel):
        raise type_error("model", "a NimaModel", model)
    for name, count in (("epochs", epochs), ("batch_size", batch_size), ("plateau", plateau), ("patience", patience)):
        whole_number(name, count, 1)
    whole_number("num_workers", num_workers, 0)
    if checkpoint_every is not None:
        whole_number("checkpoint_every", checkpoint_every, 1)
    seed_number(seed)
    weight_decay = number("weight_decay", weight_decay, 0)
    backbone_learning_rate = positive("backbone_learning_rate", backbone_learning_rate)
    head_learning_rate = positive("head_learning_rate", head_learning_rate)
    for name, dataset in (("training", training), ("validation", validation)):
        if not isinstance(dataset, RatedDataset):
            raise type_error(name, "a RatedDataset", dataset)
        if not len(dataset):
            raise value_error(name, "rated photographs", "none")
    settings = {
        "photographs": len(training), "validation": len(validation), "batch_size": batch_size,
        "backbone_learning_rate": backbone_learning_rate, "head_learning_rate": head_learning_rate,
        "weight_decay": weight_decay, "plateau": plateau, "patience": patience, "seed": seed,
    }  # fmt: skip
    run = FinetuneRun(model, backbone_learning_rate, head_learning_rate, weight_decay)
    folder = local_path("checkpoint", checkpoint) if checkpoint is not None else None
    if folder is not None:
        remove_unfinished(folder / LAST, folder / BEST)
        if (folder / LAST).is_file():
            run.resume(folder / LAST, settings)
    per_epoch = math.ceil(len(training) / batch_size)

    while run.epoch < epochs and not run.is_over(patience):
        model.features.requires_grad_(run.unfrozen_epoch is not None)
        batches = _loading.drawn_batches(len(training), batch_size, seed, run.epoch)[run.step :]
        loader = _loading.loader(training, num_workers, batch_sampler=batches)
        for batch in track(loader, f"epoch {run.epoch + 1}/{epochs}", total=len(batches), progress=progress):
            run.training_step(batch, _loading.step_seed(seed, run.epoch * per_epoch + run.step))
            if folder is not None and checkpoint_every and run.step % checkpoint_every == 0:
                run.save(folder / LAST, settings)
        distribution = predict(model, validation, batch_size=batch_size, num_workers=num_workers)
        run.finish_epoch(len(training), float(functional.emd_loss(distribution.log(), validation.ratings)), plateau)
        if folder is not None:
            if run.best_epoch == run.epoch:
                write_tensors(folder / BEST, model.state_dict(), {"epoch": run.epoch})
            run.save(folder / LAST, settings)
    model.load_state_dict(read_tensors(folder / BEST)[0] if folder is not None else run.best_weights)
    model.requires_grad_(True)
    began = run.unfrozen_epoch is not None and run.unfrozen_epoch <= run.epoch
    return Finetuned(run.history, run.best_epoch, run.unfrozen_epoch if began else None)
