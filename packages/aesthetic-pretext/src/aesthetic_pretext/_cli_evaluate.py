"""The subcommand ``evaluate``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ._cli_common import add_command, add_device_option, add_rated_options, device_of, need_folder, read_rated, say
from ._core import atomic_path, value_error
from ._dataset import PretextDataset
from ._model import PretextModel
from ._model_files import load_model
from ._nima import NimaModel, predict
from ._registry import DISTORTIONS, get_distortion
from .evaluation import distortion_accuracy, rating_scores, response_curves
from .ratings import mean_rating


def evaluate_options(commands: Any) -> None:
    """Add the options of ``evaluate``."""
    command = add_command(commands, "evaluate", _evaluate, "score a model")
    command.add_argument("model", type=Path, help="a finetuned model (with --ratings) or a pretrained one (--folder)")
    add_rated_options(command, needed=False)
    command.add_argument("--folder", type=Path, help="photographs, for the pretext tasks of a pretrained model")
    shown = "whose levels are shown to the intensity outputs (default: brightness contrast)"
    command.add_argument("--distortions", nargs="+", default=["brightness", "contrast"], metavar="NAME", help=shown)
    command.add_argument("--json", type=Path, help="also write the numbers here")
    add_device_option(command)


def _evaluate(options: argparse.Namespace) -> None:
    if options.json is not None:
        need_folder(options.json)
    model, _ = load_model(options.model)
    model.to(device_of(options))
    if isinstance(model, NimaModel):
        if options.ratings is None:
            raise value_error("--ratings", "rated images, for a finetuned model", "none")
        rated = read_rated(options)
        scores = rating_scores(mean_rating(predict(model, rated)), mean_rating(rated.ratings))
        numbers: dict[str, Any] = {name: getattr(scores, name) for name in ("pearson", "spearman", "accuracy", "mae")}
    else:
        if options.folder is None:
            raise value_error("--folder", "photographs, for a pretrained model", "none")
        numbers = _pretext_numbers(model, options)
    for name, value in numbers.items():
        say(f"{value:10.4f}  {name}")
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
