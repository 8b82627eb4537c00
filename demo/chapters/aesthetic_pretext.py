"""What does a network learn from photographs that were made worse on purpose, and what is that worth?"""

from __future__ import annotations

import csv

import numpy as np
import torch
from aesthetic_pretext import DISTORTIONS
from aesthetic_pretext.evaluation import compare_errors
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from demo.chapter import RESULTS, Chapter, Picture, Settings, Table, markdown_table, step
from demo.data import stored_variants as stored
from demo.data.held_out_faults import FAULTS, GRADES
from demo.data.photographs import load_photographs
from demo.data.pretext_runs import (
    COMBINATIONS,
    COMPARED,
    FAMILIES,
    FULL,
    IMAGENET,
    METRICS,
    NONE,
    SCRATCH,
    SHOWN,
    Results,
    Row,
    Scale,
    run_seed,
)
from demo.data.stored_variants import SIZE

CODE = """
from aesthetic_pretext import NimaModel, PretextDataset, PretextModel, finetune, pretrain

model = PretextModel(backbone, tasks=("ranking", "regression"))
pretrain(model, PretextDataset("photographs/"))  # no labels: 171 worse versions of each are made on the way
finetune(NimaModel(model.features), rated_training, rated_validation)
"""
THESIS = (
    "MobileNetV2 pretrained for 20 epochs on 100,000 stock photographs and finetuned on AVA: ranking + regression "
    "stops after 77 epochs instead of 147 and reaches a correlation of 0.554 instead of 0.549 and an error of 0.470 "
    "instead of 0.472 (ImageNet weights, Table 16.3), and needs about 20 % fewer labels for that (Fig. 16.5). The "
    "classification head names the distortion in 44.5 % of technical, 12.7 % of style and 25.7 % of composition "
    "variants; guessing has 16.7, 11.1 and 16.7 % (Table 16.4)."
)
CHANCE = {"technical": 1 / 6, "style": 1 / 9, "composition": 1 / 6}
CURVES = ("epochs", "pearson", "mae")
SCALES = {
    "quick": Scale(8, 1, 20, 1, 2, (FULL,), 1, (SCRATCH,)),
    "default": Scale(16, 1, 40, 6, 12, (FULL,), 1, (SCRATCH, IMAGENET)),
    "full": Scale(100, 2, 27, 8, 40, (0.5, FULL), 3, (SCRATCH, IMAGENET)),
}


def run(settings: Settings) -> Chapter:
    """Pretrain combinations of tasks on photographs, then finetune on pictures with faults that they do not know."""
    scale = SCALES[settings.mode]
    results = Results()
    with step("reading photographs"):
        photographs = list(load_photographs().values())[-scale.photographs :]
    for backbone in scale.backbones:
        with step(f"{backbone}: making variants"):
            layers = stored.frozen_layers() if backbone == IMAGENET else torch.clone
            pictures = [stored.crops(photo, scale.crops, seed) for seed, photo in enumerate(photographs)]
            variants = [stored.stored_variants(crops, layers) for crops in pictures]
            rated = [stored.stored_ratings(crops[0], layers) for crops in pictures]
        for seed in range(scale.seeds):
            with step(f"{backbone}, seed {seed}"):
                run_seed(results, scale, backbone, seed, variants, rated)
    if settings.mode == "full":
        _write_csv(results)
    return Chapter(
        title="aesthetic-pretext: what makes a photograph worse",
        question="Can a network learn from unlabelled photographs what makes them worse, and is that worth labels?",
        code=CODE,
        thesis=THESIS,
        data=_data(scale, len(photographs)),
        tables=_tables(results, scale),
        pictures=_pictures(results, scale),
        findings=_findings(results, scale),
    )


def _data(scale: Scale, count: int) -> str:
    return (
        f"{count} photographs (wallpapers of Debian packages, scikit-image, scikit-learn) at {SIZE} x {SIZE} pixels, "
        "three fifths to train on, one fifth to choose epochs, one fifth to test on, drawn anew for each of "
        f"{scale.seeds} seeds. Pretraining: {scale.crops} windows of each photograph, {scale.variants} of the 171 "
        f"variants of each per epoch, {scale.pretraining_epochs} epochs, RMSprop, BalancedSum. Finetuning: "
        f"{len(FAULTS)} faults that are not among the 21 distortions ({', '.join(FAULTS)}) in {len(GRADES)} grades; a "
        "picture without a fault is rated 9, each grade costs 2.5. The earth mover's distance is minimised for at most "
        f"{scale.finetuning_epochs} epochs; learning rates halve after 3 epochs without progress, the run stops after "
        "6 (5 and 10 in the thesis). Networks: four convolutions from scratch, and EfficientNet-Lite0 with ImageNet "
        f"weights, whose first {stored.FROZEN_BLOCKS} of 16 blocks are frozen to spare time. No people rated these "
        "pictures, and this is neither AVA nor its scale: it shows whether what the tasks teach carries over to faults "
        "they do not make."
    )


def _cell(values: NDArray[np.float64], factor: float = 1, digits: int = 3) -> str:
    spread = f" ± {factor * np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{factor * np.mean(values):.{digits}f}{spread}"


def _tables(results: Results, scale: Scale) -> list[Table]:
    starts = [(backbone, start) for backbone in scale.backbones for start in (NONE, *COMBINATIONS)]
    ranked = [
        [", ".join(key), *(_cell(results.values(*key, f"ranked {family}"), 100, 1) for family in FAMILIES)]
        for key in starts
    ]
    named = [
        [
            backbone,
            *(_cell(results.values(backbone, "ranking + classification", f"named {f}"), 100, 1) for f in FAMILIES),
        ]
        for backbone in scale.backbones
    ]
    guessing = ["guessing", *(f"{100 * CHANCE[family]:.1f}" for family in FAMILIES)]
    scored = [
        [
            ", ".join(key) + _dagger(results, *key),
            *(_cell(results.values(*key, m), 1, 1 if m == "epochs" else 3) for m in METRICS),
        ]
        for key in starts
    ]
    tables = [
        Table(
            "Pairs ranked rightly, %",
            f"{markdown_table(['network', *FAMILIES], ranked)}\n\nPairs of levels of one photograph and distortion; "
            "mean ± standard deviation over seeds. Chance is 50 %.",
        ),
        Table(
            "Distortions named rightly, % (as Table 16.4)",
            markdown_table(["network", *FAMILIES], [*named, guessing]),
        ),
        Table(
            "Finetuned on faults that the tasks do not make (as Table 16.3)",
            f"{markdown_table(['network, start', *METRICS], scored)}\n\nEpochs until early stopping; mean ± standard "
            "deviation over seeds. † errors smaller than without pretext task (one-sided Wilcoxon test over the test "
            "pictures of all seeds, Bonferroni-corrected, 1 %).",
        ),
    ]
    if len(scale.shares) > 1:
        rows = [
            [f"{100 * share:.0f}", *(_cell(results.values(IMAGENET, start, m, share), 1, 1 if m == "epochs" else 3)
                                     for m in CURVES for start in COMPARED)]
            for share in scale.shares
        ]  # fmt: skip
        header = ["% of labelled photographs", *(f"{m}, {start}" for m in CURVES for start in COMPARED)]
        tables.append(Table("Fewer labels, ImageNet weights (as Fig. 16.3 and 16.5)", markdown_table(header, rows)))
    return tables


def _dagger(results: Results, backbone: str, start: str) -> str:
    errors = {start: values for (other, start), values in results.errors.items() if other == backbone}
    return " †" if start != NONE and compare_errors(errors, baseline=NONE)[start]["significant"] else ""


def _findings(results: Results, scale: Scale) -> list[str]:
    findings = []
    for backbone in scale.backbones:
        for start in COMBINATIONS:
            parts = []
            for measure in ("pearson", "mae", "epochs"):
                gain = results.values(backbone, start, measure) - results.values(backbone, NONE, measure)
                parts.append(f"{measure} {np.mean(gain):+.3g}{_interval(gain)}")
            findings.append(f"{backbone}, {start} against no pretext task, same seeds: {'; '.join(parts)}.")
    if len(scale.shares) > 1:
        goal = float(np.mean(results.values(IMAGENET, NONE, "pearson")))
        reached = [s for s in scale.shares if np.mean(results.values(IMAGENET, COMPARED[1], "pearson", s)) >= goal]
        share = f"{100 * min(reached):.0f} %" if reached else "more than all"
        findings.append(
            f"ImageNet weights with {COMPARED[1]} need {share} of the labels for the correlation ({goal:.3f}) that "
            "they have without a pretext task from all of them."
        )
    bright, contrast = np.mean([responses.mean(1) for responses in results.responses], axis=0)
    findings.append(
        f"Darkest to brightest level: the brightness output goes from {bright[0]:+.2f} to {bright[-1]:+.2f}, the "
        f"contrast output from {contrast[0]:+.2f} to {contrast[-1]:+.2f}."
    )
    return findings


def _interval(gain: NDArray[np.float64]) -> str:
    if len(gain) < 2:
        return ""
    half = stats.t.ppf(0.975, len(gain) - 1) * np.std(gain, ddof=1) / len(gain) ** 0.5
    return f" (95 % interval {np.mean(gain) - half:+.3g} to {np.mean(gain) + half:+.3g})"


def _pictures(results: Results, scale: Scale) -> list[Picture]:
    levels = sorted((*DISTORTIONS["brightness"].levels, 0))
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, output, values in zip(figure.subplots(1, 2, sharey=True), SHOWN, np.concatenate(results.responses, 1)):
        axes.violinplot(list(values.T), positions=levels, showmedians=True, widths=0.8)
        axes.set(xlabel="level of brightness applied", ylabel="predicted intensity", title=f"{output} output")
    caption = "What two intensity outputs say about levels of brightness, on photographs not trained on; all networks."
    pictures = [Picture.of(figure, caption)]
    if len(scale.shares) > 1:
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        for axes, measure in zip(figure.subplots(1, len(CURVES)), CURVES):
            for start in COMPARED:
                values = np.stack([results.values(IMAGENET, start, measure, share) for share in scale.shares])
                shares = 100 * np.array(scale.shares)
                axes.errorbar(shares, values.mean(1), values.std(1, ddof=1), capsize=3, label=start)
            axes.set(xlabel="% of labelled photographs", ylabel=measure)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
        pictures.append(Picture.of(figure, "Fewer labels, ImageNet weights: mean and standard deviation over seeds."))
    return pictures


def _write_csv(results: Results) -> None:
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "aesthetic_pretext.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows([*row[:-1], f"{row.value:.4f}"] for row in results.rows)
