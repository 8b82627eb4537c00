"""Figures of chapter 13, drawn from notions of similarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import indirect
import numpy as np
import torch
from dml_attribution import EmbeddingAttribution, difference_map, grid
from indirect import Identity, InDiReCT
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from demo.chapter import Picture
from demo.data.notions import Source, Task

DIMENSIONS = 32  # fewer than the prompts of the poorest notion
BLACK, WHITE = -127 / 128, 1.0  # pixels as the encoder takes them


def draw_maps(tasks: Mapping[str, Task]) -> Picture:
    """Draw where three notions put the same pictures."""
    chosen = [name for name in ("kind of thing", "kind of animal", "colour") if name in tasks]
    fitted = indirect.fit_many({name: tasks[name].texts for name in chosen}, n_components=DIMENSIONS, random_state=0)
    figure, _ = indirect.plot_maps(
        {name: fitted[name].transform(tasks[name].images["classes"]) for name in chosen},
        {name: tasks[name].labels for name in chosen},
        layout=TSNE(random_state=0, perplexity=20, init="pca").fit_transform,
    )
    return Picture.of(figure, "The same embeddings under several notions (t-SNE), as in Fig. 13.2.")


def draw_sweeps(tasks: Mapping[str, Task], seeds: Sequence[int]) -> list[Picture]:
    """Draw the score against the number of dimensions and against the number of prompts."""
    task = tasks["kind of animal"]
    given = {"InDiReCT": InDiReCT(), "encoder": Identity()}, task.texts, task.images["classes"], task.labels
    counts = [2, 4, 8, 16, 32, 64, 128]
    dimensions = indirect.sweep_components(*given, components=counts, seeds=seeds)
    most = len(task.texts)
    notion = {"InDiReCT": InDiReCT(DIMENSIONS), "encoder": Identity()}
    prompts = indirect.sweep_prompts(notion, *given[1:], counts=[5, 10, 20, 40, 60, most], seeds=seeds)
    captions = (
        "Kind of animal: MAP@R against the number of dimensions, as in Fig. 13.4.",
        f"Kind of animal: MAP@R against the number of prompts, drawn with each seed out of {most}, as in Fig. 13.6.",
    )
    return [_sweep_picture(sweep, caption) for sweep, caption in zip((dimensions, prompts), captions)]


def _sweep_picture(sweep: indirect.Sweep, caption: str) -> Picture:
    figure = Figure(figsize=(6, 4), layout="constrained")
    sweep.plot(axes=figure.subplots())
    return Picture.of(figure, caption)


def draw_encoders(results: Mapping[str, indirect.Sweep]) -> Picture:
    """Draw one graph per notion."""
    columns = min(4, len(results))
    rows = -(-len(results) // columns)
    figure = Figure(figsize=(3 * columns, 2.9 * rows), layout="constrained")
    for canvas, (name, sweep) in zip(figure.subplots(rows, columns, squeeze=False).flat, results.items()):
        sweep.plot(axes=canvas)
        canvas.set_title(name, fontsize=10)
    return Picture.of(figure, "MAP@R against the encoder's image side, as in Fig. 13.5.")


def draw_attribution(source: Source, encoder: indirect.OfflineEncoder, pictures: int, samples: int) -> Picture:
    """Draw what two-dimensional notions look at, and the encoder does not."""
    names = ["kind of animal"] if pictures == 1 else ["kind of thing", "kind of animal", "colour"]
    texts = {name: encoder.encode_text(source.notions[name].prompts) for name in names}
    notions = indirect.fit_many(texts, n_components=2, random_state=0)
    rows = source.notions["kind of animal"].rows
    shown = rows[np.linspace(0, len(rows) - 1, pictures).astype(int)]
    pixels = torch.stack([encoder.preprocess(source.open(source.files[row])) for row in shown])

    def explain(model: Any) -> torch.Tensor:
        attribution = EmbeddingAttribution(model, distance="cosine", mean=127 / 255, std=128 / 255)
        return attribution.attribute(pixels, n_samples=samples, progress=False)

    plain = explain(encoder.image_network)
    maps = {
        name: difference_map(explain(lambda x, notion=notion: notion.transform(encoder.image_network(x))), plain)
        for name, notion in notions.items()
    }
    figure = grid((pixels - BLACK) / (WHITE - BLACK), maps, cmap="cividis", limits=(-1, 1))
    return Picture.of(
        figure,
        "dml-attribution on the encoder followed by a notion of two dimensions, minus that of the encoder alone: the "
        "notion looks more at what is yellow, the encoder at what is blue (Fig. 13.3).",
    )
