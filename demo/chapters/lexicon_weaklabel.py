"""How far do labels from lexica go, and does a network trained on them go further?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lexicon_weaklabel import AverageLabeler, Lexicon, LexiconLabeler, WordVectors, train_word2vec
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

from demo.chapter import Chapter, Picture, Settings, Table, half_interval, markdown_table, results_csv, step
from demo.data.glove import load_glove
from demo.data.rated_texts import CLASSES, load_rated_texts

Names = NDArray[np.object_]
Corpora = dict[str, tuple[list[str], Names]]
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
# Where the word vectors come from, and what differs from the settings of the thesis.
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "TextCNN, no masking": ("own", {"mask": 0.0}),
    "TextCNN, 50 % masked": ("own", {}),
    "TextCNN, GloVe, 50 % masked": ("GloVe", {}),
    "TextCNN, static GloVe, 50 % masked": ("GloVe", {"static": True}),
    "TextCNN, GloVe, uncertain dropped": ("GloVe", {"uncertain": "drop"}),
}


def run(settings: Settings) -> Chapter:
    """Train on weak labels of one half of the rated texts, score with the ratings of the other half."""
    n_seeds, checks, limit = {"quick": (1, 1, 400), "default": (3, 3, 1200), "full": (3, 10, None)}[settings.mode]
    with step("rated texts and lexica"):
        corpora, training = _halves({name: _sample(*corpus, limit) for name, corpus in load_rated_texts().items()})
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
    networks = _networks(training, texts, labeler, range(n_seeds), checks)
    parts = _parts({name: len(part) for name, (part, _) in corpora.items()})
    truth = np.concatenate([truth for _, truth in corpora.values()])
    with step("scores and tests"):
        methods = {**{name: [names] for name, names in predicted.items()}, **networks}
        tables = [
            _scores(corpus, truth[part], {name: [names[part] for names in runs] for name, runs in methods.items()})
            for corpus, part in parts.items()
        ]
        tables.append(_gains(parts, truth, predicted["product of distributions"], networks))
        tables.append(_tests(parts, truth, predicted["product of distributions"], predicted, networks))
        tables.append(_confusions(truth[parts["tweets"]], predicted, networks, parts["tweets"]))
        tables.append(_ablation({"emotes": emotes, "VADER": vader}, *corpora["tweets"]))
        top = audit(labeler, labels)[:12]
    changed = {name: [sum(relabelled(labels, names).values()) for names in runs] for name, runs in networks.items()}
    if settings.mode == "full":
        _write_csv(parts, truth, methods, changed)
    uncovered = int((~labels.covered).sum())
    return Chapter(
        title="lexicon-weaklabel: labels without annotators",
        question="How far do labels from lexica go, and does a network trained on them go further?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"{len(texts):,} texts (tweets, film and product reviews, editorials) with the mean of 10 or more human "
            "ratings from -4 to 4 (vaderSentiment's sdist, MIT), binned like the lexicon: below -1.5 negative, above "
            f"1.5 positive. Networks are trained on the lexica's labels of {len(training):,} other texts of the same "
            f"four kinds, whose ratings nobody looks at. Seeds: {n_seeds}. Word vectors have 50 dimensions and come "
            "from the training texts (words that occur 5 times) or from GloVe (its 20,000 most frequent words). These "
            "texts hold no emotes and hardly any emoji, so the emote lexicon cannot show what it does on Twitch."
        ),
        tables=tables,
        pictures=[_bars(parts, truth, predicted, networks)],
        findings=[
            f"{labels.covered.mean():.1%} of the texts hold a token of the lexica.",
            *(
                f"{name} relabels {np.mean(counts):,.0f} of the {uncovered:,} texts without signal (mean over seeds)."
                for name, counts in changed.items()
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


def _halves(corpora: Corpora) -> tuple[Corpora, list[str]]:
    """Return one half of each corpus for scoring, and the texts of the other halves that are not among them."""
    scored = {name: (texts[::2], truth[::2]) for name, (texts, truth) in corpora.items()}
    known = {text for texts, _ in scored.values() for text in texts}
    return scored, [text for texts, _ in corpora.values() for text in texts[1::2] if text not in known]


def _networks(
    training: list[str], texts: list[str], labeler: LexiconLabeler, seeds: Sequence[int], checks: int
) -> dict[str, list[Names]]:
    """Return what each network says about the texts, per seed."""
    labels, tokens = labeler.label(training), [labeler.tokenizer(text)[0] for text in training]
    glove = load_glove()
    words = [*glove][:20_000]  # the file begins with the most frequent ones
    vectors = {"GloVe": WordVectors(tuple(words), np.stack([glove[word] for word in words]))}
    options = {"filters": 32, "batch_size": 128, "check_every": 37, "learning_rate": 2e-3, "max_checks": checks}
    predicted: dict[str, list[Names]] = {name: [] for name in NETWORKS}
    for seed in seeds:
        with step(f"networks of seed {seed}"):
            vectors["own"] = train_word2vec(tokens, dimensions=50, min_count=5, seed=seed)
            for name, (source, special) in NETWORKS.items():
                emotes = sorted(getattr(labeler.tokenizer, "emotes", ()))
                settings = {**options, **special, "emotes": emotes, "seed": seed, "progress": False}
                trained = train_textcnn(training, labels, vectors[source], **settings)
                predicted[name].append(trained.model.predict(texts))
    return predicted


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


def _cell(values: Sequence[float], sign: str = "") -> str:
    """Return the mean in per cent, with its 95 % interval over seeds where there are several."""
    mean = 100 * np.mean(values)
    if len(values) == 1:
        return f"{mean:{sign}.1f}"
    half = 100 * half_interval(values)
    return f"{mean:{sign}.1f} [{mean - half:{sign}.1f}, {mean + half:{sign}.1f}]"


def _gains(parts: Mapping[str, slice], truth: Names, reference: Names, networks: Mapping[str, list[Names]]) -> Table:
    rows = []
    for name, runs in networks.items():
        gains = [
            [_f1(truth[part], names[part]) - _f1(truth[part], reference[part]) for names in runs]
            for part in parts.values()
        ]
        rows.append([name, *(_cell(values, "+") for values in gains)])
    note = "Macro F1 of the network minus that of the labels it was trained on; 95 % t-interval over seeds."
    return Table("What the networks gain over the lexica", f"{markdown_table(['network', *parts], rows)}\n\n{note}")


def _f1(truth: Names, predicted: Names) -> float:
    return evaluate(truth, predicted).macro_f1


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
        f1 = {name: [_f1(truth[part], names[part])] for name, names in predicted.items()}
        f1 |= {name: [_f1(truth[part], names[part]) for names in runs] for name, runs in networks.items()}
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
        f1 = np.array([[100 * _f1(truth[part], names[part]) for part in parts.values()] for names in runs])
        spread = f1.std(0, ddof=1) if len(runs) > 1 else None
        position = np.arange(len(parts)) + 0.12 * (number - (len(methods) - 1) / 2)
        axes.bar(position, f1.mean(0), 0.11, yerr=spread, capsize=3, label=name)
    chance = [100 * expected_scores(truth[part]).macro_f1 for part in parts.values()]
    axes.hlines(chance, np.arange(len(parts)) - 0.4, np.arange(len(parts)) + 0.4, "k", label="random, class shares")
    axes.set_xticks(range(len(parts)), [*parts])
    axes.set(xlabel="corpus", ylabel="macro F1 in %")
    axes.legend(fontsize=8, ncols=3, loc="upper right")
    axes.set_ylim(0, 85)
    return Picture.of(figure, "Macro F1 on human ratings; networks: mean and standard deviation over seeds.")


def _write_csv(
    parts: Mapping[str, slice],
    truth: Names,
    methods: Mapping[str, list[Names]],
    changed: Mapping[str, list[int]],
) -> None:
    """Write one line per corpus, method and seed; ``relabelled`` counts texts without signal of all corpora."""
    with results_csv(
        "lexicon_weaklabel", "corpus", "method", "seed", "accuracy", "macro_recall", "macro_f1", "relabelled"
    ) as writer:
        for corpus, part in parts.items():
            majority = np.full(part.stop - part.start, max(CLASSES, key=[*truth[part]].count), dtype=object)
            baselines = {
                "random, uniform": expected_scores(truth[part], [1 / 3] * 3),
                "random, class shares": expected_scores(truth[part]),
                "majority": evaluate(truth[part], majority),
            }
            for name, scores in baselines.items():
                writer.writerow([corpus, name, "", *_digits(scores), ""])
            for name, runs in methods.items():
                for seed, names in enumerate(runs):
                    scores = evaluate(truth[part], names[part])
                    place = [seed, changed[name][seed]] if name in changed else ["", ""]
                    writer.writerow([corpus, name, place[0], *_digits(scores), place[1]])


def _digits(scores: Scores) -> list[str]:
    return [f"{value:.4f}" for value in vars(scores).values()]
