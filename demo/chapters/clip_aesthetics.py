"""Do prompts and a linear probe tell photographs from spoilt copies of them?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import clip_aesthetics
import numpy as np
from indirect import OfflineEncoder
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import rankdata

from demo.chapter import Chapter, Picture, Settings, Table, markdown_table, results_csv, step
from demo.data.cache import cached_array
from demo.data.offline_encoder import load_offline_encoder
from demo.data.photographs import FAULTS, LEVELS, load_photographs, versions
from demo.data.wordnet import wordnet_folder

CODE = """
from clip_aesthetics import LinearProbe, OpenClipEncoder, PromptScorer

encoder = OpenClipEncoder("ViT-B-32")  # a local folder: open_clip_config.json and weights
scores = PromptScorer(encoder, mode="ensemble").score(photographs)  # no training
print(scores.values, scores.range, scores.closest)

features = encoder.encode_image(photographs, projected=False)
probe = LinearProbe(encoder).fit(features, ratings)  # closed form
print(probe.score(more_photographs).values)
"""
THESIS = (
    "With OpenAI's CLIP on AVA (photographs rated by people), two prompts alone reach an accuracy of 72.5 % (majority: "
    "70.3 %) and a rank correlation of 0.435, averaged context prompts 75.6 % and 0.539, a linear probe 80.0 % and "
    "0.683; the probe on features of an ImageNet transformer stays at 76.7 % and 0.574 (Table 12.1)."
)
FAULT_LABELS = ("sharp", "clear", "bright"), ("blurry", "noisy", "dark")
PROBE = "linear probe"
ALL = "all faults"
Values = NDArray[Any]
Estimates = Mapping[str, Mapping[str, clip_aesthetics.Estimate]]


@dataclass(frozen=True)
class Photographs:
    """Versions of photographs: which photograph, fault and grade each is, and its two embeddings."""

    photograph: Values
    fault: Values
    level: Values
    embeddings: Values
    features: Values

    def __len__(self) -> int:
        """Return the number of photographs."""
        return int(self.photograph.max()) + 1

    @property
    def quality(self) -> Values:
        """The rating to learn: 10 for an original, two less for each grade of a fault."""
        return 10.0 - 2 * self.level

    def ladders(self, values: Values, fault: str) -> Values:
        """Return values ``(photographs, 1 + grades)`` of the originals and of the grades of one fault."""
        chosen = (self.fault == fault) | (self.level == 0)
        return values[chosen].reshape(len(self), 1 + len(LEVELS))


def run(settings: Settings) -> Chapter:
    """Score all versions by prompts, and by probes that never saw the photographs they judge."""
    n_photographs, n_contexts, n_folds, n_seeds, n_resamples = {
        "quick": (4, 50, 2, 1, 100),
        "default": (None, None, 5, 1, 1000),
        "full": (None, None, 5, 3, 10_000),
    }[settings.mode]
    with step("encoder, photographs and their faults"):
        encoder = load_offline_encoder()
        pictures = dict([*load_photographs().items()][:n_photographs])
        photographs = _encoded(pictures, encoder)
    with step("prompts"):
        contexts = clip_aesthetics.imagenet_class_names()[:n_contexts]
        prompts = _prompt_values(photographs, encoder, contexts)
    with step("probes"):
        predictions = [_probe_values(photographs, encoder, n_folds, seed) for seed in range(n_seeds)]
        probe = clip_aesthetics.LinearProbe(encoder, folds=n_folds)
        probe.fit(photographs.features, photographs.quality, groups=photographs.photograph)
    methods = {name: [values] for name, values in prompts.items()} | {PROBE: predictions}
    wins = _by_fault(_wins, photographs, methods, n_resamples)
    agreement = _by_fault(_agreement, photographs, methods, n_resamples)
    if settings.mode == "full":
        _write_csv(photographs, methods)
    return Chapter(
        title="clip-aesthetics: which photographs are good?",
        question="Can two sentences, or one linear layer on frozen features, tell a photograph from its spoilt copy?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"{len(photographs)} photographs that somebody chose to show (Debian's lomiri-wallpapers and "
            f"mate-backgrounds, scikit-image, scikit-learn), each with {len(FAULTS)} faults in {len(LEVELS)} grades: "
            f"{', '.join(FAULTS)}. This is not AVA: nobody rated these pictures, and the grade of a fault is all the "
            "truth there is. No CLIP weights were at hand either: the encoder is the offline one of indirect, whose "
            "image side IS an ImageNet classifier and whose text side was fitted to class names, so that the thesis' "
            "main result, that CLIP's features beat ImageNet's, cannot be shown here. With AVA and a CLIP model: "
            "clip-aesthetics fit AVA.txt IMAGES --encoder FOLDER --test TEST.txt --out probe.safetensors."
        ),
        tables=[
            _table("Share of spoilt copies that score below their original (chance: 0.5)", wins),
            _table("Rank correlation of score and grade within a photograph (chance: 0)", agreement),
            _probe_table(photographs, predictions[0], n_resamples),
        ],
        pictures=[_ladder_picture(pictures, photographs, predictions[0]), _bars(wins), _weights(probe)],
        findings=_findings(wins, agreement),
    )


def _encoded(pictures: Mapping[str, Image.Image], encoder: OfflineEncoder) -> Photographs:
    """Encode all versions of each photograph, before and after the projection; the embeddings are cached."""

    def compute() -> NDArray[np.float32]:
        rows = []
        for picture in pictures.values():
            images = [image for _, _, image in versions(picture)]
            both = [encoder.encode_image(images, projected=projected) for projected in (True, False)]
            rows.append(np.concatenate([part.numpy() for part in both], axis=1))
        return np.concatenate(rows)

    embeddings, features = np.split(cached_array(_key("photographs", encoder, pictures), compute), 2, axis=1)
    grades = [("none", 0), *((fault, level) for fault in FAULTS for level in LEVELS)]
    fault, level = (np.array(column) for column in zip(*grades))
    n = len(pictures)
    return Photographs(np.arange(n).repeat(len(grades)), np.tile(fault, n), np.tile(level, n), embeddings, features)


def _key(name: str, encoder: OfflineEncoder, items: Iterable[str]) -> str:
    """Return a name for the cache that another encoder or other items would not have."""
    return f"{name}-{hashlib.sha256(' '.join([encoder.identity, *items]).encode()).hexdigest()[:12]}"


def _prompt_values(photographs: Photographs, encoder: OfflineEncoder, contexts: Sequence[str]) -> dict[str, Values]:
    """Return the score of each version by each kind of prompts."""
    labels = ["outstanding", "horrible"]
    texts = clip_aesthetics.prompt_texts(labels, mode="context", contexts=contexts)
    in_context = cached_array(_key("prompts", encoder, texts), lambda: encoder.encode_text(texts).numpy())
    scorers = {
        "fixed prompts": clip_aesthetics.PromptScorer(encoder),
        "context prompts": clip_aesthetics.PromptScorer(in_context, mode="context", contexts=contexts),
        "ensemble prompts": clip_aesthetics.PromptScorer(in_context, mode="ensemble", contexts=contexts),
        "prompts that name faults": clip_aesthetics.PromptScorer(encoder, *FAULT_LABELS),
    }
    values = {name: scorer.score(photographs.embeddings).values for name, scorer in scorers.items()}
    return values | {"searched labels": _searched_values(photographs, encoder)}


def _searched_values(photographs: Photographs, encoder: OfflineEncoder) -> Values:
    """Score each half of the photographs by the pair of WordNet's adjectives that is best on the other half."""
    positive, negative = clip_aesthetics.wordnet_adjectives(wordnet_folder())
    values = np.empty(len(photographs.level))
    for half in (0, 1):
        chosen = photographs.photograph % 2 == half
        best = clip_aesthetics.search_labels(
            encoder, photographs.embeddings[~chosen], photographs.quality[~chosen], positive, negative
        ).best()
        scorer = clip_aesthetics.PromptScorer(encoder, [best.positive], [best.negative])
        values[chosen] = scorer.score(photographs.embeddings[chosen]).values
    return values


def _probe_values(photographs: Photographs, encoder: OfflineEncoder, n_folds: int, seed: int) -> Values:
    """Predict the quality of each version by a probe fitted on other photographs."""
    fold = np.random.default_rng(seed).permutation(len(photographs))[photographs.photograph] % n_folds
    values = np.empty(len(fold))
    for left_out in range(n_folds):
        train = fold != left_out
        probe = clip_aesthetics.LinearProbe(encoder, folds=n_folds)
        probe.fit(photographs.features[train], photographs.quality[train], groups=photographs.photograph[train])
        values[~train] = probe.predict(photographs.features[~train])
    return values


def _wins(photographs: Photographs, values: Values, fault: str) -> Values:
    """Return, for each photograph, the share of a fault's grades that score below the original; a tie is half."""
    ladder = photographs.ladders(values, fault)
    return ((ladder[:, :1] > ladder[:, 1:]) + 0.5 * (ladder[:, :1] == ladder[:, 1:])).mean(1)


def _agreement(photographs: Photographs, values: Values, fault: str) -> Values:
    """Return the rank correlation of prediction and quality among the five grades of each photograph."""
    ranks = rankdata(-photographs.ladders(values, fault), axis=1)
    wanted = np.arange(ranks.shape[1]) - ranks.shape[1] // 2
    deviations = ranks - ranks.mean(1, keepdims=True)
    scale = np.linalg.norm(deviations, axis=1) * np.linalg.norm(wanted)
    return deviations @ wanted / np.where(scale > 0, scale, 1)


def _estimate(per_photograph: Values, n_resamples: int) -> clip_aesthetics.Estimate:
    """Return the mean over photographs with its 95 % bootstrap interval over photographs."""
    drawn = np.random.default_rng(0).integers(len(per_photograph), size=(n_resamples, len(per_photograph)))
    low, high = np.percentile(per_photograph[drawn].mean(1), [2.5, 97.5])
    return clip_aesthetics.Estimate(per_photograph.mean(), low, high)


def _by_fault(
    statistic: Callable[[Photographs, Values, str], Values],
    photographs: Photographs,
    methods: Mapping[str, list[Values]],
    n_resamples: int,
) -> Estimates:
    """Return the statistic of each method and fault, and of all faults together; seeds are averaged first."""
    estimates = {}
    for method, seeds in methods.items():
        by_fault = {
            fault: np.mean([statistic(photographs, values, fault) for values in seeds], axis=0) for fault in FAULTS
        }
        by_fault[ALL] = np.mean([*by_fault.values()], axis=0)
        estimates[method] = {fault: _estimate(values, n_resamples) for fault, values in by_fault.items()}
    return estimates


def _table(caption: str, estimates: Estimates) -> Table:
    header = ["method", *FAULTS, ALL]
    rows = [[method, *map(str, row.values())] for method, row in estimates.items()]
    note = (
        "Mean over the photographs with a 95 % bootstrap interval over photographs. The labels of 'searched labels' "
        "were chosen on the other half of the photographs, the probe fitted on other photographs."
    )
    return Table(caption, f"{markdown_table(header, rows)}\n\n{note}")


def _probe_table(photographs: Photographs, values: Values, n_resamples: int) -> Table:
    """Compare the probe with the majority as in Table 12.1."""
    result = clip_aesthetics.evaluate({PROBE: values}, photographs.quality, n_resamples=n_resamples)
    header = ["method", "accuracy", "Spearman", "Pearson", "mean absolute error"]
    rows = [[method, *(str(cell or "-") for cell in row.values())] for method, row in result.rows.items()]
    note = (
        f"All {result.n} versions, rated 10 for an original and two less for each grade; aesthetic from 5 on. Interval "
        "over versions, which are not independent of one another; the tables above draw photographs instead."
    )
    return Table("The probe as in Table 12.1, first seed", f"{markdown_table(header, rows)}\n\n{note}")


def _findings(wins: Estimates, agreement: Estimates) -> list[str]:
    findings = []
    for method, row in wins.items():
        above = [fault for fault in FAULTS if row[fault].low > 0.5]
        below = [fault for fault in FAULTS if row[fault].high < 0.5]
        findings.append(
            f"{method}: originals above {row[ALL]} of their spoilt copies; better than chance for "
            f"{', '.join(above) or 'no fault'}, worse for {', '.join(below) or 'none'}."
        )
    correlations = [f"{fault} {estimate}" for fault, estimate in agreement[PROBE].items()]
    findings.append(f"The probe orders the grades of photographs it never saw: {', '.join(correlations)}.")
    return findings


def _bars(wins: Estimates) -> Picture:
    """Draw one group of bars per fault, one bar per method."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots()
    colours = ("0.75", "0.55", "#9cc3e6", "#2f6fb0", "#e8a33d", "#d1495b")
    width = 0.8 / len(wins)
    for number, ((method, row), colour) in enumerate(zip(wins.items(), colours)):
        position = np.arange(len(row)) + (number - (len(wins) - 1) / 2) * width
        values, low, high = np.array([*row.values()]).T
        axes.bar(position, values, width, yerr=(values - low, high - values), color=colour, capsize=2, label=method)
    axes.axhline(0.5, color="0.3", linestyle="--", linewidth=1, label="chance")
    axes.set_xticks(range(len(FAULTS) + 1), [*FAULTS, ALL])
    axes.set(xlabel="fault", ylabel="spoilt copies below their original", ylim=(0, 1.02))
    axes.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    return Picture.of(figure, "Share of spoilt copies that score below their original, with 95 % intervals.")


def _ladder_picture(pictures: Mapping[str, Image.Image], photographs: Photographs, values: Values) -> Picture:
    """Draw the grades of each fault of one photograph, and what the probe says."""
    number = len(photographs) - 1
    figure = Figure(figsize=(9, 9.6), layout="constrained")
    panels = figure.subplots(len(FAULTS), 1 + len(LEVELS))
    images = [image for _, _, image in versions([*pictures.values()][number])]
    for row, fault in enumerate(FAULTS):
        shown = [images[0], *images[1 + row * len(LEVELS) :][: len(LEVELS)]]
        for panel, image, value in zip(panels[row], shown, photographs.ladders(values, fault)[number]):
            panel.imshow(image.resize((128, 128)))
            panel.set_title(f"{value:.1f}", fontsize=9)
            panel.set(xticks=[], yticks=[])
        panels[row, 0].set_ylabel(fault)
    return Picture.of(
        figure, "A photograph, the grades of its faults, and the quality that a probe gives which never saw it."
    )


def _weights(probe: clip_aesthetics.LinearProbe) -> Picture:
    figure, _ = clip_aesthetics.plot_weights({"linear probe on features of an ImageNet classifier": probe})
    return Picture.of(figure, "Weights of the probe times the standard deviation of their features, as in Figure 12.3.")


def _write_csv(photographs: Photographs, methods: Mapping[str, list[Values]]) -> None:
    """Write one line per method, seed and fault."""
    with results_csv("clip_aesthetics", "method", "seed", "fault", "below_original", "rank_correlation") as writer:
        for method, seeds in methods.items():
            for seed, values in enumerate(seeds):
                for fault in FAULTS:
                    statistics = (statistic(photographs, values, fault).mean() for statistic in (_wins, _agreement))
                    writer.writerow([method, seed, fault, *(f"{value:.4f}" for value in statistics)])
