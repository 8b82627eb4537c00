"""How far do labels from lexica go, and does a network trained on them go further?"""

from __future__ import annotations

import csv
from collections.abc import Mapping

import numpy as np
from lexicon_weaklabel import AverageLabeler, Labels, Lexicon, LexiconLabeler, WordVectors, train_word2vec
from lexicon_weaklabel.analysis import (
    Scores,
    ablation,
    audit,
    confusion,
    evaluate,
    expected_scores,
    mcnemar_test,
    randomisation_test,
    relabelled,
)
from lexicon_weaklabel.neural import train_textcnn
from matplotlib.figure import Figure
from numpy.typing import NDArray
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from demo.chapter import RESULTS, Chapter, Picture, Settings, Table, markdown_table, step
from demo.data.rated_texts import CLASSES, load_rated_texts

Names = NDArray[np.object_]
CODE = """
from lexicon_weaklabel import Lexicon, LexiconLabeler, train_word2vec
from lexicon_weaklabel.neural import train_textcnn

labeler = LexiconLabeler(Lexicon.twitch_emotes().merge(Lexicon.from_vader()))
labels = labeler.label(messages)  # soft labels, what was covered, and where the signal tokens are
vectors = train_word2vec([labeler.tokenizer(text).tokens for text in messages])
trained = train_textcnn(messages, labels, vectors, mask=0.5)  # half of the signal tokens are hidden
print(trained.model.predict(["a message without any word of the lexicon"]))
"""
THESIS = (
    "On 1,922 Twitch messages: random 33.3 % accuracy, majority 40.1 %, VADER's rules 43.0 %, average of the lexica "
    "61.8 %, product of distributions 62.8 %, TextCNN trained on these labels with 50 % of the signal tokens "
    "masked 63.8 % (Table 15.2). The network was better where the lexica tie, but left nearly all of the 669 messages "
    "without signal neutral."
)
NETWORKS = {"TextCNN, no masking": 0.0, "TextCNN, 50 % masked": 0.5}


def run(settings: Settings) -> Chapter:
    """Label the rated texts without their ratings, train on the labels, score with the ratings."""
    n_seeds, max_checks, limit = {"quick": (1, 1, 400), "default": (3, 3, 1500), "full": (3, 15, None)}[settings.mode]
    with step("rated texts and lexica"):
        corpora = {name: _sample(*corpus, limit) for name, corpus in load_rated_texts().items()}
        vader, emotes = Lexicon.from_vader(), Lexicon.twitch_emotes()
        labeler = LexiconLabeler(emotes.merge(vader))
        average = AverageLabeler(emotes.merge(vader))
    texts = [text for texts, _ in corpora.values() for text in texts]
    with step("labels"):
        labels = labeler.label(texts)
        predicted = {
            "VADER's rules": _vader(texts),
            "average of scores": average.label(texts).label,
            "product of distributions": labels.label,
        }
    tokens = [labeler.tokenizer(text).tokens for text in texts]
    networks: dict[str, list[Names]] = {name: [] for name in NETWORKS}
    for seed in range(n_seeds):
        with step(f"networks of seed {seed}"):
            vectors = train_word2vec(tokens, dimensions=50, min_count=5, seed=seed)
            for name, mask in NETWORKS.items():
                networks[name].append(_network(texts, labels, vectors, labeler, mask, seed, max_checks))
    parts = _parts({name: len(part) for name, (part, _) in corpora.items()})
    truth = np.concatenate([truth for _, truth in corpora.values()])
    with step("scores and tests"):
        methods = {**{name: [names] for name, names in predicted.items()}, **networks}
        tables = [
            _scores(corpus, truth[part], {name: [names[part] for names in runs] for name, runs in methods.items()})
            for corpus, part in parts.items()
        ]
        tables.append(_tests(parts, truth, predicted["product of distributions"], predicted, networks))
        tables.append(_confusions(truth[parts["tweets"]], predicted, networks, parts["tweets"]))
        tables.append(_ablation({"emotes": emotes, "VADER": vader}, *corpora["tweets"]))
        top = audit(labeler, labels)[:12]
    if settings.mode == "full":
        _write_csv(parts, truth, predicted, networks)
    changed = [[sum(relabelled(labels, names).values()) for names in runs] for runs in networks.values()]
    uncovered = int((~labels.covered).sum())
    return Chapter(
        title="lexicon-weaklabel: labels without annotators",
        question="How far do labels from lexica go, and does a network trained on them go further?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"{len(texts):,} texts (tweets, film and product reviews, editorials) with the mean of 10 or more human "
            "ratings from -4 to 4 (vaderSentiment's sdist, MIT), binned like the lexicon: below -1.5 negative, above "
            "1.5 positive. The ratings are used for scoring only; networks are trained on the labels of the lexica of "
            f"all texts, word vectors (50 dimensions, 5 occurrences) on the texts. Seeds: {n_seeds}. These texts hold "
            "no emotes and hardly any emoji, so the emote lexicon cannot show what it does on Twitch."
        ),
        tables=tables,
        pictures=[_bars(parts, truth, predicted, networks)],
        findings=[
            f"{labels.covered.mean():.1%} of the texts hold a token of the lexica.",
            *(
                f"{name} relabels {np.mean(counts):,.0f} of the {uncovered:,} texts without signal (mean over seeds)."
                for name, counts in zip(networks, changed)
            ),
            "The tokens found most often: " + ", ".join(f"{row.entry} ({row.occurrences})" for row in top) + ".",
            *_best(parts, truth, predicted, networks),
        ],
    )


def _sample(texts: list[str], truth: Names, limit: int | None) -> tuple[list[str], Names]:
    rows = np.sort(np.random.default_rng(0).permutation(len(texts))[:limit])
    return [texts[row] for row in rows], truth[rows]


def _vader(texts: list[str]) -> Names:
    """Return VADER's own classes, with its published thresholds on the compound score."""
    analyzer = SentimentIntensityAnalyzer()
    compound = np.array([analyzer.polarity_scores(text)["compound"] for text in texts])
    chosen: Names = np.array(CLASSES, dtype=object)[1 + (compound >= 0.05).astype(int) - (compound <= -0.05)]
    return chosen


def _network(
    texts: list[str], labels: Labels, vectors: WordVectors, labeler: LexiconLabeler, mask: float, seed: int, checks: int
) -> Names:
    emotes = sorted(getattr(labeler.tokenizer, "emotes", ()))
    options = {"filters": 32, "batch_size": 128, "check_every": 40, "learning_rate": 2e-3, "max_checks": checks}
    trained = train_textcnn(texts, labels, vectors, emotes=emotes, mask=mask, seed=seed, progress=False, **options)
    return trained.model.predict(texts)


def _parts(sizes: Mapping[str, int]) -> dict[str, slice]:
    ends = np.cumsum([*sizes.values()])
    return {name: slice(int(end) - size, int(end)) for (name, size), end in zip(sizes.items(), ends)}


def _scores(corpus: str, truth: Names, predicted: Mapping[str, list[Names]]) -> Table:
    majority = np.full(len(truth), max(CLASSES, key=[*truth].count), dtype=object)
    rows: dict[str, list[Scores]] = {
        "random, uniform": [expected_scores(truth, [1 / 3] * 3)],
        "random, class shares": [expected_scores(truth)],
        "majority": [evaluate(truth, majority)],
        **{name: [evaluate(truth, names) for names in runs] for name, runs in predicted.items()},
    }
    cells = [[name, *map(_cell, zip(*(vars(scores).values() for scores in runs)))] for name, runs in rows.items()]
    return Table(
        f"{corpus}: {len(truth):,} texts", markdown_table(["method", "accuracy", "macro recall", "macro F1"], cells)
    )


def _cell(values: tuple[float, ...]) -> str:
    spread = f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{spread}"


def _tests(
    parts: Mapping[str, slice],
    truth: Names,
    reference: Names,
    predicted: Mapping[str, Names],
    networks: Mapping[str, list[Names]],
) -> Table:
    rows = []
    others = {name: names for name, names in predicted.items() if names is not reference}
    others |= {f"{name} (seed {seed})": names for name, runs in networks.items() for seed, names in enumerate(runs)}
    for name, names in others.items():
        cells = []
        for part in parts.values():
            p = randomisation_test(truth[part], names[part], reference[part], rounds=10_000)
            q = mcnemar_test(truth[part], names[part], reference[part])
            cells.append(f"{p:.2g} / {q:.2g}")
        rows.append([name, *cells])
    note = "p of Yeh's randomisation test on macro F1 (at least 1/10,001) / of McNemar's test, both two-sided, per run."
    caption = "Is it different from the product of distributions?"
    return Table(caption, f"{markdown_table(['method', *parts], rows)}\n\n{note}")


def _ablation(lexica: Mapping[str, Lexicon], texts: list[str], truth: Names) -> Table:
    cells = []
    for row in ablation(lexica, texts, truth):
        scores = zip(vars(row.average).values(), vars(row.distribution).values())
        pairs = [f"{average:.1%} / {distribution:.1%}" for average, distribution in scores]
        cells.append([" + ".join(row.lexica), *pairs, f"{row.coverage:.1%}"])
    header = ["lexica", "accuracy", "macro recall", "macro F1", "covered"]
    return Table("Tweets: what each lexicon adds (average / distribution)", markdown_table(header, cells))


def _confusions(
    truth: Names, predicted: Mapping[str, Names], networks: Mapping[str, list[Names]], part: slice
) -> Table:
    shown = {**predicted, **{f"{name} (seed 0)": runs[0] for name, runs in networks.items()}}
    rows = []
    for name, names in shown.items():
        table = confusion(truth, names[part])
        rows.append([name, *(" / ".join(map(str, row)) for row in table), " / ".join(map(str, table.sum(0)))])
    header = ["method", *(f"truly {name}" for name in CLASSES), "all"]
    note = "Numbers given the class negative / neutral / positive (Tables 15.4 and 15.5)."
    return Table("Tweets: what was taken for what", f"{markdown_table(header, rows)}\n\n{note}")


def _best(
    parts: Mapping[str, slice], truth: Names, predicted: Mapping[str, Names], networks: Mapping[str, list[Names]]
) -> list[str]:
    findings = []
    for corpus, part in parts.items():
        f1 = {name: [evaluate(truth[part], names[part]).macro_f1] for name, names in predicted.items()}
        f1 |= {name: [evaluate(truth[part], names[part]).macro_f1 for names in runs] for name, runs in networks.items()}
        order = sorted(f1, key=lambda name: -np.mean(f1[name]))
        ranked = ", ".join(f"{name} {100 * np.mean(f1[name]):.1f}" for name in order)
        findings.append(f"{corpus}, macro F1 from best to worst: {ranked}.")
    return findings


def _bars(
    parts: Mapping[str, slice], truth: Names, predicted: Mapping[str, Names], networks: Mapping[str, list[Names]]
) -> Picture:
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots()
    methods = {**{name: [names] for name, names in predicted.items()}, **networks}
    for number, (name, runs) in enumerate(methods.items()):
        f1 = np.array(
            [[100 * evaluate(truth[part], names[part]).macro_f1 for part in parts.values()] for names in runs]
        )
        spread = f1.std(0, ddof=1) if len(runs) > 1 else None
        position = np.arange(len(parts)) + 0.16 * (number - 2)
        axes.bar(position, f1.mean(0), 0.15, yerr=spread, capsize=3, label=name)
    chance = [100 * expected_scores(truth[part]).macro_f1 for part in parts.values()]
    axes.hlines(chance, np.arange(len(parts)) - 0.4, np.arange(len(parts)) + 0.4, "k", label="random, class shares")
    axes.set_xticks(range(len(parts)), [*parts])
    axes.set(xlabel="corpus", ylabel="macro F1 in %")
    axes.legend(fontsize=8, ncols=3, loc="upper right")
    axes.set_ylim(0, 85)
    return Picture.of(figure, "Macro F1 on human ratings; networks: mean and standard deviation over seeds.")


def _write_csv(
    parts: Mapping[str, slice], truth: Names, predicted: Mapping[str, Names], networks: Mapping[str, list[Names]]
) -> None:
    """Write one line per corpus, method and seed."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "lexicon_weaklabel.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["corpus", "method", "seed", "accuracy", "macro_recall", "macro_f1"])
        for corpus, part in parts.items():
            for name, runs in {**{name: [names] for name, names in predicted.items()}, **networks}.items():
                for seed, names in enumerate(runs):
                    scores = vars(evaluate(truth[part], names[part])).values()
                    writer.writerow([corpus, name, seed if name in networks else "", *(f"{x:.4f}" for x in scores)])
