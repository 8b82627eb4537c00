"""Can a list of words turn one table of image embeddings into several notions of similarity?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import indirect
import numpy as np
from indirect import Identity, InDiReCT
from numpy.typing import NDArray

from demo.chapter import Chapter, Settings, Table, markdown_table, results_csv, step
from demo.data.car_notions import cars
from demo.data.notions import Task, drawings, load_tasks, stamps
from demo.data.offline_encoder import load_offline_encoder
from demo.notion_figures import DIMENSIONS, draw_attribution, draw_encoders, draw_maps, draw_sweeps

CODE = """
from indirect import EmbeddingStore, InDiReCT, OfflineEncoder, Prompts, search

encoder = OfflineEncoder("encoder.safetensors")  # or OpenClipEncoder("ViT-B-32", "weights.safetensors")
store = EmbeddingStore.build("embeddings", photographs, encoder)  # once, for all notions
colour = InDiReCT("auto", encoder=encoder).fit(Prompts("a photo of a {} thing", ["red", "green", "blue"]))
cosines, rows = search(colour.transform([query]), colour.transform(store))
"""
THESIS = (
    "With CLIP, 569 names of car models raise MAP@R on photographs of car models from 23.5 (CLIP itself, 512 "
    "dimensions) to 37.4 with 128 dimensions; prompts improve on CLIP for all thirteen notions of five data sets, on a "
    "random transformation too, and on linear autoencoders mostly; colours of rendered cars gain little (6.2 to 9.1; "
    "the oracle reaches 57.9), so the prompts miss what the images hold (Table 13.2)."
)
SIDES = ("features", "classes")
OPTIONS = {
    "normal": InDiReCT(DIMENSIONS),
    "svd": InDiReCT(DIMENSIONS, init="svd"),
    "auto": InDiReCT("auto"),
    "64": InDiReCT(64),
}
SLOW_OPTIONS = {
    "Adam, normal": InDiReCT(DIMENSIONS, solver="adam", max_iter=3000),
    "Adam, svd": InDiReCT(DIMENSIONS, solver="adam", max_iter=3000, init="svd"),
}


@dataclass(frozen=True)
class Plan:
    """How much is computed."""

    seeds: Sequence[int]
    notions: Sequence[str] | None  # None: all
    iterations: int  # of the autoencoders and the oracle
    slow: bool  # Adam and the autoencoders, too
    pictures: int  # explained
    samples: int  # noisy variants of each


PLANS = {
    "quick": Plan(range(1), ("kind of animal",), 20, False, 1, 1),
    "default": Plan(range(2), None, 40, False, 3, 3),
    "full": Plan(range(5), None, 200, True, 5, 20),
}


def run(settings: Settings) -> Chapter:
    """Evaluate every method on every notion."""
    plan = PLANS[settings.mode]
    with step("embeddings of pictures and prompts"):
        encoders = {side: load_offline_encoder(side) for side in SIDES}
        loaders = [stamps] if settings.mode == "quick" else [stamps, drawings, cars]
        sources = [source for load in loaders if (source := load())]  # the cars may not have been rendered
        tasks = {name: task for source in sources for name, task in load_tasks(source, encoders, plan.notions).items()}
    results, encoder_results, option_results = {}, {}, {}
    with warnings.catch_warnings():
        # 64 dimensions are more than the prompts of some notions.
        warnings.filterwarnings("ignore", "prompts: .* cannot determine", UserWarning)
        for name, task in tasks.items():
            with step(name):
                given = task.texts, task.images["classes"], task.labels
                results[name] = indirect.evaluate(_methods(plan), *given, seeds=plan.seeds, progress=False)
                encoder_results[name] = indirect.sweep_encoders(
                    {"encoder": Identity(), "InDiReCT": InDiReCT(DIMENSIONS)},
                    {side: (task.texts, task.images[side]) for side in SIDES},
                    task.labels,
                    seeds=plan.seeds,
                )
                option_results[name] = indirect.evaluate(
                    OPTIONS | SLOW_OPTIONS if plan.slow else OPTIONS,
                    *given,
                    seeds=plan.seeds,
                    measures=["MAP@R"],
                    progress=False,
                )
        with step("sweeps and maps"):
            pictures = [draw_maps(tasks), *draw_sweeps(tasks, plan.seeds), draw_encoders(encoder_results)]
    with step("attribution"):
        pictures.append(draw_attribution(sources[0], encoders["classes"], plan.pictures, plan.samples))
    if settings.mode == "full":
        _write_csv(results, encoder_results)
    tables = [_table(results, plan), _encoder_table(encoder_results), _option_table(option_results, tasks)]
    if settings.mode == "full":
        tables += [Table(f"All measures (Table B.1): {name}", found.to_markdown()) for name, found in results.items()]
    return Chapter(
        title="indirect: one table of embeddings, several notions of similarity",
        question="Are pictures of a red apple and of a red car similar? Can words alone decide in which sense?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"{'; '.join(source.description for source in sources)}. Each is embedded once by the offline encoder "
            f"({tasks['kind of animal'].texts.shape[1]} dimensions), whose image side is an ImageNet classifier and "
            "not CLIP: its centred features, or the probabilities of its classes put into the space of the texts. "
            f"Prompts: {', '.join(f'{len(task.texts)} for {name}' for name, task in tasks.items())}. All methods but "
            f"the encoder itself: {DIMENSIONS} dimensions. {len(plan.seeds)} seeds."
        ),
        tables=tables,
        pictures=pictures,
        findings=_findings(results, encoder_results),
    )


def _methods(plan: Plan) -> dict[str, Any]:
    trained = {"n_components": DIMENSIONS, "max_iter": plan.iterations}
    methods = {
        "random": indirect.RandomEmbedding(DIMENSIONS),
        "encoder": Identity(),
        "InDiReCT": InDiReCT(DIMENSIONS),
        "rand. trans.": indirect.RandomTransformation(DIMENSIONS),
        "PCA": indirect.PCA(DIMENSIONS),
    }
    if plan.slow:
        methods |= {"LAE": indirect.LinearAutoencoder(**trained), "AE": indirect.Autoencoder(**trained)}
    return methods | {"oracle": indirect.Oracle(**trained)}


def _table(results: Mapping[str, indirect.Evaluation], plan: Plan) -> Table:
    methods = [*_methods(plan)]
    rows = [
        [f"{name}, {measure}", *(_cell(found.scores[method][measure]) for method in methods)]
        for name, found in results.items()
        for measure in ("MAP@R", "Prec@1")
    ]
    note = (
        "In percent, mean ± standard deviation over seeds; images through the classes. The oracle learns from the very "
        f"images and labels that it is measured on; it and the autoencoders stop after {plan.iterations} iterations."
    )
    return Table("Table 13.2 with the offline encoder", f"{markdown_table(['notion', *methods], rows)}\n\n{note}")


def _encoder_table(results: Mapping[str, indirect.Sweep]) -> Table:
    header = ["notion", *(f"{side}: {method}" for side in SIDES for method in ("encoder", "InDiReCT"))]
    rows = [
        [name, *(_cell(found.scores[method][place]) for place in (0, 1) for method in ("encoder", "InDiReCT"))]
        for name, found in results.items()
    ]
    note = "MAP@R in percent; images as centred features, or through the classes."
    return Table("Two image sides of the encoder", f"{markdown_table(header, rows)}\n\n{note}")


def _option_table(results: Mapping[str, indirect.Evaluation], tasks: Mapping[str, Task]) -> Table:
    losses = ("normal", "svd")
    rows = []
    for name, found in results.items():
        fitted = [type(OPTIONS[key])(**{**OPTIONS[key].get_params(), "random_state": 0}) for key in (*losses, "auto")]
        normal, svd, auto = (notion.fit(tasks[name].texts) for notion in fitted)
        cells = [_cell(scores["MAP@R"]) for scores in found.scores.values()]
        rows.append([name, *cells, str(auto.n_components_), f"{normal.loss_:.4f}", f"{svd.loss_:.4f}"])
    header = [
        "notion",
        *next(iter(results.values())).scores,
        "dimensions of auto",
        *(f"loss, {start}" for start in losses),
    ]
    note = f"MAP@R in percent by start (normal, svd), solver and number of dimensions ({DIMENSIONS} if not said)."
    return Table("What the options of InDiReCT do", f"{markdown_table(header, rows)}\n\n{note}")


def _cell(values: NDArray[np.float64]) -> str:
    values = 100 * values
    return f"{values.mean():.1f}" + (f" ± {values.std(ddof=1):.1f}" if len(values) > 1 and values.std() > 0 else "")


def _findings(results: Mapping[str, indirect.Evaluation], encoder_results: Mapping[str, indirect.Sweep]) -> list[str]:
    findings = []
    for name, found in results.items():
        ours, encoder, pca = (100 * found.mean(method) for method in ("InDiReCT", "encoder", "PCA"))
        features = {method: 100 * scores[0].mean() for method, scores in encoder_results[name].scores.items()}
        findings.append(
            f"{name}: through the classes, InDiReCT {_verdict(ours, encoder)} the encoder itself in MAP@R ({ours:.1f} "
            f"against {encoder:.1f}) and {_verdict(ours, pca)} PCA ({pca:.1f}); on the features it "
            f"{_verdict(features['InDiReCT'], features['encoder'])} the encoder itself ({features['InDiReCT']:.1f} "
            f"against {features['encoder']:.1f})."
        )
    return findings


def _verdict(ours: float, other: float) -> str:
    return "improves on" if ours > other else "loses to"


def _write_csv(results: Mapping[str, indirect.Evaluation], encoder_results: Mapping[str, indirect.Sweep]) -> None:
    """Write one line per image side, notion, method and seed; only MAP@R on the features."""
    measures = [*next(iter(results.values())).scores["encoder"]]
    with results_csv("indirect", "image_side", "notion", "method", "seed", *measures) as writer:
        for name, found in results.items():
            for method, scores in found.scores.items():
                for seed, values in enumerate(zip(*scores.values())):
                    writer.writerow(["classes", name, method, seed, *(f"{value:.4f}" for value in values)])
            for method, scores in encoder_results[name].scores.items():
                for seed, value in enumerate(scores[0]):
                    writer.writerow(["features", name, method, seed, f"{value:.4f}", *[""] * (len(measures) - 1)])
