import numpy as np
import pytest
import torch
from bgaugment import ListPool, background_gap
from bgaugment.functional import map_at_r
from PIL import Image

MASK = np.zeros((8, 8), bool)
MASK[2:6, 2:6] = True
POOL = ListPool([np.full((8, 8, 3), (10 * i, 255 - 10 * i, 128), np.uint8) for i in range(20)])


def items(n=24):
    """Four classes, told by the colour of the foreground and by that of the background alike."""
    result = []
    for i in range(n):
        image = np.full((8, 8, 3), 60 * (i % 4) + i // 4, np.uint8)
        image[MASK] = 250 - 60 * (i % 4) - i // 4
        result.append((image, f"class {i % 4}"))
    return result


class Embedding(torch.nn.Module):
    def __init__(self, where):
        super().__init__()
        self.weight = torch.tensor(where, dtype=torch.float32)
        self.modes = set()

    def forward(self, images):
        self.modes.add(self.training)
        return (images * self.weight).sum((2, 3)) / self.weight.sum()


def gap(model, **options):
    data = items()
    return background_gap(model, data, [MASK] * len(data), POOL, normalize=False, **options)


def test_a_background_model_falls_and_a_foreground_model_does_not():
    foreground, background = gap(Embedding(MASK)), gap(Embedding(~MASK))
    assert foreground.clean == background.clean == 1
    assert foreground.corrupted == (1,) * 5
    assert foreground.relative_drop == 0
    assert background.mean < 0.5
    assert len(set(background.corrupted)) > 1
    assert background.std == pytest.approx(np.std(background.corrupted))
    assert background.drop == pytest.approx(1 - np.mean(background.corrupted))
    assert str(foreground) == "clean 100.00, corrupted 100.00 ± 0.00, relative drop 0.0%"


def test_seeds_batches_and_modes():
    model = Embedding(~MASK).train()
    first = gap(model, repeats=2)
    assert model.training
    assert model.modes == {False}
    assert first == gap(model, repeats=2, batch_size=5)
    assert first.corrupted == gap(model, repeats=3).corrupted[:2]
    assert first.corrupted != gap(model, repeats=2, seed=1).corrupted
    with pytest.raises(RuntimeError, match="boom"):
        gap(model, transform=lambda image: (_ for _ in ()).throw(RuntimeError("boom")))
    assert model.training


def test_pil_tensors_and_own_metrics():
    data = items()
    expected = gap(Embedding(~MASK), repeats=2)
    pil = [(Image.fromarray(image), label) for image, label in data]
    tensors = [(torch.tensor(image).movedim(-1, 0) / 255, torch.tensor(i % 4)) for i, (image, _) in enumerate(data)]
    for kind, masks in ((pil, [MASK] * 24), (tensors, [torch.tensor(MASK)] * 24)):
        found = background_gap(Embedding(~MASK), kind, masks, POOL, repeats=2, normalize=False)
        assert found.corrupted == pytest.approx(expected.corrupted, abs=0.05)
    shapes = []

    def metric(embeddings, labels):
        shapes.append((embeddings.norm(dim=1).round(decimals=4).unique().tolist(), labels.tolist()))
        return 0.5

    result = background_gap(Embedding(MASK), data, [MASK] * 24, POOL, repeats=1, metric=metric)
    assert shapes == [([1.0], [i % 4 for i in range(24)])] * 2
    assert (result.clean, result.corrupted) == (0.5, (0.5,))


def by_loops(embeddings, labels):
    """MAP@R, one query and one rank at a time."""
    scores = []
    for q in range(len(labels)):
        others = [i for i in range(len(labels)) if i != q]
        r = sum(labels[i] == labels[q] for i in others)
        if r:
            nearest = sorted(others, key=lambda i: float(((embeddings[i] - embeddings[q]) ** 2).sum()))[:r]
            hits = [labels[i] == labels[q] for i in nearest]
            scores.append(sum(hit * sum(hits[: k + 1]) / (k + 1) for k, hit in enumerate(hits)) / r)
    return sum(scores) / len(scores)


@pytest.mark.parametrize("seed", range(5))
def test_map_at_r_equals_its_definition(seed):
    rng = np.random.default_rng(seed)
    embeddings, labels = rng.normal(size=(40, 3)), rng.integers(0, 7, 40)
    labels[0] = 99  # alone in its class
    expected = by_loops(embeddings, labels.tolist())
    assert map_at_r(torch.tensor(embeddings), torch.tensor(labels)) == pytest.approx(expected, abs=1e-6)
    order = rng.permutation(40)
    assert map_at_r(torch.tensor(embeddings[order]), torch.tensor(labels[order])) == pytest.approx(expected, abs=1e-6)


def test_map_at_r_of_more_than_one_chunk(rng):
    labels = torch.arange(1500) % 30
    noise = torch.tensor(rng.normal(size=(1500, 30))) / 100
    assert map_at_r(torch.nn.functional.one_hot(labels) + noise, labels) == pytest.approx(1)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x: x, ValueError, r"model: expected embeddings \(n, d\), got .* output \(24, 3, 8, 8\)"),
        (lambda x: x.mean((2, 3))[:3], ValueError, "model: expected embeddings"),
        (lambda x: x.mean((2, 3)) / 0 * 0, ValueError, "model: expected finite embeddings"),
        (lambda x: (x,), TypeError, "model: expected a model that returns a tensor, got tuple"),
    ],
)  # fmt: skip
def test_bad_models_are_named(model, error, message):
    with pytest.raises(error, match=message):
        gap(model)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="repeats: expected a whole number of at least 1, got 0"):
        gap(Embedding(MASK), repeats=0)
    with pytest.raises(ValueError, match="metric: expected 'map_at_r' or a function"):
        gap(Embedding(MASK), metric="recall")
    with pytest.raises(ValueError, match="masks: expected 24 masks for as many items, got 1"):
        background_gap(Embedding(MASK), items(), [MASK], POOL)
    with pytest.raises(TypeError, match=r"dataset: expected items \(image, label, ...\), got int"):
        background_gap(Embedding(MASK), [1], [MASK], POOL)
    sizes = [(np.zeros((8, 8 + i, 3), np.uint8), 0) for i in range(2)]
    with pytest.raises(ValueError, match=r"transform: expected inputs of one shape .*, got one \(3, 8, 8\), another"):
        background_gap(Embedding(MASK), sizes, [MASK] * 2, POOL)
    with pytest.raises(ValueError, match="labels: expected a class with at least two items, got 3 items of 3 classes"):
        map_at_r(torch.zeros(3, 2), torch.arange(3))
    with pytest.raises(ValueError, match="embeddings: expected"):
        map_at_r(torch.zeros(3, 2), torch.zeros(4))
    with pytest.raises(ValueError, match="embeddings: expected finite values"):
        map_at_r(torch.full((3, 2), torch.nan), torch.zeros(3))
