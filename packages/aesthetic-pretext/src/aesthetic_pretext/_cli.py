"""The command ``aesthetic-pretext``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch

from ._core import atomic_path, value_error
from ._dataset import PretextDataset
from ._finetune import NimaModel, finetune, predict
from ._images import load_image
from ._model import TASKS, PretextModel
from ._model_files import load_model, make_backbone, save_model
from ._pretrain import pretrain
from ._registry import DISTORTIONS, get_distortion
from ._render import contact_sheet
from ._run import PRECISIONS
from ._shards import WRITERS, make_variants
from ._variants import SIZE
from .evaluation import distortion_accuracy, rating_scores, response_curves
from .ratings import RatedDataset, mean_rating, read_ava, read_ratings, read_tid2013


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = _Parser(prog="aesthetic-pretext", description="Graded distortions and the pretext tasks trained on them.")
    commands = parser.add_subparsers(dest="command", required=True)
    for add in (_render_options, _make_variants_options, _pretrain_options, _finetune_options, _evaluate_options):
        add(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (OSError, ValueError, TypeError, ImportError, FloatingPointError) as error:
        parser.error(str(error))
    return 0


def _command(commands: Any, name: str, run: Any, description: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=description, description=description)
    command.set_defaults(run=run)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--size", type=int, default=SIZE, help="side of the images in pixels (default: %(default)s)")
    return command


def _render_options(commands: Any) -> None:
    command = _command(commands, "render", _render, "draw all levels of all distortions of a photograph")
    command.add_argument("image", type=Path)
    command.add_argument("--out", type=Path, required=True, help="picture to write")
    command.set_defaults(size=112)


def _render(options: argparse.Namespace) -> None:
    _need_folder(options.out)
    sheet = contact_sheet(load_image(options.image), size=options.size, seed=options.seed)
    with atomic_path(options.out) as temporary:
        sheet.save(temporary)
    _say(f"{options.out}: {sheet.width} x {sheet.height} pixels")


def _make_variants_options(commands: Any) -> None:
    command = _command(commands, "make-variants", _make_variants, "write the 174 images of each photograph")
    command.add_argument("folder", type=Path)
    command.add_argument("--out", type=Path, required=True, help="folder for the shards; finished ones are kept")
    command.add_argument("--format", choices=list(WRITERS), default="webdataset")
    command.add_argument("--photos-per-shard", type=int, default=8)
    command.add_argument("--workers", type=int, help="processes (default: all cores)")


def _make_variants(options: argparse.Namespace) -> None:
    shards = make_variants(
        options.folder,
        options.out,
        format=options.format,
        photos_per_shard=options.photos_per_shard,
        size=options.size,
        seed=options.seed,
        num_workers=options.workers,
    )
    _say(f"{len(shards.files)} shards, {shards.new} of them new, {len(shards.failed)} photographs skipped")
    for reason in shards.failed.values():
        _say(f"skipped: {reason}")


def _pretrain_options(commands: Any) -> None:
    command = _command(commands, "pretrain", _pretrain, "train a backbone on photographs without labels")
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
    command.add_argument("--device", default="cpu")
    command.add_argument("--tensorboard", type=Path, help="folder of event files")


def _pretrain(options: argparse.Namespace) -> None:
    if "WORLD_SIZE" in os.environ:  # under torchrun
        torch.distributed.init_process_group("gloo" if options.device == "cpu" else "nccl")
    options.out.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng([]):
        torch.manual_seed(options.seed)
        backbone = make_backbone(options.backbone)
        if options.weights is not None:
            from safetensors.torch import load_file

            try:
                backbone.load_state_dict(load_file(options.weights))
            except RuntimeError as error:
                raise value_error("--weights", f"the state dict of {options.backbone}", str(error)) from error
        model = PretextModel(backbone, options.tasks).to(options.device)

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
        _say(f"epoch {result.best_epoch} of {len(result.history)}, {last['images_per_second']:.0f} images/s")
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _rated_options(command: argparse.ArgumentParser, *, needed: bool) -> None:
    command.add_argument("--ratings", type=Path, required=needed, help="CSV (image, rating), AVA.txt or TID2013 folder")
    command.add_argument("--images", type=Path, help="folder of the rated images (not for TID2013)")


def _rated(options: argparse.Namespace) -> RatedDataset:
    if options.ratings.is_dir():
        return read_tid2013(options.ratings, size=options.size)
    if options.images is None:
        raise value_error("--images", "the folder of the rated images", "none")
    read = read_ava if options.ratings.suffix == ".txt" else read_ratings
    return read(options.ratings, images=options.images, size=options.size)


def _finetune_options(commands: Any) -> None:
    command = _command(commands, "finetune", _finetune, "train a model on ratings (NIMA)")
    command.add_argument("model", type=Path, help="model.safetensors of pretrain")
    _rated_options(command, needed=True)
    command.add_argument("--out", type=Path, required=True, help="model to write")
    command.add_argument("--validation-share", type=float, default=0.1, help="of the rated images")
    command.add_argument("--label-share", type=float, default=1.0, help="of the other images, to train on")
    command.add_argument("--epochs", type=int, default=200)
    command.add_argument("--batch-size", type=int, default=64)
    command.add_argument("--workers", type=int, default=0)
    command.add_argument("--device", default="cpu")


def _finetune(options: argparse.Namespace) -> None:
    for name in ("validation_share", "label_share"):
        if not 0 < getattr(options, name) <= 1:
            raise value_error(f"--{name.replace('_', '-')}", "a share in (0, 1]", getattr(options, name))
    _need_folder(options.out)
    pretrained, backbone = load_model(options.model)
    rated = _rated(options)
    order = torch.randperm(len(rated), generator=torch.Generator().manual_seed(options.seed)).tolist()
    held_out = max(1, round(len(order) * options.validation_share))
    count = round((len(order) - held_out) * options.label_share)

    def part(rows: list[int]) -> RatedDataset:
        return RatedDataset([rated.files[row] for row in rows], rated.ratings[rows], size=options.size)

    with torch.random.fork_rng([]):
        torch.manual_seed(options.seed)
        model = NimaModel(pretrained.features).to(options.device)
    result = finetune(
        model,
        part(order[held_out : held_out + count]),
        part(order[:held_out]),
        epochs=options.epochs,
        batch_size=options.batch_size,
        num_workers=options.workers,
        seed=options.seed,
    )
    save_model(options.out, model, backbone)
    best = result.history[result.best_epoch - 1]["validation"]
    _say(f"epoch {result.best_epoch} of {result.epochs}, validation {best:.4f}")


def _evaluate_options(commands: Any) -> None:
    command = _command(commands, "evaluate", _evaluate, "score a model")
    command.add_argument("model", type=Path, help="a finetuned model (with --ratings) or a pretrained one (--folder)")
    _rated_options(command, needed=False)
    command.add_argument("--folder", type=Path, help="photographs, for the pretext tasks of a pretrained model")
    shown = "whose levels are shown to the intensity outputs (default: brightness contrast)"
    command.add_argument("--distortions", nargs="+", default=["brightness", "contrast"], metavar="NAME", help=shown)
    command.add_argument("--json", type=Path, help="also write the numbers here")
    command.add_argument("--device", default="cpu")


def _evaluate(options: argparse.Namespace) -> None:
    if options.json is not None:
        _need_folder(options.json)
    model, _ = load_model(options.model)
    model.to(options.device)
    if isinstance(model, NimaModel):
        if options.ratings is None:
            raise value_error("--ratings", "rated images, for a finetuned model", "none")
        rated = _rated(options)
        scores = rating_scores(mean_rating(predict(model, rated)), mean_rating(rated.ratings))
        numbers: dict[str, Any] = {name: getattr(scores, name) for name in ("pearson", "spearman", "accuracy", "mae")}
    else:
        if options.folder is None:
            raise value_error("--folder", "photographs, for a pretrained model", "none")
        numbers = _pretext_numbers(model, options)
    for name, value in numbers.items():
        _say(f"{value:10.4f}  {name}")
    if options.json is not None:
        with atomic_path(options.json) as temporary:
            temporary.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


def _pretext_numbers(model: PretextModel, options: argparse.Namespace) -> dict[str, float]:
    photographs = PretextDataset(options.folder, size=options.size, seed=options.seed)
    numbers: dict[str, float] = {}
    if "classification" in model.tasks:
        accuracy = distortion_accuracy(model, photographs)
        numbers |= {f"accuracy {family}": value for family, value in accuracy.items()}
    if "regression" in model.tasks:
        chosen = [get_distortion(name) for name in options.distortions]
        for applied in chosen:
            levels, outputs = response_curves(model, photographs, applied.name)
            for output in chosen:
                column = list(DISTORTIONS).index(output.name)
                for level, value in zip(levels, outputs[:, :, column].mean(0)):
                    numbers[f"{output.name} output at {applied.name} {level:+d}"] = float(value)
    if not numbers:
        raise value_error("model", "one with the task classification or regression", model.tasks)
    return numbers


def _need_folder(path: Path) -> None:
    if not path.parent.is_dir() or path.is_dir():
        raise value_error(str(path), "a file in an existing folder", "none")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
