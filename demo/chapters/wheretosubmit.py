"""Which venue would take this paper, and which words say so?"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from wheretosubmit import Evaluation, Explanation, VenueRecommender, most_attributed_words

from demo.chapter import Chapter, Picture, Settings, Table, half_interval, markdown_table, results_csv, step
from demo.data.cache import CACHE
from demo.data.papers import VARIABLE, load_papers
from demo.data.venue_runs import (
    BASELINES,
    FIELDS,
    FULL,
    IANA,
    KEYWORDS,
    OURS,
    PRESENCE,
    TF,
    TFIDF,
    WITH_KEYWORDS,
    Columns,
    Run,
    take,
)

CODE = """
from wheretosubmit import VenueRecommender

recommender = VenueRecommender(fields=("title", "abstract")).fit("papers.parquet")
print(recommender.recommend(title="...", abstract="..."))
recommender.explain(title="...", abstract="...")[0]  # shows its highlights in a notebook
recommender.save("model")  # wheretosubmit serve --model model
"""
THESIS = (
    "On 78 AI and 39 medicine venues of Semantic Scholar the recommender beat all baselines (AI: accuracy 0.503, "
    "accuracy at five 0.831, MRR 0.645; logistic regression 0.487, 0.811, 0.628; Table 8.1). Integrated gradients "
    "highlight 'Transformers' for NAACL, 'Recognition' and 'visual' for CVPR; 'learning' speaks against CVPR, and "
    "only 26 % of its papers contain it, against 56 % at ICML (Figures 8.2, 8.3)."
)
SHOWN = ("naacl", "cvpr", "icml")  # the venues of the papers in Figure 8.2
MODEL = CACHE / "wheretosubmit"
# papers per venue, seeds, and the network
MODES: dict[str, tuple[int, int, dict[str, Any]]] = {
    "quick": (40, 1, {"embedding_dim": 8, "filters": 4, "hidden": 16, "epochs": 1, "max_tokens": 60}),
    "default": (200, 1, {**FULL, "min_count": 3, "batch_size": 64}),
    "full": (1200, 3, FULL),
}


def run(settings: Settings) -> Chapter:
    """Train on real papers, compare with the baselines and explain three recommendations."""
    chapter = Chapter(
        title="wheretosubmit: where to submit this paper, and why?",
        question="Which venue would take this paper, and which words say so?",
        code=CODE,
        thesis=THESIS,
        data="",
    )
    papers = load_papers()
    if papers is None:
        chapter.data = (
            f"Not run: no table of papers at .cache/demo/papers.parquet, nor where the variable {VARIABLE} points. The "
            "lists it is made from state no licence, so it is not in the repository; demo/data/papers.py says how to "
            "make it."
        )
        chapter.findings = ["Nothing was computed: the table of papers is missing."]
        return chapter
    most, n_seeds, options = MODES[settings.mode]
    venues = (*SHOWN, *WITH_KEYWORDS) if settings.mode == "quick" else sorted(set(papers["venue"]))
    rows = np.sort(np.concatenate([np.flatnonzero(np.array(papers["venue"]) == venue)[:most] for venue in venues]))
    papers = take(papers, rows)
    chapter.data = (
        f"{len(rows):,} papers of {len(set(papers['venue']))} venues (public lists of papercopilot/paperlists), title "
        f"and abstract; each seed draws 80 % for training, 10 % that choose the epoch and 10 % for the test, each "
        f"venue's share in all (seeds: {n_seeds}). Network: {options}."
    )
    runs = [Run(papers, options, seed, keep=settings.mode == "full") for seed in range(n_seeds)]
    evaluations = [_compared(run) for run in runs]
    smallest = min(venues, key=papers["venue"].count)
    fewer = [{name: run.without(name, smallest) for name in (*LEARNED, OURS)} for run in runs]
    chapter.tables += [_results(evaluations), _results_without(fewer, smallest, len(venues) - 1), _keywords(runs)]
    chapter.findings += _findings(evaluations)
    recommender, (training, _, test) = runs[-1].recommender, runs[-1].parts
    with step("explaining"):
        chapter.tables += _words(recommender, training, test, papers_per_venue=1 if settings.mode == "quick" else 10)
        chapter.pictures += [_highlighted(one) for one in _examples(recommender, test)]
    recommender.save(MODEL)
    chapter.findings.append("The last of these models: wheretosubmit serve --model .cache/demo/wheretosubmit")
    if settings.mode == "full":
        _write_csv(evaluations, fewer)
    return chapter


def _compared(run: Run) -> Evaluation:
    """Evaluate the recommender beside the baselines."""
    evaluations = {}
    for name in (OURS, *BASELINES):
        with step(f"{name}, seed {run.seed}"):
            evaluations[name] = run.evaluate(name)
    ours = evaluations.pop(OURS)
    return Evaluation(ours.hit, ours.hit_at_5, ours.reciprocal_rank, evaluations)


def _results(evaluations: list[Evaluation]) -> Table:
    ours = [list(one.to_dict().values()) for one in evaluations]
    rows = []
    for name in evaluations[0].baselines:
        theirs = [list(one.baselines[name].to_dict().values()) for one in evaluations]
        p_value = max(one.p_values[name] for one in evaluations)
        gains = _intervals(np.subtract(ours, theirs), "+.3f")
        rows.append([name, *_intervals(theirs), gains[0], gains[2], f"{p_value:.2g}"])
    rows.append([OURS, *_intervals(ours), "-", "-", "-"])
    note = (
        "Test papers, mean and 95 % t interval over the seeds. Gains: of wheretosubmit over the method on the same "
        "papers. p: Wilcoxon signed-rank test of the reciprocal ranks, the largest of the seeds."
    )
    return Table("Table 8.1 on these papers", f"{markdown_table(['method', *HEADER, *GAINS, 'p'], rows)}\n\n{note}")


def _results_without(fewer: list[dict[str, Evaluation]], venue: str, n_venues: int) -> Table:
    rows = [[name, *_intervals([list(one[name].to_dict().values()) for one in fewer])] for name in fewer[0]]
    note = f"The same models, without the papers and the column of {venue}, which has the fewest papers."
    table = markdown_table(["method", *HEADER], rows)
    return Table(f"The same with {n_venues} venues", f"{table}\n\n{note}")


HEADER = ["Accuracy ↑", "Acc@5 ↑", "MRR ↑"]
GAINS = ["Accuracy gain", "MRR gain"]
LEARNED = (TF, TFIDF, IANA)


def _intervals(values: Any, form: str = ".3f") -> list[str]:
    """Return the mean of each column over the seeds ``(seeds, columns)``, with its interval if there are several."""
    table = np.array(values)
    if len(table) == 1:
        return [f"{value:{form}}" for value in table[0]]
    return [f"{mean:{form}} ± {half:.3f}" for mean, half in zip(table.mean(0), half_interval(table))]


def _findings(evaluations: list[Evaluation]) -> list[str]:
    """Say against each baseline whether the recommender is better."""
    findings = []
    ours = np.mean([one.mrr for one in evaluations])
    for name in evaluations[0].baselines:
        theirs = np.mean([one.baselines[name].mrr for one in evaluations])
        sure = all(one.p_values[name] < 0.01 for one in evaluations)
        verdict = f"{'better' if ours > theirs else 'worse'}, {'' if sure else 'not '}significant at 1 % in every seed"
        findings.append(f"MRR {ours:.3f} against {theirs:.3f} of {name}: {verdict}.")
    return findings


def _keywords(runs: list[Run]) -> Table:
    """Show what the mere presence of keywords tells, and what keywords add where every paper has them."""
    rows = []
    for name in (PRESENCE, *KEYWORDS):
        with step(name):
            rows.append([name, *_intervals([list(run.evaluate(name).to_dict().values()) for run in runs])])
    missing = np.mean([not keywords for keywords in runs[0].papers["keywords"]])
    note = f"{missing:.0%} of the papers have no keywords, so they are no part of the main table."
    return Table("Keywords", f"{markdown_table(['what is read', *HEADER], rows)}\n\n{note}")


def _words(recommender: VenueRecommender, training: Columns, test: Columns, papers_per_venue: int) -> list[Table]:
    """List the words that speak for each venue, and the share of the training papers with 'learning'."""
    found = most_attributed_words(recommender, test, papers_per_venue=papers_per_venue, k=8, progress=False)
    rows = [[venue, ", ".join(word for word, _ in words)] for venue, words in found.items()]
    note = f"Integrated gradients, mean over {papers_per_venue} test papers of each venue."
    shares = recommender.word_share("learning")
    cells = [[venue, f"{share:.0%}", str(training["venue"].count(venue))] for venue, share in shares.items()]
    return [
        Table("Words that speak most for a venue", f"{markdown_table(['venue', 'words'], rows)}\n\n{note}"),
        Table("Training papers that contain 'learning'", markdown_table(["venue", "share", "papers"], cells)),
    ]


def _examples(recommender: VenueRecommender, test: Columns) -> list[Explanation]:
    """Explain, for three venues, the paper among the first ten of the test that is recommended most surely."""
    examples = []
    for venue in SHOWN:
        rows = [row for row, there in enumerate(test["venue"]) if there == venue][:10]
        texts = [{field: test[field][row] for field in FIELDS} for row in rows]
        scores = [dict(recommender.recommend(k=len(recommender.venues_), **text))[venue] for text in texts]
        examples += recommender.explain(venues=[venue], **texts[int(np.argmax(scores))])
    return examples


def _highlighted(explanation: Explanation) -> Picture:
    """Draw a paper as in Figure 8.2: green words speak for the venue, red ones against it."""
    width = 110
    lines: list[list[tuple[str, float]]] = [[]]
    for highlight in explanation.highlights.values():
        place = 0
        for (start, end), score in zip(highlight.spans, highlight.scores):
            between = highlight.text[place:start]
            if sum(len(text) for text, _ in lines[-1]) + len(between) + end - start > width:
                lines.append([])
                between = between.lstrip()
            lines[-1] += [(between, 0.0), (highlight.text[start:end], score / highlight.scale)]
            place = end
        lines.append([])
    figure = Figure(figsize=(10, 0.25 * len(lines) + 0.2))
    axes = figure.add_axes((0.01, 0, 0.98, 1), xlim=(0, width), ylim=(len(lines), 0))
    axes.axis("off")
    for y, line in enumerate(lines):
        x = 0
        for text, strength in line:
            if abs(strength) > 0.02:
                colour = (*((0.4, 0.73, 0.42) if strength > 0 else (0.94, 0.45, 0.41)), abs(strength))
                axes.add_patch(Rectangle((x, y), len(text), 0.9, color=colour, linewidth=0))
            axes.text(x, y + 0.7, _plain(text), family="monospace", size=10.6)
            x += len(text)
    words = ", ".join(f"{word} {score:+.1g}" for word, score in explanation.words()[:5])
    caption = (
        f"A test paper of {explanation.venue}, which gets {explanation.score:.0%}; strongest words: {words}; "
        f"completeness gap {explanation.gap:+.3f}."
    )
    return Picture.of(figure, textwrap.shorten(caption, 300))


def _plain(text: str) -> str:
    """Replace what the font of the figure may lack, and what starts a formula."""
    return text.encode("ascii", "replace").decode().replace("$", r"\$")


def _write_csv(evaluations: list[Evaluation], fewer: list[dict[str, Evaluation]]) -> None:
    """Write one line per method and seed; the last columns are those without the smallest venue."""
    names = ["accuracy", "accuracy_at_5", "mrr"]
    blank = [""] * len(names)
    with results_csv("wheretosubmit", "method", "seed", *names, "p", *(f"{name}_without" for name in names)) as writer:
        for seed, (evaluation, without) in enumerate(zip(evaluations, fewer)):
            for name, one in {OURS: evaluation, **evaluation.baselines}.items():
                p_value = f"{evaluation.p_values[name]:.2g}" if name in evaluation.baselines else ""
                numbers = [f"{value:.4f}" for value in one.to_dict().values()]
                rest = [f"{value:.4f}" for value in without[name].to_dict().values()] if name in without else blank
                writer.writerow([name, seed, *numbers, p_value, *rest])
