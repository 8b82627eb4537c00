"""What does a network learn from photographs that were made worse on purpose, and what is that worth?"""

from __future__ import annotations

from itertools import product

import numpy as np
from aesthetic_pretext import DISTORTIONS
from aesthetic_pretext.evaluation import compare_errors
from matplotlib.figure import Figure
from numpy.typing import NDArray

from demo.chapter import Chapter, Picture, Settings, Table, half_interval, markdown_table, results_csv, step
from demo.data.held_out_faults import FAULTS, GRADES
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
    WHOLE,
    Results,
    Row,
    Scale,
    material,
    run_seed,
)
from demo.data.stored_variants import FROZEN_BLOCKS, NUM_REFERENCES, SIZE

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
    "quick": Scale(
        photographs=6, windows=0, composites=0, variants=20, epochs={SCRATCH: 1}, labels=30, shares=(FULL,), seeds=1,
        backbones=(SCRATCH,), starts=(NONE, *COMBINATIONS), patience=1,
    ),
    "default": Scale(
        photographs=16, windows=0, composites=1, variants=24, epochs={SCRATCH: 6, IMAGENET: 2}, labels=120,
        shares=(FULL,), seeds=1, backbones=(SCRATCH, IMAGENET), starts=(NONE, *COMBINATIONS), patience=4,
    ),
    "full": WHOLE,
}  # fmt: skip


def run(settings: Settings) -> Chapter:
    """Pretrain combinations of tasks on photographs, then finetune on pictures with faults that they do not know."""
    scale = SCALES[settings.mode]
    results = Results()
    for backbone in scale.backbones:
        with step(f"{backbone}: pictures and their variants"):
            pictures = material(scale.photographs, scale.windows, scale.composites, backbone)
        for seed in range(scale.seeds):
            run_seed(results, scale, backbone, seed, keep=settings.mode == "full")
    if settings.mode == "full":
        _write_csv(results)
    return Chapter(
        title="aesthetic-pretext: what makes a photograph worse",
        question="Can a network learn from unlabelled photographs what makes them worse, and is that worth labels?",
        code=CODE,
        thesis=THESIS,
        data=_data(scale, pictures.photographs),
        tables=_tables(results, scale),
        pictures=_pictures(results, scale),
        findings=_findings(results, scale),
    )


def _data(scale: Scale, count: int) -> str:
    per_epoch = scale.variants + NUM_REFERENCES
    parts = [
        f"{count} photographs (wallpapers of Debian packages, scikit-image, scikit-learn) at {SIZE} x {SIZE} pixels; "
        f"of each all of it, {scale.windows} windows, and all of it behind {scale.composites} cut-outs (photographs "
        "with true mattes of tuxpaint-stamps-default, each before one photograph only). Three fifths of the "
        "photographs are to train on, one fifth to choose epochs, one fifth to test on, drawn anew for each of "
        f"{scale.seeds} seeds. Pretraining: {per_epoch} of the 174 variants of each picture per epoch, "
        f"epochs: {', '.join(f'{n} ({name})' for name, n in scale.epochs.items())}, RMSprop, BalancedSum.",
        f"Finetuning: {len(FAULTS)} faults that are not among the 21 distortions ({', '.join(FAULTS)}) in "
        f"{len(GRADES)} grades; a picture without a fault is rated 9, each grade costs 2.5. {scale.labels} rated "
        "pictures (or a share of them) are learned by the earth mover's distance; learning rates halve after "
        f"{max(1, scale.patience // 2)} epochs without progress, the run stops after {scale.patience} (5 and 10 in the "
        f"thesis). Networks: four convolutions from scratch, and EfficientNet-Lite0 with ImageNet weights, whose first "
        f"{FROZEN_BLOCKS} of 16 blocks are frozen to spare time. No people rated these pictures, and this is neither "
        "AVA nor its scale: it shows whether what the tasks teach carries over to faults they do not make.",
    ]
    if "RotNet" in scale.starts:
        parts.insert(1, "RotNet and SimCLR run in the same trainer on as many images.")
    return " ".join(parts)


def _cell(values: NDArray[np.float64], factor: float = 1, digits: int = 3) -> str:
    spread = f" ± {factor * np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{factor * np.mean(values):.{digits}f}{spread}"


def _tables(results: Results, scale: Scale) -> list[Table]:
    starts = [(backbone, start) for backbone in scale.backbones for start in scale.starts]
    ranked = [
        [", ".join(key), *(_cell(results.values(*key, f"ranked {family}"), 100, 1) for family in FAMILIES)]
        for key in starts
        if key[1] in (NONE, *COMBINATIONS)
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
    for backbone in scale.backbones if len(scale.shares) > 1 else ():
        rows = [
            [f"{100 * share:.0f}", *(_cell(results.values(backbone, start, m, share), 1, 1 if m == "epochs" else 3)
                                     for m in CURVES for start in COMPARED)]
            for share in scale.shares
        ]  # fmt: skip
        header = [f"% of {scale.labels} labels", *(f"{m}, {start}" for m in CURVES for start in COMPARED)]
        tables.append(Table(f"Fewer labels, {backbone} (as Fig. 16.3 and 16.5)", markdown_table(header, rows)))
    return tables


def _dagger(results: Results, backbone: str, start: str) -> str:
    errors = {start: values for (other, start), values in results.errors.items() if other == backbone}
    return " †" if start != NONE and compare_errors(errors, baseline=NONE)[start]["significant"] else ""


def _findings(results: Results, scale: Scale) -> list[str]:
    findings = []
    for backbone in scale.backbones:
        for start in scale.starts[1:]:
            parts = []
            for measure in ("pearson", "mae", "epochs"):
                gain = results.values(backbone, start, measure) - results.values(backbone, NONE, measure)
                parts.append(f"{measure} {np.mean(gain):+.3g}{_interval(gain)}")
            findings.append(f"{backbone}, {start} against no pretext task, same seeds: {'; '.join(parts)}.")
    if len(scale.shares) > 1:
        findings += [_labels_needed(results, scale, *key) for key in product(scale.backbones, COMPARED[1:])]
    bright, contrast = np.mean([responses.mean(1) for responses in results.responses], axis=0)
    findings.append(
        f"Darkest to brightest level: the brightness output goes from {bright[0]:+.2f} to {bright[-1]:+.2f}, the "
        f"contrast output from {contrast[0]:+.2f} to {contrast[-1]:+.2f}."
    )
    return findings


def _labels_needed(results: Results, scale: Scale, backbone: str, start: str) -> str:
    """Say from which share on the mean correlation is that of no pretext task with all labels, or higher."""
    goal = np.mean(results.values(backbone, NONE, "pearson"))
    means = {share: np.mean(results.values(backbone, start, "pearson", share)) for share in scale.shares}
    enough = [share for share in scale.shares if all(means[s] >= goal for s in scale.shares if s >= share)]
    needed = f"{100 * min(enough):.0f} %" if enough else "more than 100 %"
    return f"{backbone}: {start} needs {needed} of the labels for the correlation without pretext task ({goal:.3f})."


def _interval(gain: NDArray[np.float64]) -> str:
    if len(gain) < 2:
        return ""
    half = half_interval(gain)
    return f" (95 % interval {np.mean(gain) - half:+.3g} to {np.mean(gain) + half:+.3g})"


def _pictures(results: Results, scale: Scale) -> list[Picture]:
    levels = sorted((*DISTORTIONS["brightness"].levels, 0))
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, output, values in zip(figure.subplots(1, 2, sharey=True), SHOWN, np.concatenate(results.responses, 1)):
        axes.violinplot(list(values.T), positions=levels, showmedians=True, widths=0.8)
        axes.set(xlabel="level of brightness applied", ylabel="predicted intensity", title=f"{output} output")
    caption = "What two intensity outputs say about levels of brightness, on photographs not trained on; all networks."
    pictures = [Picture.of(figure, caption)]
    for backbone in scale.backbones if len(scale.shares) > 1 else ():
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        for axes, measure in zip(figure.subplots(1, len(CURVES)), CURVES):
            for start in COMPARED:
                values = np.stack([results.values(backbone, start, measure, share) for share in scale.shares])
                shares = 100 * np.array(scale.shares)
                axes.errorbar(shares, values.mean(1), values.std(1, ddof=1), capsize=3, label=start)
            axes.set(xlabel="% of the labels", ylabel=measure)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
        pictures.append(Picture.of(figure, f"Fewer labels, {backbone}: mean and standard deviation over seeds."))
    return pictures


def _write_csv(results: Results) -> None:
    with results_csv("aesthetic_pretext", *Row._fields) as writer:
        writer.writerows([*row[:-1], f"{row.value:.4f}"] for row in results.rows)
