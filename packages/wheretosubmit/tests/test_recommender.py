import json
import shutil

import numpy as np
import pytest
import torch
from wheretosubmit import VenueRecommender, most_attributed_words, random_search
from wheretosubmit.baselines import Iana, LogisticRegression, Majority, Random


def test_learns_the_topics(recommender, papers):
    result = recommender.evaluate(papers, baselines={"random": Random(fields=["title"]).fit(papers)})
    assert result.accuracy > 0.9
    assert result.baselines["random"].accuracy == pytest.approx(1 / 3)
    assert result.p_values["random"] < 0.01
    assert len(recommender.history_) == 30


def test_recommends_in_order_with_missing_fields_and_typos(recommender):
    ranking = recommender.recommend(title="a robott gripper")
    assert ranking[0][0] == "ICRA"
    scores = [score for _, score in ranking]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)
    assert recommender.recommend(abstract="robot gripper", title=None, k=1)[0][0] == "ICRA"


def test_one_paper_and_a_table_have_the_same_scores(recommender, papers):
    table = recommender.predict_scores({field: papers[field][:5] for field in ("title", "abstract")})
    for row in range(5):
        one = dict(recommender.recommend(k=3, title=papers["title"][row], abstract=papers["abstract"][row]))
        assert [one[venue] for venue in recommender.venues_] == pytest.approx(table[row].tolist(), abs=1e-6)


def test_a_seed_gives_the_same_model_and_leaves_the_global_one_alone(papers, options):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = (VenueRecommender(**options).fit(papers).predict_scores(papers) for _ in range(2))
    assert np.array_equal(first, second)
    assert torch.equal(torch.rand(1), expected)


def test_word2vec_starts_where_gensim_puts_the_words(papers, options):
    recommender = VenueRecommender(**{**options, "embedding": "word2vec", "epochs": 5}).fit(papers)
    title, abstract = (embedding.weight[1:] for embedding in recommender._model.network.embeddings)
    assert torch.cosine_similarity(title, abstract).mean() > 0.8  # some steps apart, not two random draws
    assert recommender.evaluate(papers).accuracy > 0.5


def test_shares_are_those_of_the_training_papers(papers, options):
    # Validation of its own, so that all papers are training papers.
    recommender = VenueRecommender(**{**options, "epochs": 1}).fit(papers, validation=papers)
    both = [f"{title} {abstract}".split() for title, abstract in zip(papers["title"], papers["abstract"])]
    for word in ("robot", "data"):
        for venue, share in recommender.word_share(word).items():
            there = [word in text for text, v in zip(both, papers["venue"]) if v == venue]
            assert share == pytest.approx(sum(there) / len(there))
    with pytest.raises(ValueError, match="word: expected a word of the vocabulary, got zebra"):
        recommender.word_share("zebra")


def test_most_attributed_words_are_the_topics(recommender, papers):
    words = most_attributed_words(recommender, papers, papers_per_venue=3, k=2, progress=False)
    assert set(words) == {"ACL", "CVPR", "ICRA"}
    assert {word for word, _ in words["ICRA"]} <= {"robot", "gripper", "motion", "arm", "planning", "torque"}
    assert all(score > 0 for venue in words.values() for _, score in venue)


def test_a_saved_model_is_the_same_model(recommender, model_folder, papers):
    loaded = VenueRecommender.load(model_folder)
    assert np.array_equal(loaded.predict_scores(papers), recommender.predict_scores(papers))
    assert loaded.get_params() == recommender.get_params()
    assert loaded.word_share("robot") == recommender.word_share("robot")
    assert loaded.history_ == recommender.history_
    names = sorted(path.name for path in model_folder.iterdir())
    assert names == [f"model-{names[0][6:22]}.safetensors", "model.json"]


def damage(folder, what):
    document = json.loads((folder / "model.json").read_text())
    if what == "version":
        document["format"] = 1
    elif what == "venues":
        document["venues"] = document["venues"][:2]
    elif what == "option":
        document["parameters"]["filters"] = 10**12
    elif what == "unknown option":
        document["parameters"]["depth"] = 3
    elif what == "list":
        document = [1]
    (folder / "model.json").write_text("{" if what == "json" else json.dumps(document))
    if what == "weights":
        (weights,) = folder.glob("*.safetensors")
        with weights.open("rb+") as file:
            file.write(b"\x00" * 8)


@pytest.mark.parametrize("what", ["version", "venues", "option", "unknown option", "list", "json", "weights"])
def test_damaged_folders(model_folder, tmp_path, what):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    damage(folder, what)
    expected = "a model folder of format 2, got format 1" if what == "version" else "a model folder that is whole, got"
    with pytest.raises(ValueError, match=expected):
        VenueRecommender.load(folder)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        VenueRecommender.load(tmp_path / "none")


def test_baselines(papers):
    half = {name: column[:60] + column[61:62] for name, column in papers.items()}  # one paper of CVPR more
    options = {"fields": ["title", "abstract"]}
    assert Majority(**options).fit(half).predict_scores(papers)[0].tolist() == [20, 21, 20]
    for weighting in ("tf", "tfidf"):
        baseline = LogisticRegression(**options, weighting=weighting).fit(half)
        assert baseline.evaluate(papers).accuracy > 0.9


def test_iana_combines_both(papers, options):
    network = VenueRecommender(**{**options, "fields": ["title"]})
    baseline = Iana(fields=("title",), network=network).fit(papers)
    assert baseline.evaluate(papers).accuracy > 0.9
    assert baseline.predict_scores(papers).sum(1) == pytest.approx(np.ones(90))
    with pytest.raises(ValueError, match="fields: expected one field"):
        Iana(fields=("title", "abstract")).fit(papers)


def test_random_search_keeps_the_best(papers, options):
    space = {"filters": lambda generator: int(generator.integers(1, 5)), "learning_rate": lambda _: 0.01}
    base = VenueRecommender(**{**options, "epochs": 1})
    first, again = (random_search(base, papers, n_trials=3, space=space, progress=False) for _ in range(2))
    assert first.trials == again.trials
    assert [trial["mrr"] for trial in first.trials] == sorted((t["mrr"] for t in first.trials), reverse=True)
    assert first.best.filters == first.trials[0]["filters"]
    assert first.best.history_[0]["mrr"] == first.trials[0]["mrr"]
    drawn = random_search(base, papers, n_trials=1, progress=False).trials[0]
    assert {"filters", "kernel_sizes", "dropout", "learning_rate"} < set(drawn)
    with pytest.raises(ValueError, match=r"space: expected some of .* got \['depth'\]"):
        random_search(base, papers, n_trials=1, space={"depth": lambda _: 1})


def test_parameters_are_kept_as_given(options):
    recommender = VenueRecommender(**options)
    assert {name: recommender.get_params()[name] for name in options} == options
    changed = recommender.with_params(filters=3)
    assert (changed.filters, recommender.filters) == (3, 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": "title"}, "fields: expected different column names, got title"),
        ({"fields": ["k"]}, "fields: expected names other than .* got \\['k'\\]"),
        ({"label": "title"}, "label: expected a column other than the fields"),
        ({"filters": 0}, "filters: expected a positive integer, got 0"),
        ({"kernel_sizes": ()}, "kernel_sizes: expected at least one"),
        ({"dropout": 1.0}, "dropout: expected a number from 0 to below 1, got 1.0"),
        ({"embedding": "glove"}, "embedding: expected 'learned' or 'word2vec', got glove"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        VenueRecommender(**options)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({}, "text: expected at least one of .*'title', 'abstract'.*, got none"),
        ({"title": "", "abstract": " \n"}, "text: expected at least one of"),
        ({"title": "😀" * 10_000}, "text: expected at least one word of the training papers, got none"),
        ({"title": "שלום עולם"}, "text: expected at least one word of the training papers, got none"),
        ({"titel": "robot"}, "text: expected fields out of .*'title', 'abstract'.*, got .*titel"),
        ({"title": b"robot"}, "title: expected a string, got bytes"),
        ({"title": "robot", "k": 0}, "k: expected a positive integer, got 0"),
    ],
)
def test_bad_texts(recommender, texts, message):
    with pytest.raises((ValueError, TypeError), match=message):
        recommender.recommend(**texts)


@pytest.mark.parametrize(
    "text", ["robot\x00gripper", "robot \ud800", "robot שלום", "robot " * 200_000, "robot" + "é" * 10**6 + " robot"]
)
def test_odd_texts_are_read(recommender, text):
    assert recommender.recommend(title=text)[0][0] == "ICRA"


def test_bad_training_data(papers, options, recommender):
    with pytest.raises(ValueError, match="VenueRecommender: expected a fitted model: call fit first, got none"):
        VenueRecommender(**options).recommend(title="robot")
    with pytest.raises(ValueError, match=r"data: expected papers of at least two venues, got \['A'\]"):
        VenueRecommender(fields=["t"]).fit({"t": ["x"] * 9, "venue": ["A"] * 9})
    with pytest.raises(ValueError, match="data: expected enough papers of a venue to keep some back for validation"):
        VenueRecommender(fields=["t"]).fit({"t": ["x", "y"], "venue": ["A", "B"]})
    with pytest.raises(ValueError, match=r"validation: expected venues of the training papers .* got \['NeurIPS'\]"):
        VenueRecommender(**options).fit(papers, validation={**papers, "venue": ["NeurIPS"] * 90})
    with pytest.raises(ValueError, match="validation: expected papers, or a validation_fraction above 0, got neither"):
        VenueRecommender(**{**options, "validation_fraction": 0}).fit(papers)
    with pytest.raises(ValueError, match=r"data: expected a word that occurs 99 times \(min_count\), got none"):
        VenueRecommender(**{**options, "min_count": 99}).fit(
            {"title": ["x"] * 40, "abstract": [""] * 40, "venue": ["A", "B"] * 20}
        )
    with pytest.raises(ValueError, match=r"data: expected venues of the training papers .* got also \['NeurIPS'\]"):
        recommender.evaluate({**papers, "venue": ["NeurIPS"] * 90})
