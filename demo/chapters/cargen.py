"""Which properties of a rendered car do embeddings encode, before and after they learn to tell car models apart?"""

from __future__ import annotations

from collections.abc import Callable

import nrprecision
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pytorch_metric_learning import losses
from torch import Tensor, nn

from demo.chapter import Chapter, Picture, Settings, Table, markdown_table, results_csv, step
from demo.data.cars import ALL, SIDE, SLICE, Cars, load_cars, render_cars
from demo.metric_learning import DIMENSIONS, FEATURES, Network, make_network, normalize

CODE = """
import cargen
import nrprecision

looks = cargen.sample(2400, seed=0)  # six cars of TORCS where torcs-data is installed, or six parametric ones
renderer = cargen.Renderer(size_px=64)
images = [renderer(look).image for look in looks]  # cargen.generate(...) for many, in processes
properties = {name: [getattr(look, name) for look in looks] for name in cargen.PROPERTY_VALUES}
print(nrprecision.normalized_r_precision(embed(images), properties, distance="cosine").ranking())
"""
THESIS = (
    "Fourteen losses trained on photographs of cars (Cars196), scored on 100,000 rendered cars whose eleven properties "
    "were drawn independently: car model first (55.6 to 59.8), then rotation (37.2 to 41.0), camera height (18.7 to "
    "21.6), sun elevation (7.5 to 9.8), the car's colour (2.8 to 5.7), the background's colour (1.1 to 2.9) and sun "
    "rotation (below 1). In the network without training ('None') the background's colour reaches 4.1 to 6.8: training "
    "lowers what the background contributes. Ranking losses encode rotation and camera height "
    "more, classification losses the colours and sun elevation (Table 7.3, Mann-Whitney U at 1 %)."
)
PRETRAINED = "None"
BATCH = 48
LOSSES: dict[str, Callable[[int], nn.Module]] = {
    "Contrastive": lambda _: losses.ContrastiveLoss(),
    "Triplet": lambda _: losses.TripletMarginLoss(),
    "Multi Similarity": lambda _: losses.MultiSimilarityLoss(),
    "N. Softmax": lambda classes: losses.NormalizedSoftmaxLoss(classes, DIMENSIONS, temperature=0.1),
    "CosFace": lambda classes: losses.CosFaceLoss(classes, DIMENSIONS, scale=16),
    "ArcFace": lambda classes: losses.ArcFaceLoss(classes, DIMENSIONS, scale=16),
}
GROUPS = {
    "ranking": ["Contrastive", "Triplet", "Multi Similarity"],
    "classification": ["N. Softmax", "CosFace", "ArcFace"],
}
# Table 7.1; what N. Softmax calls a dot product is one of vectors of length 1.
DISTANCES = {name: "euclidean" if name in ("Contrastive", "Triplet") else "cosine" for name in (PRETRAINED, *LOSSES)}
PLANS = {  # losses, seeds, steps
    "quick": (("Contrastive", "N. Softmax"), 1, 1),
    "default": (("Contrastive", "N. Softmax"), 1, 60),
    "full": (tuple(LOSSES), 4, 60),
}


def run(settings: Settings) -> Chapter:
    """Train on the car model and score all eleven properties."""
    chapter = Chapter(
        title="cargen: what does an embedding of cars encode?",
        question="A network learns to tell car models apart. Does it still see the colour, the light, the background?",
        code=CODE,
        thesis=THESIS,
        data="",
    )
    n = ALL if settings.mode == "full" else SLICE
    try:
        if settings.mode != "quick" and load_cars(n) is None:
            with step("rendering"):
                render_cars(n)
    except RuntimeError as error:
        chapter.data = f"Not run: the cars could not be rendered by {error}."
    cars = load_cars(n)
    if cars is None:
        chapter.data = chapter.data or "Not run: quick settings render no cars, and none were there."
        chapter.findings = ["Nothing was computed: the rendered cars are missing."]
        return chapter
    names, n_seeds, steps = PLANS[settings.mode]
    if settings.mode == "quick":
        cars = cars.every(8)
    training, scored = np.split(np.arange(len(cars.images)), [len(cars.images) * 7 // 12])
    models = {PRETRAINED: [], **{name: [] for name in names}}
    with step("frozen blocks"):
        reference = Network(nn.Identity()).eval()
        inputs = _frozen(reference, cars.images)
        models[PRETRAINED].append(_embed(reference, inputs[scored]))
    _, targets = np.unique(cars.properties["model"], return_inverse=True)
    for seed in range(n_seeds):
        for name in names:
            with step(f"{name}, seed {seed}"):
                network = _train(name, inputs[training], torch.from_numpy(targets[training]), seed, steps)
                models[name].append(_embed(network, inputs[scored]))
    with step("scoring"):
        looks = {name.replace("_", " "): values[scored] for name, values in cars.properties.items()}
        groups = GROUPS if settings.mode == "full" else None
        distances = {name: DISTANCES[name] for name in models}
        comparison = nrprecision.compare_models(models, looks, groups=groups, distance=distances)
    if settings.mode == "full":
        _write_csv(comparison)
    confounded = ", ".join(map(" and ".join, nrprecision.check_independence(looks).confounded)) or "none"
    chapter.data = (
        f"{len(cars.images):,} pictures of {SIDE} pixels (sha256 {cars.digest}) of six cars of the game TORCS "
        "(Debian's torcs-data, Free Art License), rendered by cargen with properties drawn as in Table 7.2; confounded "
        f"pairs: {confounded}. EfficientNet-Lite0 with ImageNet's weights ('None': its {FEATURES} features, no layer "
        f"added). Its last five blocks and a layer of {DIMENSIONS} dimensions learn the car model from "
        f"{len(training):,} pictures ({steps} batches of {BATCH}; seeds per loss: {n_seeds}). The other "
        f"{len(scored):,} are scored, each loss with its own distance."
    )
    chapter.tables = [_table(comparison)]
    chapter.pictures = [_contact_sheet(cars), _bars(comparison)]
    chapter.findings = _findings(comparison)
    return chapter


@torch.inference_mode()
def _frozen(network: Network, images: NDArray[np.uint8]) -> Tensor:
    """Return what the frozen blocks make of the images."""
    batches = torch.from_numpy(images).permute(0, 3, 1, 2).split(100)
    return torch.cat([network.frozen(normalize(batch)) for batch in batches]).clone()


def _train(name: str, inputs: Tensor, targets: Tensor, seed: int, steps: int) -> Network:
    """Train the last blocks and the layer; batch normalisation stays as it is."""
    network = make_network(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        loss = LOSSES[name](int(targets.max()) + 1)
        rates = {network.trained: 3e-4, network.head: 1e-3, loss: 1e-2}
        optimizer = torch.optim.Adam([{"params": [*part.parameters()], "lr": lr} for part, lr in rates.items()])
        for _ in range(steps):
            batch = torch.randperm(len(targets))[:BATCH]
            optimizer.zero_grad()
            loss(network.head(network.trained(inputs[batch])), targets[batch]).backward()
            optimizer.step()
    return network


@torch.inference_mode()
def _embed(network: Network, inputs: Tensor) -> NDArray[np.float32]:
    return torch.cat([network.head(network.trained(batch)) for batch in inputs.split(200)]).numpy()


def _table(comparison: nrprecision.ModelComparison) -> Table:
    """Return Table 7.3: a row per loss, and the means of both kinds of losses."""
    header = ["loss", *comparison.names]
    rows = [[name, *(f"{value:.2f}" for value in folds.mean(0))] for name, folds in comparison.scores.items()]
    note = "Normalised R-Precision, mean over seeds: 0 is chance, above 2.58 passes the published rule."
    if comparison.p_value is not None:
        for group, members in GROUPS.items():
            mean = np.concatenate([comparison.scores[name] for name in members]).mean(0)
            rows.append([f"{group} mean", *(f"{value:.2f}" for value in mean)])
        rows.append(["p", *(f"{value:.2g}" for value in comparison.p_value)])
        note += " p: Mann-Whitney U test between the two kinds of losses, over all losses and seeds."
    return Table("Table 7.3 on these cars", f"{markdown_table(header, rows)}\n\n{note}")


def _findings(comparison: nrprecision.ModelComparison) -> list[str]:
    means = dict(zip(comparison.scores, comparison.means))
    background = [k for k, name in enumerate(comparison.names) if name.startswith("background")]
    findings = []
    for name, values in means.items():
        order = [f"{comparison.names[k]} ({values[k]:.1f})" for k in np.argsort(-values)]
        findings.append(f"{name}: from most to least encoded: {', '.join(order)}.")
    for name in [name for name in means if name != PRETRAINED]:
        before, after = means[PRETRAINED][background].mean(), means[name][background].mean()
        findings.append(
            f"{name}: the three background properties go from {before:.2f} (None) to {after:.2f} on average."
        )
    if comparison.p_value is not None:
        differing = [f"{name} ({group})" for name, group in zip(comparison.names, comparison.higher_group) if group]
        findings.append(f"The two kinds of losses differ at the 1 % level in: {', '.join(differing) or 'none'}.")
    return findings


def _bars(comparison: nrprecision.ModelComparison) -> Picture:
    """Draw one group of bars per property, one bar per loss."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots()
    width = 0.85 / len(comparison.scores)
    for number, (name, folds) in enumerate(comparison.scores.items()):
        position = np.arange(len(comparison.names)) + (number - (len(comparison.scores) - 1) / 2) * width
        axes.bar(position, folds.mean(0), width, label=name, color="0.6" if name == PRETRAINED else None)
    axes.axhline(2.576, color="0.3", linestyle="--", linewidth=1, label="2.576 (published rule, 1 %)")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_yticks([0, 1, 3, 10, 30], ["0", "1", "3", "10", "30"])
    axes.set_xticks(range(len(comparison.names)), [name.replace(" ", "\n") for name in comparison.names], fontsize=8)
    axes.set(xlabel="property", ylabel="normalised R-Precision")
    axes.legend(fontsize=8, ncols=2)
    return Picture.of(figure, "Normalised R-Precision of each property, mean over the seeds.")


def _contact_sheet(cars: Cars) -> Picture:
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    for row, axes in enumerate(figure.subplots(3, 8).flat):
        axes.imshow(cars.images[row])
        axes.set_title(f"{cars.properties['model'][row]}, {cars.properties['rotation'][row]:.0f}°", fontsize=8)
        axes.axis("off")
    return Picture.of(figure, "Some of the rendered cars: car model and rotation.")


def _write_csv(comparison: nrprecision.ModelComparison) -> None:
    """Write one line per loss and seed."""
    with results_csv("cargen", "loss", "seed", *comparison.names) as writer:
        for name, folds in comparison.scores.items():
            for seed, values in enumerate(folds):
                writer.writerow([name, seed, *(f"{value:.4f}" for value in values)])
