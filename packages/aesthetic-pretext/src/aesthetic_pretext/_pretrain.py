"""Pretraining on photographs without labels."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from . import _distributed, _loading
from ._balance import BalancedSum, DynamicWeightAverage
from ._checkpoint import BEST, LAST, read_tensors, write_tensors
from ._checks import local_path, number, one_of, positive, seed_number, whole_number
from ._core import track, type_error, value_error
from ._dataset import FolderDataset
from ._history import Row, write_csv, write_tensorboard
from ._run import PRECISIONS, Precision, Run
from ._unfinished import remove_unfinished


@dataclass(frozen=True)
class Pretrained:
    """The outcome of a run.

    Attributes:
        history: one row per epoch: learning rate, loss of each task in training and validation, images per second.
        best_epoch: the epoch (from 1) of the lowest validation loss, whose weights the model has; the last one
            without validation.
    """

    history: list[Row] = field(repr=False)
    best_epoch: int


def pretrain(
    model: nn.Module,
    dataset: FolderDataset[Any],
    *,
    validation: FolderDataset[Any] | None = None,
    epochs: int = 20,
    images_per_batch: int = 8,
    balance: nn.Module | None = None,
    learning_rate: float = 1e-4,
    decay: float = 0.98,
    weight_decay: float = 4e-5,
    precision: Precision = "float32",
    num_workers: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    log: str | os.PathLike[str] | None = None,
    tensorboard: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Pretrained:
    """Train a model on pretext tasks with the published settings: RMSprop, the learning rate times 0.98 per epoch.

    Trains in place, on the device of the model. Under ``torchrun`` each batch is divided among the processes, and
    loss and gradient are those of one process. With ``checkpoint=``, a run that was stopped goes on where it was:
    its next step is the one that it would have made.

    Args:
        model: `PretextModel`, `RotNetModel` or `SimCLRModel`, or any module with ``forward(images)`` and
            ``losses(outputs, batch) -> {task: scalar}``.
        dataset: photographs, such as a `PretextDataset`.
        validation: others, to choose the epoch.
        epochs: number of passes.
        images_per_batch: photographs per batch over all processes, each with its variants; an incomplete last batch
            is left out. Processes may have unequally many.
        balance: how the losses are added; ``BalancedSum()`` by default.
        learning_rate: in the first epoch.
        decay: factor of the learning rate per epoch.
        weight_decay: of RMSprop.
        precision: of the forward pass; ``"float16"`` scales the loss.
        num_workers: processes that make the variants.
        checkpoint: folder for ``last.safetensors`` and ``best.safetensors``.
        checkpoint_every: also save after so many steps within an epoch.
        log: CSV file with one line per epoch.
        tensorboard: folder of event files (extra ``tensorboard``).
        seed: of the order of photographs and of dropout.
        progress: show a progress bar; by default in a terminal only.

    Returns:
        History and best epoch.

    Raises:
        TypeError: the model has no losses, or a set is none of photographs.
        ValueError: an option does not fit, there is no whole batch, or the checkpoint is of a run with other options.
        FloatingPointError: the loss is not finite.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> from aesthetic_pretext import PretextDataset, PretextModel
        >>> folder = Path(tempfile.mkdtemp())
        >>> Image.new("RGB", (30, 20), "olive").save(folder / "a.png")
        >>> model = PretextModel(nn.Conv2d(3, 4, 5, stride=4), tasks=["ranking"])
        >>> dataset = PretextDataset(folder, size=32, variants_per_image=10)
        >>> pretrain(model, dataset, epochs=2, images_per_batch=1)
        Pretrained(best_epoch=2)

    Reference:
        Section 16.2.3.
    """
    rank, processes = _distributed.world()
    _check_sets(model, dataset, validation)
    if whole_number("images_per_batch", images_per_batch, 1) > len(dataset):
        raise value_error("images_per_batch", f"at most the {len(dataset)} photographs of the set", images_per_batch)
    if images_per_batch < processes:
        raise value_error("images_per_batch", f"at least one for each of {processes} processes", images_per_batch)
    if balance is not None and not isinstance(balance, nn.Module):
        raise type_error("balance", "a module, such as BalancedSum()", balance)
    one_of("precision", precision, tuple(PRECISIONS))
    whole_number("epochs", epochs, 1)
    whole_number("num_workers", num_workers, 0)
    if checkpoint_every is not None:
        whole_number("checkpoint_every", checkpoint_every, 1)
    learning_rate, decay = positive("learning_rate", learning_rate), positive("decay", decay)
    weight_decay, seed = number("weight_decay", weight_decay, 0), seed_number(seed)
    settings = {
        "photographs": len(dataset), "images_per_batch": images_per_batch, "learning_rate": learning_rate,
        "decay": decay, "weight_decay": weight_decay, "precision": precision, "seed": seed,
    }  # fmt: skip
    folder, log_file, events = (
        local_path(name, path) if path is not None else None
        for name, path in (("checkpoint", checkpoint), ("log", log), ("tensorboard", tensorboard))
    )
    run = Run(model, balance or BalancedSum(), learning_rate, weight_decay, precision)
    run.share = processes * len(range(rank, images_per_batch, processes)) / images_per_batch
    if folder is not None:
        if rank == 0:
            remove_unfinished(folder / LAST, folder / BEST)
        if (folder / LAST).is_file():
            run.resume(folder / LAST, settings)
    per_epoch = len(dataset) // images_per_batch

    def save() -> None:
        if folder is not None and rank == 0:
            run.save(folder / LAST, settings)

    while run.epoch < epochs:
        run.set_learning_rate(learning_rate * decay**run.epoch)
        loader = _loader(dataset, images_per_batch, num_workers, seed, run.epoch, skip=run.step)
        bar = track(loader, f"epoch {run.epoch + 1}/{epochs}", total=per_epoch - run.step, progress=progress)
        for batch in bar:
            _describe(bar, run.training_step(batch, _loading.step_seed(seed, run.epoch * per_epoch + run.step)))
            if checkpoint_every and run.step % checkpoint_every == 0:
                save()
        row = run.finished_epoch(per_epoch)
        if validation is not None:
            row |= run.validate(validation, images_per_batch, num_workers)
        run.history.append(row)
        if isinstance(run.balance, DynamicWeightAverage):
            run.balance.end_epoch()
        if run.is_best() and folder is not None and rank == 0:
            write_tensors(folder / BEST, model.state_dict(), {"epoch": run.epoch})
        save()
        if rank == 0:
            if log_file is not None:
                write_csv(log_file, run.history)
            if events is not None:
                write_tensorboard(events, row)
    _distributed.barrier()
    if validation is not None:
        best = read_tensors(folder / BEST)[0] if folder is not None else run.best_weights
        model.load_state_dict(best)
    return Pretrained(run.history, run.best_epoch)


def _check_sets(model: Any, dataset: Any, validation: Any) -> None:
    if not isinstance(model, nn.Module) or not hasattr(model, "losses"):
        raise type_error("model", "a module with the method losses, such as a PretextModel", model)
    for name, photographs in (("dataset", dataset), ("validation", validation)):
        if not isinstance(photographs, FolderDataset) and not (name == "validation" and photographs is None):
            raise type_error(name, "a PretextDataset or another FolderDataset", photographs)


def _loader(
    dataset: FolderDataset[Any], images_per_batch: int, num_workers: int, seed: int, epoch: int, *, skip: int
) -> Iterable[Any]:
    """Return the batches of this process in an epoch, the first ones left out."""
    dataset.set_epoch(epoch)
    rank, processes = _distributed.world()
    batches = _loading.drawn_batches(len(dataset), images_per_batch, seed, epoch)
    whole = [batch[rank::processes] for batch in batches[skip:] if len(batch) == images_per_batch]
    return _loading.loader(dataset, num_workers, batch_sampler=whole)


def _describe(bar: Iterable[Any], images_per_second: float) -> None:
    if hasattr(bar, "set_postfix"):  # a tqdm bar
        bar.set_postfix(images_per_second=f"{images_per_second:.0f}")
