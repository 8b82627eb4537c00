import numpy as np
import pytest
import torch
from nrprecision import normalized_r_precision
from nrprecision.pml import NRPrecisionCalculator
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN


@pytest.fixture(autouse=True)
def no_faiss(without):
    without("faiss")


@pytest.fixture
def items():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 6, (80,), generator=generator)
    labels[7] = 99  # the only one of its kind
    return torch.eye(100)[labels] + 0.5 * torch.randn(80, 100, generator=generator), labels


def test_the_peer_needs_faiss_and_we_do_not(items):
    with pytest.raises(NameError, match="faiss"):
        AccuracyCalculator(include=("r_precision",))
    values = NRPrecisionCalculator(k="max_bin_count").get_accuracy(*items)
    assert {"nr_precision", "r_precision", "precision_at_1", "mean_average_precision_at_r", "AMI"} <= set(values)
    assert all(np.isfinite(value) for value in values.values())


def test_inherited_metrics_are_the_peers(items):
    include = ("precision_at_1", "mean_average_precision_at_r", "r_precision")
    knn = CustomKNN(LpDistance(normalize_embeddings=False))
    peer = AccuracyCalculator(include=include, k="max_bin_count", knn_func=knn, kmeans_func=len)
    assert NRPrecisionCalculator(include, k="max_bin_count").get_accuracy(*items) == peer.get_accuracy(*items)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_r_precision_is_ours_too(items, distance):
    matching = {"euclidean": LpDistance(normalize_embeddings=False), "cosine": CosineSimilarity()}[distance]
    peer = AccuracyCalculator(
        include=("r_precision",), k="max_bin_count", knn_func=CustomKNN(matching), kmeans_func=len
    )
    ours = normalized_r_precision(*items, distance=distance).r_precision[0]
    assert ours == pytest.approx(peer.get_accuracy(*items)["r_precision"], abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"distance": "cosine"}, {"null": "hypergeometric"}])
def test_value_is_the_functions_and_needs_no_neighbour_search(items, options):
    def refuse(*_):
        raise AssertionError("searched")

    calculator = NRPrecisionCalculator(include=("nr_precision",), knn_func=refuse, **options)
    expected = normalized_r_precision(*items, **options).nr_precision[0]
    assert calculator.get_accuracy(*items)["nr_precision"] == pytest.approx(expected, rel=1e-12)


def test_averages_over_classes(items):
    embeddings, labels = items
    per_query = normalized_r_precision(embeddings, labels).per_query[0]
    classes = [per_query[labels.numpy() == label].mean() for label in range(6)]
    each = NRPrecisionCalculator(include=("nr_precision",), return_per_class=True)
    assert each.get_accuracy(embeddings, labels)["nr_precision"] == pytest.approx(classes, rel=1e-12)
    mean = NRPrecisionCalculator(include=("nr_precision",), avg_of_avgs=True)
    assert mean.get_accuracy(embeddings, labels)["nr_precision"] == pytest.approx(np.mean(classes), rel=1e-12)


def test_queries_may_be_the_first_of_the_reference(items):
    embeddings, labels = items
    calculator = NRPrecisionCalculator(include=("nr_precision",))
    values = calculator.get_accuracy(embeddings[:30], labels[:30], embeddings, labels, ref_includes_query=True)
    expected = np.nanmean(normalized_r_precision(embeddings, labels).per_query[0][:30])
    assert values["nr_precision"] == pytest.approx(expected, rel=1e-12)


def test_a_foreign_reference_or_comparison_is_refused(items):
    embeddings, labels = items
    with pytest.raises(ValueError, match=r"^reference: expected a set that includes the queries"):
        NRPrecisionCalculator(include=("nr_precision",)).get_accuracy(embeddings, labels, embeddings + 1, labels)
    own = NRPrecisionCalculator(include=("nr_precision",), label_comparison_fn=torch.ne)
    with pytest.raises(ValueError, match=r"^label_comparison_fn: expected none with 'nr_precision'"):
        own.get_accuracy(embeddings, labels)
