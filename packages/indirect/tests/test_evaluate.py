import numpy as np
import pytest
import torch
from indirect import (
    PCA,
    Autoencoder,
    Identity,
    InDiReCT,
    LinearAutoencoder,
    Oracle,
    RandomEmbedding,
    RandomTransformation,
    evaluate,
    plot_maps,
    score,
    sweep_components,
    sweep_encoders,
    sweep_prompts,
)
from matplotlib import pyplot


@pytest.fixture
def grouped():
    """Images of three classes, which the first three dimensions tell and the other nine hide; texts of each class."""
    generator = np.random.default_rng(0)
    labels = np.arange(36) % 3
    scale = np.array([1.0] * 3 + [2.0] * 9)
    images = (np.eye(12)[labels] * 2 + generator.normal(size=(36, 12)) * 0.5 * scale).astype(np.float32)
    texts = np.eye(12, dtype=np.float32)[[0, 1, 2]] * 2 + 0.1
    return texts, images, labels


def slow_map_at_r(embeddings, labels):
    """Mean average precision at R by hand."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    values = []
    for i in range(len(unit)):
        order = [j for j in np.argsort(-(unit @ unit[i]), kind="stable") if j != i]
        r = sum(labels[j] == labels[i] for j in order)
        hits = [labels[j] == labels[i] for j in order[:r]]
        values.append(sum(sum(hits[: k + 1]) / (k + 1) for k in range(r) if hits[k]) / r)
    return np.mean(values)


def test_score_against_a_slow_one(grouped):
    _, images, labels = grouped
    scores = score(images, labels)
    assert scores["MAP@R"] == pytest.approx(slow_map_at_r(images, labels), abs=1e-6)
    assert list(scores) == ["MAP@R", "Prec@1", "R-Prec", "AMI", "NMI", "MAP", "MRR"]
    perfect = score(np.eye(3)[labels], [f"class {label}" for label in labels])
    assert perfect == pytest.approx(dict.fromkeys(perfect, 1.0))


def test_a_query_is_never_its_own_neighbour():
    rows = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]])  # equal rows come in any order
    assert score(rows, [0, 1, 2, 0], measures=["Prec@1"])["Prec@1"] == 0


def test_all_methods(grouped):
    texts, images, labels = grouped
    quick = {"n_components": 3, "max_iter": 60}
    methods = {
        "Random": RandomEmbedding(3),
        "CLIP": Identity(),
        "InDiReCT": InDiReCT(3),
        "Rand. trans.": RandomTransformation(3),
        "PCA": PCA(2),
        "too many": PCA(3),
        "LAE": LinearAutoencoder(**quick),
        "AE": Autoencoder(**quick),
        "Oracle": Oracle(**quick),
    }
    found = evaluate(methods, texts, images, labels, seeds=[0, 1], progress=False)
    assert found.failures == {"too many": "n_components: expected at most 2 for 3 prompts, got 3"}
    assert set(found.scores) == set(methods) - {"too many"}
    assert found.scores["CLIP"]["MAP@R"].shape == (2,)
    assert found.mean("InDiReCT") > found.mean("CLIP") > found.mean("Random")
    assert found.mean("Oracle") > found.mean("CLIP")
    assert found.scores["Random"]["MAP@R"].std() > 0
    assert not hasattr(methods["InDiReCT"], "components_")
    table = found.to_markdown(["MAP@R", "AMI"]).splitlines()
    assert table[0].split(" | ")[1:3] == ["Random", "CLIP"]
    value = 100 * found.scores["CLIP"]["MAP@R"].mean()
    assert f"| {value:.1f} ± 0.0 |" in table[2]
    assert "n/a" in table[2]


@pytest.mark.parametrize("method", [RandomEmbedding, RandomTransformation, LinearAutoencoder, Autoencoder, InDiReCT])
def test_seeds_decide(grouped, method):
    texts, images, _ = grouped
    options = {"n_components": 3}
    if "max_iter" in method(**options).get_params():
        options["max_iter"] = 5
    state = torch.get_rng_state()
    first, again = (method(**options, random_state=4).fit(texts).transform(images) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, method(**options, random_state=5).fit(texts).transform(images))
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    if method not in (LinearAutoencoder, Autoencoder):  # torch initialises a layer before we do
        assert torch.equal(state, torch.get_rng_state())


def test_pca_is_that_of_scikit_learn(grouped):
    from sklearn.decomposition import PCA as Peer

    _, images, _ = grouped
    unit = images / np.linalg.norm(images, axis=1, keepdims=True)
    expected = Peer(4).fit(unit).transform(unit)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = PCA(4).fit(images).transform(images)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_sweeps(grouped):
    texts, images, labels = grouped
    methods = {"InDiReCT": InDiReCT(3), "CLIP": Identity()}
    dimensions = sweep_components(methods, texts, images, labels, components=[2, 3], seeds=[0, 1])
    assert dimensions.scores["InDiReCT"].shape == (2, 2)
    expected = evaluate({"one": InDiReCT(2)}, texts, images, labels, seeds=[0, 1], measures=["MAP@R"])
    np.testing.assert_array_equal(dimensions.scores["InDiReCT"][0], expected.scores["one"]["MAP@R"])
    np.testing.assert_array_equal(dimensions.scores["CLIP"][0], dimensions.scores["CLIP"][1])
    encoders = sweep_encoders(methods, {"a": (texts, images), "b": (texts, images**3)}, labels, seeds=[0])
    assert encoders.scores["CLIP"].shape == (2, 1)
    assert encoders.scores["CLIP"][0] != encoders.scores["CLIP"][1]
    prompts = sweep_prompts({"InDiReCT": InDiReCT(2)}, texts, images, labels, counts=[2, 3], seeds=[0, 1, 2])
    assert prompts.scores["InDiReCT"].shape == (2, 3)
    with pytest.raises(ValueError, match="counts: expected numbers from 2 to 3"):
        sweep_prompts({"InDiReCT": InDiReCT(2)}, texts, images, labels, counts=[4])
    figure, axes = dimensions.plot()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("dimensions", "MAP@R")
    np.testing.assert_allclose(axes.lines[0].get_ydata(), dimensions.scores["InDiReCT"].mean(1))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["InDiReCT", "CLIP"]
    pyplot.close(figure)


def test_maps(grouped):
    _, images, labels = grouped
    figure, axes = plot_maps({"kind": images, "other": images}, {"kind": labels, "other": labels > 0})
    assert [canvas.get_title() for canvas in axes] == ["kind", "other"]
    assert [len(canvas.collections) for canvas in axes] == [3, 2]
    assert all(canvas.get_xlabel() for canvas in axes)
    pyplot.close(figure)
    moved, axes = plot_maps({"kind": images}, {"kind": labels}, layout=lambda rows: rows[:, :2] + 100)
    assert axes[0].collections[0].get_offsets().min() > 90
    pyplot.close(moved)
    with pytest.raises(ValueError, match="at most 20 values"):
        plot_maps({"kind": images}, {"kind": range(36)})
    with pytest.raises(ValueError, match="embeddings: expected at least one notion"):
        plot_maps({}, {})
    with pytest.raises(ValueError, match="labels: expected the notions"):
        plot_maps({"kind": images}, {"other": labels})
