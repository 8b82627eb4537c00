"""Every wrong argument is an error that names it, what was expected and what came."""

import math
import re
import subprocess
import sys

import pytest
import simloss
import torch
from simloss import functional

EYE = torch.eye(3)
CLASSES = torch.tensor([0, 1])
NEIGHBOURS = simloss.SparseSimilarity.from_dense(EYE)
DISTRIBUTION = simloss.mean_distribution(torch.eye(3)[:2], CLASSES)


def scores(value):
    """Return a train function that always returns ``value``."""
    return lambda loss, seed: value


GOOD = {"val": {"accuracy": 1.0}, "test": {"accuracy": 1.0}}

NOT_PROBABILITIES = (
    "{}: expected probabilities that sum to 1 (the softmax of logits), got row 0 with minimum {} and sum {}"
)

BAD_VALUES = {
    "no classes": (
        lambda: simloss.ordinal_similarity(0, 0.5),
        "num_classes: expected a whole number of at least 1, got 0",
    ),
    "factor of one": (lambda: simloss.ordinal_similarity(3, 1), "reduction_factor: expected a number in [0, 1), got 1"),
    "factor is nan": (
        lambda: simloss.ordinal_similarity(3, math.nan),
        "reduction_factor: expected a number in [0, 1), got nan",
    ),
    "bound of one": (
        lambda: simloss.lower_bounded_similarity(EYE, 1.0),
        "lower_bound: expected a number in [0, 1), got 1.0",
    ),
    "negative bound": (
        lambda: simloss.embedding_similarity(EYE, -0.1),
        "lower_bound: expected a number in [0, 1), got -0.1",
    ),
    "not square": (
        lambda: simloss.lower_bounded_similarity(EYE[:2], 0.5),
        "similarity: expected a square matrix (classes, classes), got similarity (2, 3)",
    ),
    "another scale": (
        lambda: simloss.lower_bounded_similarity(EYE * 5, 0.5),
        "similarity: expected values of at most 1, got a maximum of 5",
    ),
    "nan": (
        lambda: simloss.blend_identity(EYE / 0, 0.5),
        "similarity: expected finite numbers, got NaN or infinity in row 0 (3 such rows)",
    ),
    "similarity on another device": (
        lambda: functional.sim_loss(EYE, torch.arange(3), EYE.to("meta")),
        "similarity: expected a tensor on the device of the input (cpu), got one on meta",
    ),
    "neighbours on another device": (
        lambda: functional.sim_loss(EYE.to("meta"), torch.arange(3, device="meta"), NEIGHBOURS),
        "similarity: expected a tensor on the device of the input (meta), got one on cpu",
    ),
    "target on another device": (
        lambda: functional.linear_sim_loss(EYE, EYE, torch.arange(3).to("meta"), EYE),
        "target: expected a tensor on the device of the input (cpu), got one on meta",
    ),
    "alpha": (lambda: simloss.blend_identity(EYE, 1.5), "alpha: expected a number in [0, 1], got 1.5"),
    "vectors are flat": (
        lambda: simloss.embedding_similarity([1.0, 2.0]),
        "vectors: expected a matrix (rows, columns), got vectors (2,)",
    ),
    "no vectors": (
        lambda: simloss.embedding_similarity(torch.empty(0, 4)),
        "vectors: expected a matrix (rows, columns), got vectors (0, 4)",
    ),
    "zero vector": (
        lambda: simloss.embedding_similarity([[1, 2], [0, 0]]),
        "vectors: expected a direction in every row, got only zeros in row 1 (1 such rows)",
    ),
    "complex": (lambda: simloss.embedding_similarity(EYE * 1j), "vectors: expected real numbers, got torch.complex64"),
    "empty class": (
        lambda: simloss.confusion_similarity([[1, 0, 2], [0, 0, 0], [1, 1, 1]]),
        "matrix: expected an example of every class, got none in row 1 (1 such rows)",
    ),
    "negative count": (
        lambda: simloss.confusion_similarity([[1, -1], [0, 1]]),
        "matrix: expected counts of at least 0, got a minimum of -1",
    ),
    "names repeat": (
        lambda: simloss.word_similarity(["a", "b", "a"], {}),
        "names: expected distinct entries, got 'a' more than once",
    ),
    "no names": (lambda: simloss.word_similarity([], {}), "names: expected at least one entry, got none"),
    "unknown mode": (
        lambda: simloss.word_similarity(["a"], {"a": [1.0]}, missing="skip"),
        "missing: expected 'error', 'drop' or 'mean', got 'skip'",
    ),
    "all names missing": (
        lambda: simloss.word_similarity(["a", "b"], {}, missing="drop"),
        "names: expected a vector for each name, got none for 'a', 'b' (2 of 2)",
    ),
    "lengths differ": (
        lambda: simloss.word_similarity(["a", "b"], {"a": [1.0], "b": [1.0, 2.0]}),
        "keyed_vectors: expected vectors of one length, got {'a': 1, 'b': 2}",
    ),
    "nan in a word": (
        lambda: simloss.word_similarity(["a"], {"a": [math.nan]}),
        "keyed_vectors['a']: expected finite numbers, got NaN or infinity in row 0 (1 such rows)",
    ),
    "empty step": (
        lambda: simloss.hierarchy_similarity(["a//b"]),
        "paths: expected paths of non-empty steps, got 'a//b'",
    ),
    "paths repeat": (
        lambda: simloss.hierarchy_similarity(["a/b", "a/b"]),
        "paths: expected distinct entries, got ('a', 'b') more than once",
    ),
    "unknown node": (
        lambda: simloss.hierarchy_similarity(["dgo"], parents={"dog": "animal"}),
        "paths: expected names that occur in parents, got 'dgo'",
    ),
    "cycle": (
        lambda: simloss.hierarchy_similarity(["a"], parents={"a": "b", "b": "c", "c": "b"}),
        "parents: expected no cycles, got one through 'b'",
    ),
    "prediction shape": (
        lambda: simloss.superclass_accuracy(CLASSES, CLASSES[:1], [0, 0]),
        "prediction: expected the shape of target, got prediction (2,), target (1,)",
    ),
    "logits shape": (
        lambda: simloss.superclass_accuracy(EYE, CLASSES, [0, 0, 1]),
        "prediction: expected (n, 3, ...) for target (n, ...), got prediction (3, 3), target (2,)",
    ),
    "class out of range": (
        lambda: simloss.superclass_accuracy(CLASSES, CLASSES + 1, [0, 0]),
        "target: expected classes 0..1, got 1..2",
    ),
    "float target": (
        lambda: simloss.expected_similarity(CLASSES, CLASSES / 2, EYE),
        "target: expected class indices of an integer dtype, got torch.float32",
    ),
    "superclass shape": (
        lambda: simloss.superclass_accuracy(CLASSES, CLASSES, EYE),
        "superclass: expected one superclass per class (c,), got superclass (3, 3)",
    ),
    "logits as probabilities": (
        lambda: simloss.expected_similarity(EYE[:2] * 9, CLASSES, EYE),
        NOT_PROBABILITIES.format("prediction", 0, 9),
    ),
    "logits as distribution": (
        lambda: simloss.mean_distribution(-EYE[:2], CLASSES),
        NOT_PROBABILITIES.format("probabilities", -1, -1),
    ),
    "all ignored": (
        lambda: simloss.mean_distribution(EYE[:2], CLASSES * 0 - 100),
        "target: expected at least one example that counts, got none",
    ),
    "flat distribution": (
        lambda: simloss.mean_distribution(CLASSES, CLASSES),
        "probabilities: expected floating-point probabilities (n, c), got probabilities (2,)",
    ),
    "no such class": (
        lambda: simloss.plot_mean_distribution(DISTRIBUTION, class_index=3),
        "class_index: expected a class in 0..2, got 3",
    ),
    "class without examples": (
        lambda: simloss.plot_mean_distribution(DISTRIBUTION, class_index=2),
        "class_index: expected a class with examples, got 2",
    ),
    "too few names": (
        lambda: simloss.plot_mean_distribution(DISTRIBUTION, class_names=["a"]),
        "class_names: expected one name for each of 3 classes, got 1 names",
    ),
    "no distribution": (
        lambda: simloss.plot_mean_distribution({}),
        "distributions: expected one or more over the same classes, got {}",
    ),
    "seeds repeat": (
        lambda: simloss.sweep(scores(GOOD), {}, [1, 1]),
        "seeds: expected distinct entries, got 1 more than once",
    ),
    "no seeds": (lambda: simloss.sweep(scores(GOOD), {}, []), "seeds: expected at least one entry, got none"),
    "unknown baseline": (
        lambda: simloss.sweep(scores(GOOD), {0.5: EYE}, [1], baseline=0),
        "baseline: expected one of the rows [0.5], got 0",
    ),
    "no test scores": (
        lambda: simloss.sweep(scores({"val": {"accuracy": 1.0}}), {}, [1]),
        'train: expected to return {"val": {metric: value}, "test": {metric: value}}, got ',
    ),
    "metrics differ": (
        lambda: simloss.sweep(scores({"val": {"a": 1.0}, "test": {"b": 1.0}}), {}, [1]),
        "train, 'cross entropy' and seed 1: expected test with the metrics ['a'], got ",
    ),
    "direction of nothing": (
        lambda: simloss.sweep(scores(GOOD), {}, [1], higher_is_better={"mae": False}),
        "higher_is_better: expected a mapping of the metrics ['accuracy'], got {'mae': False}",
    ),
    "layout": (
        lambda: simloss.sweep(scores(GOOD), {}, [1]).table("html"),
        "layout: expected 'text' or 'markdown', got 'html'",
    ),
}

BAD_TYPES = {
    "classes are a float": (
        lambda: simloss.ordinal_similarity(3.0, 0.5),
        "num_classes: expected a whole number, got float",
    ),
    "classes are a bool": (
        lambda: simloss.ordinal_similarity(True, 0.5),
        "num_classes: expected a whole number, got bool",
    ),
    "factor is text": (
        lambda: simloss.ordinal_similarity(3, "0.5"),
        "reduction_factor: expected a number in [0, 1), got str",
    ),
    "vectors are text": (lambda: simloss.embedding_similarity("abc"), "vectors: expected a matrix of numbers, got str"),
    "ragged vectors": (
        lambda: simloss.embedding_similarity([[1.0], [1.0, 2.0]]),
        "vectors: expected a matrix of numbers, got list",
    ),
    "structured": (
        lambda: simloss.blend_identity(simloss.OrdinalSimilarity(3, 0.5), 0.5),
        "similarity: expected a matrix of numbers, got OrdinalSimilarity",
    ),
    "one string": (lambda: simloss.word_similarity("dog", {}), "names: expected a sequence of class names, got str"),
    "name is a number": (
        lambda: simloss.word_similarity(["a", 2], {}),
        "names: expected class names as strings, got int",
    ),
    "one path": (lambda: simloss.hierarchy_similarity("a/b"), "paths: expected one path per class, got str"),
    "path is a number": (
        lambda: simloss.hierarchy_similarity([1, 2]),
        "paths: expected paths as strings or tuples of strings, got int",
    ),
    "path with parents": (
        lambda: simloss.hierarchy_similarity([("a", "b")], parents={"a": "b"}),
        "paths: expected class names as strings, because parents is given, got tuple",
    ),
    "prediction is a list": (
        lambda: simloss.superclass_accuracy([0, 1], CLASSES, [0, 0]),
        "prediction: expected a tensor, got list",
    ),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_a_bad_value_is_named(case):
    call, message = BAD_VALUES[case]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        call()


@pytest.mark.parametrize("case", BAD_TYPES)
def test_a_bad_type_is_named(case):
    call, message = BAD_TYPES[case]
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        call()


WITHOUT_PARTNERS = """
import sys
import torch
for module in ("torchmetrics", "safetensors", "matplotlib"):
    sys.modules[module] = None  # as if it were not installed
import simloss

distribution = simloss.mean_distribution(torch.eye(2), torch.arange(2))
for call in (
    lambda: __import__("simloss.metrics"),
    lambda: simloss.save_similarity(torch.eye(2), "never.safetensors"),
    lambda: simloss.load_similarity("never.safetensors"),
    lambda: simloss.plot_mean_distribution(distribution),
    lambda: simloss.SweepResult({}, [1], None, {}).plot(),
):
    try:
        call()
    except ImportError as error:
        print(error)
"""


def test_a_missing_partner_names_its_extra(tmp_path):
    command = [sys.executable, "-c", WITHOUT_PARTNERS]
    shown = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    partners = [
        ("torchmetrics", "metrics"),
        ("safetensors", "safetensors"),
        ("safetensors", "safetensors"),
        ("matplotlib", "plot"),
        ("matplotlib", "plot"),
    ]
    expected = [f'{module} is not installed: pip install "simloss[{extra}]"' for module, extra in partners]
    assert shown.stdout.splitlines() == expected
