"""Hostile arguments are used or refused by name, and damaged files are named."""

import pytest
import simloss
import torch
from simloss import functional

EYE, CLASSES = torch.eye(3), torch.tensor([0, 1])
LOGITS = torch.tensor([[0.5, -1.0, 2.0], [0.0, 1.0, -2.0]])
SHARES = LOGITS.softmax(1)

CALLS = {
    "sim_loss": (
        lambda logits, target, **options: functional.sim_loss(logits, target, EYE, **options),
        {"logits": LOGITS, "target": CLASSES, "ignore_index": -100, "reduction": "mean", "label_smoothing": 0.1},
    ),
    "sim_loss of probabilities": (
        lambda target, similarity: functional.sim_loss(LOGITS, target, similarity),
        {"target": SHARES, "similarity": EYE},
    ),
    "linear_sim_loss": (
        lambda **arguments: functional.linear_sim_loss(**arguments, similarity=EYE),
        {"hidden": torch.ones(2, 4), "weight": torch.ones(3, 4), "target": CLASSES, "bias": torch.ones(3)},
    ),
    "SimLoss": (lambda similarity: simloss.SimLoss(similarity)(LOGITS, CLASSES), {"similarity": EYE}),
    "lower_bounded_similarity": (simloss.lower_bounded_similarity, {"similarity": EYE, "lower_bound": 0.5}),
    "blend_identity": (simloss.blend_identity, {"similarity": EYE, "alpha": 0.5}),
    "embedding_similarity": (simloss.embedding_similarity, {"vectors": torch.ones(3, 4), "lower_bound": 0.5}),
    "confusion_similarity": (simloss.confusion_similarity, {"matrix": EYE}),
    "hierarchy_similarity": (simloss.hierarchy_similarity, {"paths": ["a/b", "a/c"], "separator": "/"}),
    "hierarchy with parents": (simloss.hierarchy_similarity, {"paths": ["b"], "parents": {"b": "a"}}),
    "word_similarity": (
        simloss.word_similarity,
        {"names": ["a"], "keyed_vectors": {"a": [1.0]}, "lower_bound": 0.0, "missing": "error"},
    ),
    "mean_distribution": (
        simloss.mean_distribution,
        {"probabilities": SHARES, "target": CLASSES, "ignore_index": -100},
    ),
    "superclass_accuracy": (
        simloss.superclass_accuracy,
        {"prediction": LOGITS, "target": CLASSES, "superclass": torch.tensor([0, 0, 1]), "ignore_index": -100},
    ),
    "superclass_accuracy of classes": (
        lambda prediction: simloss.superclass_accuracy(prediction, CLASSES, ["a", "a", "b"]),
        {"prediction": CLASSES},
    ),
    "expected_similarity": (
        simloss.expected_similarity,
        {"prediction": SHARES, "target": CLASSES, "similarity": EYE},
    ),
    "SparseSimilarity": (
        simloss.SparseSimilarity,
        {"indices": torch.tensor([[0, 1], [1, 0]]), "values": torch.tensor([[1.0, 0.5], [1.0, 0.5]])},
    ),
    "SparseSimilarity.from_dense": (simloss.SparseSimilarity.from_dense, {"similarity": EYE, "top_k": 2}),
}


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


@pytest.mark.parametrize(
    "similarity", [EYE, simloss.OrdinalSimilarity(3, 0.5), simloss.SparseSimilarity.from_dense(EYE)]
)
def test_damaged_similarities_are_named(similarity, tmp_path, check_damaged):
    file = tmp_path / "similarity.safetensors"
    simloss.save_similarity(similarity, file, class_names=["a", "b", "c"])
    check_damaged(lambda: simloss.load_similarity(file), file, cuts=20, flips=60)
