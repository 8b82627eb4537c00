"""Superclass accuracies and expected similarity, as functions and as metrics, on one and on two processes."""

import subprocess
import sys

import pytest
import simloss
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from simloss.metrics import ExpectedSimilarity, FailedSuperclassAccuracy, SuperclassAccuracy
from sklearn.metrics import accuracy_score
from torchmetrics import MetricCollection

SUPERCLASS = [0, 0, 1, 1, 1, 2]
SIMILARITY = simloss.ordinal_similarity(6, 0.5)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(6, (200,), generator=generator)
    prediction = torch.where(
        torch.rand(200, generator=generator) < 0.5, target, torch.randint(6, (200,), generator=generator)
    )
    return prediction, target


def test_superclass_accuracy_equals_scikit_learn(batch):
    prediction, target = batch
    expected = accuracy_score([SUPERCLASS[c] for c in target], [SUPERCLASS[c] for c in prediction])
    assert simloss.superclass_accuracy(prediction, target, SUPERCLASS).item() == pytest.approx(expected)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20))
def test_failed_superclass_accuracy_looks_at_mistakes_only(pairs):
    prediction, target = torch.tensor(pairs).T
    failed = [(p, t) for p, t in pairs if p != t]
    result = simloss.failed_superclass_accuracy(prediction, target, SUPERCLASS)
    if failed:
        expected = sum(SUPERCLASS[p] == SUPERCLASS[t] for p, t in failed) / len(failed)
        assert result.item() == pytest.approx(expected)
    else:
        assert result.isnan()


def test_superclass_accuracy_is_at_least_the_accuracy(batch):
    prediction, target = batch
    accuracy = (prediction == target).float().mean()
    assert simloss.superclass_accuracy(prediction, target, SUPERCLASS) >= accuracy
    torch.testing.assert_close(simloss.superclass_accuracy(prediction, target, range(6)), accuracy)


def test_superclasses_may_be_names_numbers_or_a_tensor(batch):
    expected = simloss.superclass_accuracy(*batch, SUPERCLASS)
    assert simloss.superclass_accuracy(*batch, [f"group {number}" for number in SUPERCLASS]) == expected
    assert simloss.superclass_accuracy(*batch, torch.tensor(SUPERCLASS) * 7 - 3) == expected


def test_logits_count_by_their_largest(batch):
    prediction, target = batch
    logits = torch.nn.functional.one_hot(prediction, 6) * 3.0 - 1
    for metric in (simloss.superclass_accuracy, simloss.failed_superclass_accuracy):
        assert metric(logits, target, SUPERCLASS) == metric(prediction, target, SUPERCLASS)


def test_images_and_ignored_pixels(batch):
    prediction, target = batch
    ignored = target.clone()
    ignored[::3] = 255
    kept = ignored != 255
    for metric, knowledge in (
        (simloss.superclass_accuracy, SUPERCLASS),
        (simloss.failed_superclass_accuracy, SUPERCLASS),
        (simloss.expected_similarity, SIMILARITY),
    ):
        expected = metric(prediction[kept], target[kept], knowledge)
        image = metric(prediction.view(2, 10, 10), ignored.view(2, 10, 10), knowledge, ignore_index=255)
        assert image == expected
        probabilities = torch.nn.functional.one_hot(prediction, 6).float().view(2, 10, 10, 6).movedim(-1, 1)
        assert metric(probabilities, ignored.view(2, 10, 10), knowledge, ignore_index=255) == expected


@pytest.mark.parametrize(
    "similarity", [SIMILARITY, simloss.OrdinalSimilarity(6, 0.5), simloss.SparseSimilarity.from_dense(SIMILARITY)]
)
def test_expected_similarity_equals_a_double_loop(batch, similarity):
    prediction, target = batch
    expected = sum(0.5 ** abs(p - t) for p, t in zip(prediction.tolist(), target.tolist())) / 200
    assert simloss.expected_similarity(prediction, target, similarity).item() == pytest.approx(expected)
    probabilities = torch.randn(200, 6, generator=torch.Generator().manual_seed(1)).softmax(1)
    rows = zip(probabilities.tolist(), target.tolist())
    expected = sum(sum(0.5 ** abs(t - c) * p for c, p in enumerate(row)) for row, t in rows) / 200
    assert simloss.expected_similarity(probabilities, target, similarity).item() == pytest.approx(expected)


def test_expected_similarity_with_the_identity_is_the_accuracy(batch):
    accuracy = (batch[0] == batch[1]).float().mean()
    torch.testing.assert_close(simloss.expected_similarity(*batch, torch.eye(6)), accuracy)


def test_half_precision_probabilities_are_probabilities():
    probabilities = torch.randn(50, 6, generator=torch.Generator().manual_seed(2)).softmax(1)
    target = torch.arange(50) % 6
    expected = simloss.expected_similarity(probabilities, target, SIMILARITY)
    result = simloss.expected_similarity(probabilities.bfloat16(), target, SIMILARITY)
    torch.testing.assert_close(result, expected, rtol=0.01, atol=0)


METRICS = [
    (SuperclassAccuracy, simloss.superclass_accuracy, SUPERCLASS),
    (FailedSuperclassAccuracy, simloss.failed_superclass_accuracy, SUPERCLASS),
    (ExpectedSimilarity, simloss.expected_similarity, SIMILARITY),
    (ExpectedSimilarity, simloss.expected_similarity, simloss.OrdinalSimilarity(6, 0.5)),
]


@pytest.mark.parametrize(("metric_class", "function", "knowledge"), METRICS)
def test_a_metric_over_unequal_batches_equals_the_function(batch, metric_class, function, knowledge):
    metric = metric_class(knowledge, ignore_index=3)
    for part in (slice(0, 7), slice(7, 150), slice(150, 200)):
        metric.update(batch[0][part], batch[1][part])
    torch.testing.assert_close(metric.compute(), function(*batch, knowledge, ignore_index=3))
    metric.reset()
    value = metric(batch[0][:20], batch[1][:20])  # the value of the batch alone
    torch.testing.assert_close(value, function(batch[0][:20], batch[1][:20], knowledge, ignore_index=3))
    assert metric.higher_is_better


def test_metrics_work_in_a_collection(batch):
    collection = MetricCollection([SuperclassAccuracy(SUPERCLASS), FailedSuperclassAccuracy(SUPERCLASS)])
    for part in (slice(0, 50), slice(50, 200)):
        collection.update(batch[0][part], batch[1][part])
    result = collection.compute()
    assert result["SuperclassAccuracy"] == simloss.superclass_accuracy(*batch, SUPERCLASS)
    assert result["FailedSuperclassAccuracy"] == simloss.failed_superclass_accuracy(*batch, SUPERCLASS)


def test_metrics_move_with_their_knowledge():
    assert SuperclassAccuracy(SUPERCLASS).to("meta").superclass.device.type == "meta"
    assert ExpectedSimilarity(SIMILARITY).to("meta").similarity.device.type == "meta"


def test_no_example_gives_nan_like_cross_entropy():
    nothing = torch.empty(0, dtype=torch.long)
    assert simloss.superclass_accuracy(nothing, nothing, SUPERCLASS).isnan()
    assert simloss.expected_similarity(nothing, nothing, SIMILARITY).isnan()


ON_A_SHARD = """
import sys
import torch
import simloss
from simloss.metrics import ExpectedSimilarity, FailedSuperclassAccuracy, SuperclassAccuracy

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
prediction, target = torch.load(f"{folder}/batch.pt", weights_only=True)
shard = slice(0, 30) if rank == 0 else slice(30, 200)
superclass, similarity = [0, 0, 1, 1, 1, 2], simloss.ordinal_similarity(6, 0.5)
metrics = [SuperclassAccuracy(superclass), FailedSuperclassAccuracy(superclass), ExpectedSimilarity(similarity)]
for metric in metrics:
    metric.update(prediction[shard], target[shard])
torch.save([metric.compute() for metric in metrics], f"{folder}/{rank}.pt")
torch.distributed.barrier()  # destroy_process_group may hang in the file store of torch 2.4
"""


@pytest.mark.slow
def test_two_processes_with_unequal_shards_equal_one(tmp_path, batch):
    torch.save(batch, tmp_path / "batch.pt")
    commands = [[sys.executable, "-c", ON_A_SHARD, str(rank), str(tmp_path)] for rank in range(2)]
    processes = [subprocess.Popen(command, cwd=tmp_path) for command in commands]
    try:
        assert [process.wait(timeout=120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    expected = [function(*batch, knowledge) for _, function, knowledge in METRICS[:3]]
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt", weights_only=True), expected)
