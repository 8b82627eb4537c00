"""Can a list of words turn one table of image embeddings into several notions of similarity?"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import indirect
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from demo.chapter import RESULTS, Chapter, Picture, Settings, Table, markdown_table, step
from demo.data.cache import cached_array
from demo.data.captioned_stamps import Stamps, load_captioned_stamps, median_colour
from demo.data.offline_encoder import load_offline_encoder

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
KINDS = {"animals", "clothes", "food", "household", "plants", "seasonal", "town", "vehicles"}
WORDS = {
    "kind of thing": (
        ["{}", "a photo of a {}", "a picture of {}"],
        "animal, mammal, bird, insect, fish, cat, dog, horse, clothing, shirt, hat, shoe, dress, food, fruit, "
        "vegetable, bread, cake, apple, cheese, household object, tool, kettle, cup, furniture, hammer, plant, "
        "flower, tree, mushroom, leaf, holiday decoration, christmas ornament, pumpkin, easter egg, gift, "
        "building, house, street sign, monument, tower, vehicle, car, truck, train, ship, airplane, bicycle",
    ),
    "kind of animal": (
        ["{}", "a photo of a {}", "a picture of {}"],
        "mammal, dog, cat, horse, cow, bear, monkey, mouse, elephant, deer, bird, eagle, duck, parrot, owl, "
        "penguin, hen, insect, butterfly, beetle, bee, ant, fly, fish, shark, goldfish, salmon, eel",
    ),
    "colour": (
        ["{}", "a {} thing", "a photo of a {} object", "something {}"],
        "red, orange, yellow, green, blue, purple, pink, brown, black, white, grey, beige, turquoise, golden, silver",
    ),
    "indoors or outdoors": (
        ["{}", "a photo of a thing {}", "something that you find {}"],
        "in the kitchen, in the living room, in a wardrobe, on the desk, in the bathroom, at home, indoors, in a "
        "shop, in the garden, in the forest, on the road, in the street, at sea, in the sky, in the mountains, "
        "outdoors, on a farm",
    ),
    "photograph or drawing": (
        ["a {} of an animal", "a {} of a house", "a {} of a thing", "a {}"],
        "photograph, photo, snapshot, close-up photo, drawing, cartoon, sketch, comic, clip art, painting, "
        "illustration",
    ),
}
INDOORS = {"household", "clothes", "hobbies", "medical"}
OUTDOORS = {"animals", "plants", "vehicles", "town"}
# Colours that people name alike (CSS 2.1 and its neighbours), as red, green and blue.
COLOURS = {
    "red": (0.8, 0.1, 0.1),
    "orange": (0.95, 0.55, 0.1),
    "yellow": (0.95, 0.9, 0.2),
    "green": (0.2, 0.55, 0.2),
    "blue": (0.2, 0.3, 0.75),
    "brown": (0.45, 0.3, 0.15),
    "black": (0.08, 0.08, 0.08),
    "white": (0.95, 0.95, 0.95),
    "grey": (0.5, 0.5, 0.5),
}
DIMENSIONS = 32  # fewer than the prompts of the poorest notion


@dataclass(frozen=True)
class Notion:
    """Prompt embeddings, the rows of the images that have a label, and the labels."""

    texts: NDArray[np.float32]
    rows: NDArray[np.int64]
    labels: NDArray[Any]


def run(settings: Settings) -> Chapter:
    """Evaluate every method on every notion."""
    seeds = {"quick": range(1), "default": range(2), "full": range(5)}[settings.mode]
    max_iter = 30 if settings.mode == "quick" else 10_000
    stamps = load_captioned_stamps()
    with step("embeddings of stamps and prompts"):
        encoder = load_offline_encoder()
        images = cached_array("captioned_stamps", lambda: encoder.encode_image([*stamps.pictures()]).numpy())
        texts = {name: encoder.encode_text(prompts).numpy() for name, prompts in _prompts().items()}
        chosen = ["kind of animal", "colour"] if settings.mode == "quick" else [*WORDS]
        labels = _labels(stamps)
        notions = {name: Notion(texts[name], *_labelled(labels[name])) for name in chosen}
    results = {}
    for name, notion in notions.items():
        with step(name):
            results[name] = indirect.evaluate(
                _methods(max_iter),
                notion.texts,
                images[notion.rows],
                notion.labels,
                seeds=seeds,
                progress=False,
            )
    with step("sweeps and maps"):
        kind = notions["kind of animal"]
        counts = [2, 8, 32] if settings.mode == "quick" else [2, 4, 8, 16, 32, 64, 128, 256]
        dimensions = indirect.sweep_components(
            {"InDiReCT": indirect.InDiReCT(), "encoder": indirect.Identity()},
            kind.texts,
            images[kind.rows],
            kind.labels,
            components=[count for count in counts if count <= len(kind.texts)],
            seeds=seeds,
        )
        many = indirect.fit_many(texts, n_components=DIMENSIONS, random_state=0)
        maps = _maps(notions, many, images)
    if settings.mode == "full":
        _write_csv(results)
    return Chapter(
        title="indirect: one table of embeddings, several notions of similarity",
        question="Are pictures of a red apple and of a red car similar? Can words alone decide in which sense?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"{len(stamps)} captioned stamps of Tux Paint (cut-out photographs and drawings, GPL-2) on white, embedded "
            f"once by the offline encoder ({images.shape[1]} dimensions; its image side is an ImageNet classifier, not "
            "CLIP). Labels: the folders of the stamps; for colours the named colour nearest to the median pixel. "
            f"Prompts: {', '.join(f'{len(rows)} for {name}' for name, rows in texts.items())}. All methods but the "
            f"encoder itself: {DIMENSIONS} dimensions. {len(seeds)} seeds."
        ),
        tables=[_table(results), *(_full_table(name, result) for name, result in results.items())],
        pictures=[maps, _sweep_picture(dimensions)],
        findings=_findings(results),
    )


def _methods(max_iter: int) -> dict[str, Any]:
    trained = {"n_components": DIMENSIONS, "max_iter": max_iter}
    return {
        "random": indirect.RandomEmbedding(DIMENSIONS),
        "encoder": indirect.Identity(),
        "InDiReCT": indirect.InDiReCT(DIMENSIONS),
        "InDiReCT (auto)": indirect.InDiReCT("auto"),
        "InDiReCT (Adam)": indirect.InDiReCT(DIMENSIONS, solver="adam", max_iter=max_iter),
        "rand. trans.": indirect.RandomTransformation(DIMENSIONS),
        "PCA": indirect.PCA(DIMENSIONS),
        "LAE": indirect.LinearAutoencoder(**trained),
        "AE": indirect.Autoencoder(**trained),
        "oracle": indirect.Oracle(**trained),
    }


def _prompts() -> dict[str, indirect.Prompts]:
    return {
        name: indirect.Prompts(templates, [word.strip() for word in words.split(",")])
        for name, (templates, words) in WORDS.items()
    }


def _labels(stamps: Stamps) -> dict[str, list[str | None]]:
    """Return one label per stamp for each notion; None where it has none."""
    animals = [folders[1] if folders[0] == "animals" and len(folders) > 1 else None for folders in stamps.folders]
    names, references = [*COLOURS], np.array([*COLOURS.values()])
    colours = [names[((references - median_colour(file)) ** 2).sum(1).argmin()] for file in stamps.files]
    places = {**dict.fromkeys(INDOORS, "indoors"), **dict.fromkeys(OUTDOORS, "outdoors")}
    return {
        "kind of thing": [folders[0] if folders[0] in KINDS else None for folders in stamps.folders],
        "kind of animal": [kind if kind in {"mammals", "birds", "insects", "fish"} else None for kind in animals],
        "colour": list(colours),
        "indoors or outdoors": [places.get(folders[0]) for folders in stamps.folders],
        "photograph or drawing": ["drawing" if "cartoon" in folders else "photograph" for folders in stamps.folders],
    }


def _labelled(labels: list[str | None]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    rows = np.array([row for row, label in enumerate(labels) if label is not None])
    return rows, np.array([labels[row] for row in rows])


def _table(results: Mapping[str, indirect.Evaluation]) -> Table:
    methods = [*_methods(1)]
    rows = []
    for name, result in results.items():
        for measure in ("MAP@R", "Prec@1"):
            cells = [_cell(result, method, measure) for method in methods]
            rows.append([f"{name}, {measure}", *cells])
    note = "In percent, mean ± standard deviation over seeds; n/a: PCA needs more prompts than dimensions."
    return Table("Table 13.2 with the offline encoder", f"{markdown_table(['notion', *methods], rows)}\n\n{note}")


def _cell(result: indirect.Evaluation, method: str, measure: str) -> str:
    if method not in result.scores:
        return "n/a"
    values = 100 * result.scores[method][measure]
    return f"{values.mean():.1f}" + (f" ± {values.std(ddof=1):.1f}" if len(values) > 1 and values.std() > 0 else "")


def _full_table(name: str, result: indirect.Evaluation) -> Table:
    return Table(f"All measures (Table B.1): {name}", result.to_markdown())


def _maps(
    notions: Mapping[str, Notion], fitted: Mapping[str, indirect.InDiReCT], images: NDArray[np.float32]
) -> Picture:
    chosen = [name for name in ("kind of thing", "kind of animal", "colour") if name in notions]
    figure, _ = indirect.plot_maps(
        {name: fitted[name].transform(images[notions[name].rows]) for name in chosen},
        {name: notions[name].labels for name in chosen},
        layout=TSNE(random_state=0, perplexity=20, init="pca").fit_transform,
    )
    return Picture.of(figure, "The same embeddings under three notions (t-SNE), as in Fig. 13.2.")


def _sweep_picture(sweep: indirect.Sweep) -> Picture:
    figure = Figure(figsize=(6, 4), layout="constrained")
    sweep.plot(axes=figure.subplots())
    return Picture.of(figure, "Kind of animal: MAP@R against the number of dimensions, as in Fig. 13.4.")


def _findings(results: Mapping[str, indirect.Evaluation]) -> list[str]:
    findings = []
    for name, result in results.items():
        ours, encoder, oracle = (100 * result.mean(method) for method in ("InDiReCT", "encoder", "oracle"))
        verdict = "improves on" if ours > encoder else "loses to"
        findings.append(
            f"{name}: InDiReCT {verdict} the encoder itself in MAP@R ({ours:.1f} against {encoder:.1f}); the oracle, "
            f"which sees images and labels, reaches {oracle:.1f}."
        )
    return findings


def _write_csv(results: Mapping[str, indirect.Evaluation]) -> None:
    """Write one line per notion, method and seed."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "indirect.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["notion", "method", "seed", *next(iter(results.values())).scores["encoder"]])
        for name, result in results.items():
            for method, scores in result.scores.items():
                for seed, values in enumerate(zip(*scores.values())):
                    writer.writerow([name, method, seed, *(f"{value:.4f}" for value in values)])
