"""Hostile arguments are used or refused by name, and damaged files are named."""

import pyarrow
import pytest
from pyarrow import parquet
from wheretosubmit import (
    Highlight,
    VenueRecommender,
    baselines,
    most_attributed_words,
    random_search,
    stratified_split,
)
from wheretosubmit._evaluation import evaluate_scores
from wheretosubmit._papers import read_papers
from wheretosubmit.web import create_app

PAPERS = {"title": ["a b", "c d"] * 16, "venue": ["x", "y"] * 16}
HIGHLIGHT = Highlight(["a", "b"], [0.1, -0.2])
TINY = VenueRecommender(
    fields=["title"], filters=2, hidden=4, embedding_dim=4, epochs=1, min_count=1, batch_size=8, kernel_sizes=(1,)
)
FITTED = TINY.with_params().fit(PAPERS, progress=False)


def explained(n_steps, **arguments):
    # 10**30 steps would never end, and that is no mistake.
    return FITTED.explain(n_steps=n_steps if n_steps != 10**30 else 2, **arguments)


def used(c, weighting):
    return baselines.LogisticRegression(fields=["title"], c=c, weighting=weighting).fit(PAPERS)


CALLS = {
    "VenueRecommender": (VenueRecommender, {**VenueRecommender().get_params()}),
    "fit": (
        lambda **arguments: TINY.with_params().fit(**arguments, progress=False),
        {"data": PAPERS, "validation": PAPERS, "checkpoint": None},
    ),
    "with_params": (TINY.with_params, {"device": "cpu", "seed": 0}),
    "save and load": (lambda folder: (FITTED.save(folder), VenueRecommender.load(folder)), {"folder": "model"}),
    "create_app": (
        create_app,
        {"recommender": FITTED, "max_characters": 100, "max_in_flight": 3, "timeout": 2.0, "workers": 1},
    ),
    "column": (lambda title: FITTED.evaluate({**PAPERS, "title": title}), {"title": PAPERS["title"]}),
    "recommend": (FITTED.recommend, {"title": "a b", "k": 1}),
    "explain": (
        explained,
        {"title": "a b", "venues": ["x"], "k": 1, "n_steps": 2, "output": "logit", "palette": "green-red"},
    ),
    "word_share": (FITTED.word_share, {"word": "a"}),
    "evaluate": (FITTED.evaluate, {"data": PAPERS, "baselines": {"itself": FITTED}}),
    "predict_scores": (FITTED.predict_scores, {"data": PAPERS}),
    "evaluate_scores": (evaluate_scores, {"scores": [[0.1, 0.9], [0.2, 0.8]], "target": [0, 1]}),
    "stratified_split": (stratified_split, {"labels": ["x", "y"] * 4, "fractions": [0.5, 0.5], "seed": 0}),
    "most_attributed_words": (
        lambda **arguments: most_attributed_words(FITTED, **arguments, progress=False),
        {"data": PAPERS, "papers_per_venue": 1, "k": 1, "seed": 0},
    ),
    "random_search": (
        lambda **arguments: random_search(data=PAPERS, n_trials=1, progress=False, **arguments),
        {"recommender": TINY, "space": {}, "seed": 0},
    ),
    "Majority": (
        lambda fields, label: baselines.Majority(fields=fields, label=label).fit(PAPERS),
        {"fields": ["title"], "label": "venue"},
    ),
    "LogisticRegression": (used, {"c": 1.0, "weighting": "tf"}),
    "Highlight": (
        Highlight,
        {
            "tokens": ["a", "b"], "scores": [0.1, -0.2], "text": "a b", "spans": [(0, 1), (2, 3)], "scale": 1.0,
            "palette": "green-red",
        },
    ),
    "merged": (HIGHLIGHT.merged, {"word_ids": [0, 1]}),
    "phrases": (HIGHLIGHT.phrases, {"threshold": 0.1}),
    "to_svg": (HIGHLIGHT.to_svg, {"columns": 80}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # "wrong" is the name of a file
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


def test_a_paper_without_a_venue_names_its_file(tmp_path):
    file = tmp_path / "papers.csv"
    file.write_text("title,venue\na,x\nb,\n")
    with pytest.raises(
        ValueError, match=r"papers.csv, column 'venue': expected a label for each paper, got none in row 1"
    ):
        read_papers(file, ["title"], "venue")


@pytest.mark.parametrize("pattern", ["model.json", "model-*.safetensors"])
def test_a_damaged_model_is_named(pattern, recommender, tmp_path, check_damaged):
    recommender.save(tmp_path)
    (file,) = tmp_path.glob(pattern)
    check_damaged(lambda: VenueRecommender.load(tmp_path), file)


def test_a_damaged_table_of_papers_is_named(tmp_path, check_damaged):
    file = tmp_path / "papers.parquet"
    parquet.write_table(pyarrow.table(PAPERS), file)
    check_damaged(lambda: read_papers(file, ["title"], None), file, cuts=20, flips=60)
