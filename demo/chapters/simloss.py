"""Cross entropy against SimLoss on classes that have an order, and on classes whose names have a meaning."""

from __future__ import annotations

import statistics
from functools import partial

import simloss
from matplotlib.figure import Figure
from torch import nn

from demo.chapter import Chapter, Picture, Settings, Table, markdown_table, results_csv, step
from demo.experiments import Experiment, clipart, movies, solar_cells
from demo.training import Scores, constant_scores, train_classifier

CODE = """
import simloss

def train(loss, seed):  # your own training: loss(logits, target) instead of cross entropy
    ...
    return {"val": {"Acc": ..., "MAE": ..., "MSE": ...}, "test": {...}}

grid = {0.0: torch.nn.CrossEntropyLoss()}
grid |= {r: simloss.OrdinalSimilarity(num_classes=9, reduction_factor=r) for r in (0.3, 0.5, 0.8)}
result = simloss.sweep(train, grid, seeds=range(10), baseline=0.0)
print(result.table())
print(result.best("MAE"))
"""
THESIS = (
    "Ages from photographs (UTKFace, AFAD), ten runs: a small reduction factor r (about 0.4) gave the best accuracy, a "
    "larger one (0.7 to 0.9) the best MAE and MSE, and the best factor was significantly better than cross entropy "
    "(Table 14.1). A large r makes the model concentrate on few representative classes (Figure 14.2). Objects "
    "(CIFAR-100): word vectors with a high lower bound l = 0.9 raised accuracy and superclass accuracy, a low one "
    "ruined the accuracy (Table 14.2)."
)


def run(settings: Settings) -> Chapter:
    """Compare the losses on each data set of the mode."""
    chapter = Chapter(
        title="simloss: a loss that knows which classes are similar",
        question="Does a classifier make milder mistakes, or fewer, when its loss knows which classes are alike?",
        code=CODE,
        thesis=THESIS,
        data="",
    )
    seeds = {"quick": range(2), "default": range(6), "full": range(10)}[settings.mode]
    experiments = {
        "quick": [partial(movies, [0.0, 0.5], snippets=1500)],
        "default": [partial(movies, [0.0, 0.3, 0.5, 0.8])],
        "full": [movies, solar_cells, clipart],
    }
    for make in experiments[settings.mode]:
        experiment = make()
        chapter.data += experiment.data + " "
        _compare(chapter, experiment, seeds, settings)
    chapter.data += (
        "Each seed draws its own split (60/20/20 %), weights and batches, shared by all rows. Validation chooses the "
        "epoch and the row; the marks of a signed-rank test are on test values. One hidden layer of 64 units, Adam."
    )
    return chapter


def _compare(chapter: Chapter, experiment: Experiment, seeds: range, settings: Settings) -> None:
    """Run the grid and add its tables, pictures and findings."""
    examples, epochs = experiment.examples, 2 if settings.mode == "quick" else 100

    def train(loss: nn.Module, seed: int) -> dict[str, Scores]:
        return train_classifier(examples, loss, seed, epochs).scores

    with step(f"{experiment.name}: {len(experiment.losses)} losses x {len(seeds)} seeds"):
        result = simloss.sweep(train, experiment.losses, seeds, baseline=experiment.baseline)
    constant = [constant_scores(examples, seed) for seed in seeds]
    if settings.mode == "full":
        _write_csv(experiment, result, constant)
    name = f"{experiment.title} ({experiment.parameter} = {experiment.baseline} is cross entropy)"
    chapter.tables += [Table(name, result.table("markdown")), _choices(experiment, result, constant)]
    chapter.findings += [_finding(experiment, result, metric) for metric in result.higher_is_better]
    chapter.pictures.append(_sweep_picture(experiment, result))
    if experiment.parameter == "r":
        with step(f"{experiment.name}: mean output distributions"):
            chapter.pictures.append(_distribution_picture(experiment, result, epochs))


def _choices(experiment: Experiment, result: simloss.SweepResult, constant: list[Scores]) -> Table:
    """Compare cross entropy with the row that validation chooses for each metric."""
    header = ["metric", f"{experiment.parameter} chosen", "SimLoss", "cross entropy", "p", "best constant answer"]
    rows = []
    for metric, higher in result.higher_is_better.items():
        best = result.best(metric)
        base = [scores[metric] for scores in constant]
        cells = [_spread(result.values(row, "test", metric)) for row in (best, experiment.baseline)]
        p_value = f"{result.p_value(best, metric):.3f}" if best != experiment.baseline else "-"
        rows.append([f"{metric} {'↑' if higher else '↓'}", str(best), *cells, p_value, _spread(base)])
    note = f"Test values, mean ± standard deviation over {len(result.seeds)} seeds; p of the signed-rank test."
    return Table(f"{experiment.title}: chosen on validation", f"{markdown_table(header, rows)}\n\n{note}")


def _finding(experiment: Experiment, result: simloss.SweepResult, metric: str) -> str:
    """Say in a sentence what the chosen row did on the test data."""
    best = result.best(metric)
    start = f"{experiment.title}, {metric}: validation chooses {experiment.parameter} = {best}"
    if best == experiment.baseline:
        return f"{start}, which is cross entropy."
    ours, theirs = (result.mean(row, "test", metric) for row in (best, experiment.baseline))
    better = "better" if (ours > theirs) == result.higher_is_better[metric] else "worse"
    p_value = result.p_value(best, metric)
    sure = "significant" if p_value <= result.level else "not significant"
    return f"{start}; test {ours:.3f} against {theirs:.3f} with cross entropy: {better}, {sure} (p = {p_value:.3f})."


def _sweep_picture(experiment: Experiment, result: simloss.SweepResult) -> Picture:
    """Draw each metric over the grid: the test values, and cross entropy as a band."""
    metrics = result.higher_is_better
    figure = Figure(figsize=(4 * len(metrics), 3.4), layout="constrained")
    rows = sorted(row for row in result.runs if row != experiment.baseline)
    for axes, metric in zip(figure.subplots(1, len(metrics)), metrics):
        level, spread = (
            result.mean(experiment.baseline, "test", metric),
            result.std(experiment.baseline, "test", metric),
        )
        axes.axhspan(level - spread, level + spread, color="0.9")
        axes.axhline(level, color="0.45", linestyle="--", label="cross entropy")
        means = [result.mean(row, "test", metric) for row in rows]
        spreads = [result.std(row, "test", metric) for row in rows]
        axes.errorbar(rows, means, spreads, color="#2f6fb0", marker="o", capsize=3, label="SimLoss")
        best = result.best(metric)
        chosen = result.mean(best, "test", metric)
        axes.plot([best], [chosen], "o", color="#d1495b", markersize=9, zorder=3, label="chosen on validation")
        axes.set(xlabel=experiment.parameter, ylabel=f"test {metric}")
        axes.set_title(f"{metric}: {'higher' if metrics[metric] else 'lower'} is better", fontsize=10)
    figure.axes[0].legend(fontsize=8)
    return Picture.of(figure, f"{experiment.title}: test values, mean and standard deviation over the seeds.")


def _distribution_picture(experiment: Experiment, result: simloss.SweepResult, epochs: int) -> Picture:
    """Draw the mean output of three losses as in Figure 14.2, for all examples and for those of one class."""
    examples, losses = experiment.examples, experiment.losses
    distributions = {}
    for row in sorted({experiment.baseline, result.best(examples.stop_by), max(losses)}):
        trained = train_classifier(examples, losses[row], result.seeds[0], epochs)
        distributions[f"r = {row}"] = simloss.mean_distribution(trained.probabilities, trained.targets)
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    middle = len(experiment.class_names) // 2
    simloss.plot_mean_distribution(distributions, class_names=experiment.class_names, axes=left)
    simloss.plot_mean_distribution(distributions, class_index=middle, class_names=experiment.class_names, axes=right)
    left.set_title("all test examples", fontsize=10)
    right.set_title(f"test examples of class {experiment.class_names[middle]}", fontsize=10)
    return Picture.of(figure, f"{experiment.title}: mean output of the model, first seed.")


def _spread(values: list[float]) -> str:
    """Return mean ± sample standard deviation."""
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


def _write_csv(experiment: Experiment, result: simloss.SweepResult, constant: list[Scores]) -> None:
    """Write one line per loss, seed and split."""
    header = experiment.parameter, "seed", "split", *result.higher_is_better
    with results_csv(f"simloss_{experiment.name}", *header) as writer:
        for row, runs in result.runs.items():
            for seed, run in zip(result.seeds, runs):
                for split, scores in run.items():
                    writer.writerow([row, seed, split, *(f"{value:.6f}" for value in scores.values())])
        for seed, scores in zip(result.seeds, constant):
            writer.writerow(["constant", seed, "test", *(f"{value:.6f}" for value in scores.values())])
