"""Pictures with labels for several notions of similarity, and the words that describe each notion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from indirect import OfflineEncoder, Prompts
from numpy.typing import NDArray
from PIL import Image

from demo.data.cache import cached_array
from demo.data.captioned_stamps import load_captioned_stamps, median_colour, open_stamp
from demo.data.clipart import load_clipart, open_drawing

Templates = Sequence[str]
A_THING = ["{}", "a photo of a {}", "a picture of {}"]
A_DRAWING = ["{}", "a drawing of a {}", "a picture of {}"]
FOOD = (
    "fruit, apple, banana, strawberry, lemon, vegetable, carrot, tomato, mushroom, cabbage, bread, pizza, noodles, "
    "cereal, sandwich, meat, sausage, steak, egg, chicken, dessert, cake, ice cream, candy, cookie, drink, coffee, "
    "wine, beer, juice"
)
ANIMALS = (
    "mammal, dog, cat, horse, cow, bear, monkey, mouse, elephant, deer, bird, eagle, duck, parrot, owl, penguin, hen, "
    "insect, butterfly, beetle, bee, ant, fly, fish, shark, goldfish, salmon, eel"
)
THINGS = (
    "animal, mammal, bird, insect, fish, cat, dog, horse, clothing, shirt, hat, shoe, dress, food, fruit, vegetable, "
    "bread, cake, apple, cheese, household object, tool, kettle, cup, furniture, hammer, plant, flower, tree, "
    "mushroom, leaf, holiday decoration, christmas ornament, pumpkin, easter egg, gift, building, house, street sign, "
    "monument, tower, vehicle, car, truck, train, ship, airplane, bicycle"
)
DRAWN_THINGS = (
    f"{THINGS}, person, man, woman, child, face, weapon, sword, musical instrument, guitar, drum, computer, "
    "keyboard, monitor, weather, cloud, sun"
)
COLOUR_WORDS = (
    "red, orange, yellow, green, blue, purple, pink, brown, black, white, grey, beige, turquoise, golden, silver"
)
PLACES = (
    "in the kitchen, in the living room, in a wardrobe, on the desk, in the bathroom, at home, indoors, in a shop, in "
    "the garden, in the forest, on the road, in the street, at sea, in the sky, in the mountains, outdoors, on a farm"
)
TECHNIQUES = (
    "photograph, photo, snapshot, close-up photo, drawing, cartoon, sketch, comic, clip art, painting, illustration"
)
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
KINDS = ("animals", "clothes", "food", "household", "plants", "seasonal", "town", "vehicles")
ANIMAL_FOLDERS = ("mammals", "birds", "insects", "fish")
INDOORS = ("household", "clothes", "hobbies", "medical")
OUTDOORS = ("animals", "plants", "vehicles", "town")
DRAWN_KINDS = {
    "animals": "animals",
    "buildings": "buildings",
    "food": "food",
    "people": "people",
    "plants": "plants",
    "tools": "tools",
    "recreation/music": "instruments",
    "transportation/boating": "vehicles",
    "transportation/vehicles": "vehicles",
    "computer/hardware": "computers",
}
DRAWN_FOODS = ("beverages", "breads_and_carbs", "desserts", "fruit", "meats_and_eggs")
MOST_DRAWINGS = 40  # per folder


@dataclass(frozen=True)
class Notion:
    """Prompts, the rows of the pictures that have a label, and their labels."""

    prompts: Prompts
    rows: NDArray[np.int64]
    labels: NDArray[Any]


@dataclass(frozen=True)
class Source:
    """Files, how to open one, and the notions that they have labels for."""

    name: str
    description: str
    files: Sequence[Path]
    open: Callable[[Path], Image.Image]
    notions: Mapping[str, Notion]


@dataclass(frozen=True)
class Task:
    """Embeddings of prompts, embeddings of images for each image side of the encoder, and the images' labels."""

    texts: NDArray[np.float32]
    images: Mapping[str, NDArray[np.float32]]
    labels: NDArray[Any]


def stamps() -> Source:
    """Return cut-out photographs, with labels for five notions."""
    found = load_captioned_stamps()
    names, references = [*COLOURS], np.array([*COLOURS.values()])
    places = {**dict.fromkeys(INDOORS, "indoors"), **dict.fromkeys(OUTDOORS, "outdoors")}
    animals = [folders[1] if folders[0] == "animals" and len(folders) > 1 else None for folders in found.folders]
    return Source(
        "stamps",
        f"{len(found)} captioned stamps of Tux Paint (cut-out photographs and drawings, GPL-2) on white; labels are "
        "their folders, and the named colour nearest to the median pixel",
        found.files,
        open_stamp,
        {
            "kind of thing": notion_of(
                A_THING, THINGS, [folders[0] if folders[0] in KINDS else None for folders in found.folders]
            ),
            "kind of animal": notion_of(
                A_THING,
                ANIMALS,
                [kind if kind in ANIMAL_FOLDERS else None for kind in animals],
            ),
            "colour": notion_of(
                ["{}", "a {} thing", "a photo of a {} object", "something {}"],
                COLOUR_WORDS,
                [names[((references - median_colour(file)) ** 2).sum(1).argmin()] for file in found.files],
            ),
            "indoors or outdoors": notion_of(
                ["{}", "a photo of a thing {}", "something that you find {}"],
                PLACES,
                [places.get(folders[0]) for folders in found.folders],
            ),
            "photograph or drawing": notion_of(
                ["a {} of an animal", "a {} of a house", "a {} of a thing", "a {}"],
                TECHNIQUES,
                ["drawing" if "cartoon" in folders else "photograph" for folders in found.folders],
            ),
        },
    )


def drawings() -> Source:
    """Return clip art, with labels for three notions."""
    paths, folders = _chosen_drawings()
    kinds = [next(kind for start, kind in DRAWN_KINDS.items() if _within(folder, start)) for folder in folders]
    last = [folder.rpartition("/")[2] for folder in folders]
    return Source(
        "drawings",
        f"{len(paths)} drawings of openclipart (public domain), at most {MOST_DRAWINGS} of a folder; labels are the "
        "folders",
        paths,
        open_drawing,
        {
            "kind of thing drawn": notion_of(A_DRAWING, DRAWN_THINGS, kinds),
            "kind of animal drawn": notion_of(
                A_DRAWING,
                ANIMALS,
                [name if folder.startswith("animals/") else None for folder, name in zip(folders, last)],
            ),
            "kind of food drawn": notion_of(A_DRAWING, FOOD, [name if name in DRAWN_FOODS else None for name in last]),
        },
    )


def _chosen_drawings() -> tuple[list[Path], list[str]]:
    paths, folders, _ = load_clipart()
    kept = [
        row
        for row, folder in enumerate(folders)
        if any(_within(folder, start) for start in DRAWN_KINDS) and folders[:row].count(folder) < MOST_DRAWINGS
    ]
    return [paths[row] for row in kept], [folders[row] for row in kept]


def _within(folder: str, start: str) -> bool:
    return f"{folder}/".startswith(f"{start}/")


def notion_of(templates: Templates, words: str, labels: Sequence[str | None]) -> Notion:
    """Return the notion of comma-separated words in templates; pictures without a label take no part in it."""
    rows = np.array([row for row, label in enumerate(labels) if label is not None])
    return Notion(Prompts(templates, words.split(", ")), rows, np.array([labels[row] for row in rows]))


def load_tasks(source: Source, encoders: Mapping[str, OfflineEncoder], chosen: Sequence[str] | None) -> dict[str, Task]:
    """Return the tasks of a source; its pictures go through the network once, whatever the image side."""
    encode = encoders["features"].encode_image
    raw = cached_array(
        f"{source.name}-features", lambda: encode([*map(source.open, source.files)], projected=False).numpy()
    )
    with torch.no_grad():
        images = {side: encoder.image_network[-1](torch.tensor(raw)).numpy() for side, encoder in encoders.items()}
    return {
        name: Task(
            encoders["classes"].encode_text(notion.prompts).numpy(),
            {side: rows[notion.rows] for side, rows in images.items()},
            notion.labels,
        )
        for name, notion in source.notions.items()
        if chosen is None or name in chosen
    }
