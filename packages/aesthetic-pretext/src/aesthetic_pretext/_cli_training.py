"""The subcommands that train: ``pretrain``, ``finetune``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ._checks import side
from ._cli_common import add_command, add_device_option, add_rated_options, device_of, need_folder, read_rated, say
from ._core import value_error
from ._dataset import PretextDataset
from ._finetune import finetune
from ._model import TASKS, PretextModel
from ._model_files import load_model, make_backbone, save_model
from ._nima import NimaModel
from ._pretrain import pretrain
from ._run import PRECISIONS
from .ratings import RatedDataset


def pretrain_options(commands: Any) -> None:
    """Add the options of ``pretrain``."""
    command = add_command(commands, "pretrain", _pretrain, "train a backbone on photographs without labels")
    command.add_argument("folder", type=Path)
    command.add_argument("--validation", type=Path, help="folder of other photographs, to choose the epoch")
    command.add_argument("--backbone", default="torchvision:mobilenet_v2", help="torchvision:<name> or timm:<name>")
    command.add_argument("--weights", type=Path, help="safetensors file with the backbone's state dict")
    command.add_argument("--tasks", nargs="+", choices=TASKS, default=["ranking", "regression"])
    command.add_argument("--out", type=Path, required=True, help="folder for model, checkpoints and log; resumes")
    command.add_argument("--epochs", type=int, default=20)
    command.add_argument("--images-per-batch", type=int, default=8)
    command.add_argument("--variants-per-image", type=int, help="a drawn subset (default: all 171)")
    command.add_argument("--learning-rate", type=float, default=1e-4)
    command.add_argument("--precision", choices=list(PRECISIONS), default="float32")
    command.add_argument("--workers", type=int, default=0)
    command.add_argument("--checkpoint-every", type=int, help="steps (default: each epoch)")
    add_device_option(command)
    command.add_argument("--tensorboard", type=Path, help="folder of event files")


def _pretrain(options: argparse.Namespace) -> None:
    device = device_of(options)
    if "WORLD_SIZE" in os.environ:  # under torchrun
        torch.distributed.init_process_group("gloo" if device.type == "cpu" else "nccl")
    options.out.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng([]):
        torch.manual_seed(options.seed)
        backbone = make_backbone(options.backbone)
        if options.weights is not None:
            try:
                backbone.load_state_dict(load_file(options.weights))
            except (RuntimeError, SafetensorError) as error:
                raise value_error("--weights", f"the state dict of {options.backbone}", str(error)) from error
        model = PretextModel(backbone, options.tasks).to(device)
    _check_size(model, options)

    def photographs(folder: Path) -> PretextDataset:
        return PretextDataset(
            folder, size=options.size, variants_per_image=options.variants_per_image, seed=options.seed
        )

    result = pretrain(
        model,
        photographs(options.folder),
        validation=photographs(options.validation) if options.validation else None,
        epochs=options.epochs,
        images_per_batch=options.images_per_batch,
        learning_rate=options.learning_rate,
        precision=options.precision,
        num_workers=options.workers,
        checkpoint=options.out,
        checkpoint_every=options.checkpoint_every,
        log=options.out / "log.csv",
        tensorboard=options.tensorboard,
        seed=options.seed,
    )
    if int(os.environ.get("RANK", "0")) == 0:
        save_model(options.out / "model.safetensors", model, options.backbone)
        last = result.history[-1]
        say(f"epoch {result.best_epoch} of {len(result.history)}, {last['images_per_second']:.0f} images/s")
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@torch.no_grad()
def _check_size(model: PretextModel, options: argparse.Namespace) -> None:
    """Refuse a size of images that the backbone does not take, before the work."""
    size, device = side(options.size), next(model.parameters()).device
    try:
        model.eval()(torch.zeros(2, 3, size, size, device=device))
    except (RuntimeError, AssertionError) as error:
        raise value_error("--size", f"one that {options.backbone} takes", f"{size}: {error}") from error


def finetune_options(commands: Any) -> None:
    """Add the options of ``finetune``."""
    command = add_command(commands, "finetune", _finetune, "train a model on ratings (NIMA)")
    command.add_argument("model", type=Path, help="model.safetensors of pretrain")
    add_rated_options(command, needed=True)
    command.add_argument("--out", type=Path, required=True, help="model to write")
    command.add_argument("--checkpoint", type=Path, help="folder for checkpoints; a stopped run goes on")
    command.add_argument("--checkpoint-every", type=int, help="steps (default: each epoch)")
    command.add_argument("--validation-share", type=float, default=0.1, help="of the rated images")
    command.add_argument("--label-share", type=float, default=1.0, help="of the other images, to train on")
    command.add_argument("--epochs", type=int, default=200)
    command.add_argument("--batch-size", type=int, default=64)
    command.add_argument("--workers", type=int, default=0)
    add_device_option(command)


def _finetune(options: argparse.Namespace) -> None:
    for name in ("validation_share", "label_share"):
        if not 0 < getattr(options, name) <= 1:
            raise value_error(f"--{name.replace('_', '-')}", "a share in (0, 1]", getattr(options, name))
    need_folder(options.out)
    pretrained, backbone = load_model(options.model)
    rated = read_rated(options)
    order = torch.randperm(len(rated), generator=torch.Generator().manual_seed(options.seed)).tolist()
    held_out = max(1, round(len(order) * options.validation_share))
    count = round((len(order) - held_out) * options.label_share)

    def part(rows: list[int]) -> RatedDataset:
        return RatedDataset([rated.files[row] for row in rows], rated.ratings[rows], size=options.size)

    with torch.random.fork_rng([]):
        torch.manual_seed(options.seed)
        model = NimaModel(pretrained.features).to(device_of(options))
    result = finetune(
        model,
        part(order[held_out : held_out + count]),
        part(order[:held_out]),
        epochs=options.epochs,
        batch_size=options.batch_size,
        num_workers=options.workers,
        checkpoint=options.checkpoint,
        checkpoint_every=options.checkpoint_every,
        seed=options.seed,
    )
    save_model(options.out, model, backbone)
    best = result.history[result.best_epoch - 1]["validation"]
    say(f"epoch {result.best_epoch} of {result.epochs}, validation {best:.4f}")
