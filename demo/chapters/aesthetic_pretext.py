"""What does a network learn from photographs that were made worse on purpose?"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from aesthetic_pretext import DISTORTIONS, VARIANTS, Features, PretextDataset, PretextModel, evaluation, pretrain
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from demo.chapter import RESULTS, Chapter, Picture, Settings, Table, markdown_table, step
from demo.data.photographs import load_photographs

CODE = """
from aesthetic_pretext import PretextDataset, PretextModel, evaluation, pretrain

photographs = PretextDataset("photographs/")  # no labels: 171 worse versions of each are made on the way
model = PretextModel(backbone, tasks=("ranking", "classification"))
pretrain(model, photographs, checkpoint="run/")
print(evaluation.distortion_accuracy(model, PretextDataset("other photographs/")))
"""
THESIS = (
    "MobileNetV2 pretrained for 20 epochs on 100,000 stock photographs and finetuned on AVA: ranking + regression "
    "stops after 77 epochs instead of 147 and reaches a correlation of 0.554 instead of 0.549 (ImageNet weights, "
    "Table 16.3). The classification head names the distortion in 44.5 % of technical, 12.7 % of style and 25.7 % of "
    "composition variants; guessing has 16.7, 11.1 and 16.7 % (Table 16.4). Brighter photographs also seem to have "
    "less contrast (Fig. 16.4)."
)
SIZE = 64
COMBINATIONS = {
    "ranking": ("ranking",),
    "ranking + classification": ("ranking", "classification"),
    "ranking + regression": ("ranking", "regression"),
}
FAMILIES = ("technical", "style", "composition")
CHANCE = {"technical": 1 / 6, "style": 1 / 9, "composition": 1 / 6}
SHOWN = ("brightness", "contrast")


@dataclass
class Results:
    """Values per combination, seed and family; responses per seed."""

    ranked: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    named: list[dict[str, float]] = field(default_factory=list)
    responses: list[NDArray[np.float32]] = field(default_factory=list)


def run(settings: Settings) -> Chapter:
    """Pretrain three combinations of tasks on photographs and test them on others."""
    n_photographs, variants, epochs, n_seeds = {
        "quick": (10, 20, 1, 1),
        "default": (100, 60, 12, 1),
        "full": (100, None, 20, 10),
    }[settings.mode]
    results = Results({name: [] for name in ("untrained", *COMBINATIONS)})
    with tempfile.TemporaryDirectory() as folder:
        with step("reading photographs"):
            files = _files(Path(folder), n_photographs)
        for seed in range(n_seeds):
            order = np.random.default_rng(seed).permutation(len(files))
            training, test = ([files[i] for i in rows] for rows in np.split(order, [2 * len(files) // 3]))
            held_out = PretextDataset(test, size=SIZE)
            for name, tasks in COMBINATIONS.items():
                with step(f"{name}, seed {seed}"):
                    model = _model(tasks, seed)
                    if name == "ranking":
                        results.ranked["untrained"].append(_ranked(model, held_out))
                    dataset = PretextDataset(training, size=SIZE, variants_per_image=variants, seed=seed)
                    batch = min(8, len(training))
                    pretrain(model, dataset, epochs=epochs, images_per_batch=batch, learning_rate=1e-3, seed=seed)
                    results.ranked[name].append(_ranked(model, held_out))
                    if "classification" in tasks:
                        results.named.append(evaluation.distortion_accuracy(model, held_out))
                    if "regression" in tasks:
                        results.responses.append(_responses(model, held_out))
        sheet = _sheet(files[0])
    if settings.mode == "full":
        _write_csv(results)
    drawn = f"{variants} drawn variants of each" if variants else "all 171 variants of each"
    return Chapter(
        title="aesthetic-pretext: what makes a photograph worse",
        question="Can a network learn from unlabelled photographs alone which changes make them worse?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"{len(files)} photographs (wallpapers of Debian packages, scikit-image, scikit-learn) at {SIZE} x {SIZE} "
            f"pixels, two thirds to train on ({drawn} per epoch, epochs: {epochs}, seeds: {n_seeds}), one third to "
            "test on. Four convolutions from scratch, RMSprop, BalancedSum. This is neither AVA nor the scale of the "
            "thesis; it shows what the tasks teach, not that they help to predict ratings."
        ),
        tables=[_ranking_table(results), _naming_table(results)],
        pictures=[sheet, _response_picture(results)],
        findings=_findings(results),
    )


def _files(folder: Path, count: int) -> list[Path]:
    files = []
    for name, photograph in list(load_photographs().items())[:count]:
        files.append(folder / f"{name}.png")
        photograph.resize((2 * SIZE, 2 * SIZE)).save(files[-1])
    return files


def _model(tasks: Sequence[str], seed: int) -> PretextModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for channels, wider in [(3, 16), (16, 32), (32, 64), (64, 96)]:
            layers += [nn.Conv2d(channels, wider, 3, stride=2, padding=1), nn.BatchNorm2d(wider), nn.ReLU()]
        return PretextModel(Features(nn.Sequential(*layers)), tasks)


@torch.no_grad()
def _ranked(model: PretextModel, dataset: PretextDataset) -> dict[str, float]:
    """Return the share of pairs of neighbouring or farther levels that are in the right order, per family."""
    model.eval()
    right: dict[str, list[float]] = {family: [] for family in FAMILIES}
    rows = {(key.distortion, key.level): row for row, key in enumerate(VARIANTS)}
    heads = {key.reference: row for row, key in enumerate(VARIANTS) if key.distortion is None}
    for index in range(len(dataset)):
        scores = model(dataset[index].images)["ranking"]
        for distortion in DISTORTIONS.values():
            for sign in (-1, 1):
                ladder = sorted((level for level in distortion.levels if level * sign > 0), key=abs)
                ordered = scores[[heads[distortion.reference], *(rows[distortion.name, level] for level in ladder)]]
                above = ordered[:, None] > ordered
                right[distortion.family] += above[torch.ones_like(above).triu(1).bool()].float().tolist()
    return {family: float(np.mean(values)) for family, values in right.items()}


def _responses(model: PretextModel, dataset: PretextDataset) -> NDArray[np.float32]:
    """Return ``(2 outputs, n, 11 levels)`` of the brightness and contrast outputs to levels of brightness."""
    _, outputs = evaluation.response_curves(model, dataset, "brightness")
    return np.stack([outputs[:, :, list(DISTORTIONS).index(name)] for name in SHOWN])


def _cell(values: Sequence[float]) -> str:
    return f"{100 * np.mean(values):.1f}" + (f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else "")


def _ranking_table(results: Results) -> Table:
    rows = [
        [name, *(_cell([row[family] for row in seeds]) for family in FAMILIES)]
        for name, seeds in results.ranked.items()
    ]
    note = "Pairs of levels of one photograph and distortion; mean ± standard deviation over seeds. Chance is 50 %."
    return Table("Pairs ranked rightly, %", f"{markdown_table(['tasks', *FAMILIES], rows)}\n\n{note}")


def _naming_table(results: Results) -> Table:
    rows = [
        ["ranking + classification", *(_cell([row[family] for row in results.named]) for family in FAMILIES)],
        ["guessing", *(f"{100 * CHANCE[family]:.1f}" for family in FAMILIES)],
    ]
    return Table("Distortions named rightly, % (as Table 16.4)", markdown_table(["tasks", *FAMILIES], rows))


def _findings(results: Results) -> list[str]:
    findings = []
    for name in COMBINATIONS:
        gains = [
            f"{family} {100 * (_mean(results.ranked[name], family) - _mean(results.ranked['untrained'], family)):+.1f}"
            for family in FAMILIES
        ]
        findings.append(f"{name}: pairs ranked rightly against the untrained network, points: {', '.join(gains)}.")
    bright, contrast = np.mean([responses.mean(1) for responses in results.responses], axis=0)
    findings.append(
        f"Darkest to brightest level: the brightness output goes from {bright[0]:+.2f} to {bright[-1]:+.2f}, the "
        f"contrast output from {contrast[0]:+.2f} to {contrast[-1]:+.2f}."
    )
    return findings


def _mean(rows: Sequence[dict[str, float]], family: str) -> float:
    return float(np.mean([row[family] for row in rows]))


def _response_picture(results: Results) -> Picture:
    levels = sorted((*DISTORTIONS["brightness"].levels, 0))
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, output, values in zip(figure.subplots(1, 2, sharey=True), SHOWN, np.concatenate(results.responses, 1)):
        axes.violinplot(list(values.T), positions=levels, showmedians=True, widths=0.8)
        axes.set(xlabel="level of brightness applied", ylabel="predicted intensity", title=f"{output} output")
    return Picture.of(
        figure, "What two intensity outputs say about levels of brightness, on photographs not trained on."
    )


def _sheet(file: Path) -> Picture:
    """Draw five levels of some distortions of a photograph."""
    item = PretextDataset([file], size=96)[0].images.permute(0, 2, 3, 1).numpy()
    names = ("brightness", "temperature", "shadows", "defocus_blur", "impulse_noise", "rotation", "left_diagonal_crop")
    rows = {(key.distortion, key.level): row for row, key in enumerate(VARIANTS)}
    figure = Figure(figsize=(8, 9.2), layout="constrained")
    for name, line in zip(names, figure.subplots(len(names), 6)):
        ladder = DISTORTIONS[name].levels
        for axes, level in zip(line, [ladder[round(i * (len(ladder) - 1) / 5)] for i in range(6)]):
            axes.imshow(item[rows[name, level]])
            axes.set_title(f"{name.replace('_', ' ')} {level:+d}", fontsize=7)
            axes.axis("off")
    return Picture.of(figure, "Some of the 171 variants of one photograph.")


def _write_csv(results: Results) -> None:
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "aesthetic_pretext.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["measure", "tasks", "seed", *FAMILIES])
        measured = [("ranked", name, seeds) for name, seeds in results.ranked.items()]
        for measure, name, seeds in [*measured, ("named", "ranking + classification", results.named)]:
            for seed, row in enumerate(seeds):
                writer.writerow([measure, name, seed, *(f"{row[family]:.4f}" for family in FAMILIES)])
