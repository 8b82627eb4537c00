import numpy as np
import pytest
import torch
from nrprecision import check_independence, compare_models, normalized_r_precision, sample_properties
from nrprecision.metrics import NormalizedRPrecision

POINTS = np.arange(24.0).reshape(12, 2)
LABELS = np.repeat([0, 1, 2], 4)
TENSOR = torch.as_tensor(POINTS)
CODES = torch.as_tensor(LABELS)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: sample_properties({"a": [1, 2]}, 0, 0), ValueError, "n: expected at least one item, got 0"),
        (
            lambda: sample_properties({"a": [1]}, 5, 0),
            ValueError,
            "values['a']: expected two or more values, each once, got [1]",
        ),
        (lambda: sample_properties({"a": [1, 1, 2]}, 5, 0), ValueError, "two or more values, each once"),
        (lambda: check_independence(LABELS), TypeError, "properties: expected a mapping name -> labels, or a frame"),
        (lambda: check_independence({}), ValueError, "properties: expected at least one property, got none"),
        (
            lambda: check_independence({"a": LABELS, "b": LABELS[:-1]}),
            ValueError,
            "properties['b']: expected one label per embedding",
        ),
        (lambda: compare_models(POINTS, LABELS), TypeError, "models: expected a mapping model -> embeddings"),
        (lambda: compare_models({}, LABELS), ValueError, "models: expected at least one model, got none"),
        (
            lambda: compare_models({"a": POINTS, "b": []}, LABELS),
            ValueError,
            "models['b']: expected at least one fold, got an empty list",
        ),
        (
            lambda: compare_models({"a": POINTS}, LABELS, groups={"x": ["a"]}),
            ValueError,
            "groups: expected two groups with at least one model each",
        ),
        (
            lambda: compare_models({"a": POINTS}, LABELS, groups={"x": ["a"], "y": ["b"]}),
            ValueError,
            "groups: expected models out of ['a'], got ['b']",
        ),
        (
            lambda: compare_models({"a": POINTS}, LABELS, groups={"x": ["a"], "y": ["a"]}),
            ValueError,
            "groups: expected each model once, got ['a', 'a']",
        ),
        (
            lambda: compare_models({"a": POINTS}, LABELS, distance={"b": "cosine"}),
            ValueError,
            "distance: expected a distance for each model, also for 'a', got ['b']",
        ),
        (
            lambda: compare_models({"a": POINTS, "b": POINTS[:5]}, LABELS),
            ValueError,
            "expected one label per embedding",
        ),
        (
            lambda: NormalizedRPrecision().update(TENSOR, CODES[:-1]),
            ValueError,
            "labels: expected one label per row of embeddings, got labels (11,), embeddings (12, 2)",
        ),
        (
            lambda: NormalizedRPrecision().update(TENSOR[0], CODES),
            ValueError,
            "embeddings: expected (batch, d), got embeddings (2,)",
        ),
        (
            lambda: NormalizedRPrecision().update(TENSOR, CODES.float()),
            ValueError,
            "labels: expected a tensor of integers, got torch.float32",
        ),
        (
            lambda: NormalizedRPrecision().update(TENSOR, LABELS.tolist()),
            TypeError,
            "labels: expected a tensor of integers, got list",
        ),
        (
            lambda: NormalizedRPrecision().update(TENSOR, {"a": CODES}),
            TypeError,
            "labels: expected a tensor of integers, got dict",
        ),
        (
            lambda: NormalizedRPrecision(["a", "b"]).update(TENSOR, CODES),
            ValueError,
            "labels: expected a mapping with the names ['a', 'b'], got Tensor",
        ),
        (
            lambda: NormalizedRPrecision(["a", "b"]).update(TENSOR, {"a": CODES}),
            ValueError,
            "labels: expected a mapping with the names ['a', 'b'], got ['a']",
        ),
        (
            lambda: normalized_r_precision(POINTS, {"size": LABELS[:5]}),
            ValueError,
            "properties['size']: expected one label per embedding, got labels (5,), embeddings (12,",
        ),
        (
            lambda: normalized_r_precision(POINTS, {"size": np.zeros(12)}),
            ValueError,
            "properties['size']: expected at least two different values",
        ),
        (
            lambda: normalized_r_precision(POINTS, {"size": np.arange(12) / 7}),
            ValueError,
            "bin a continuous property first",
        ),
    ],
)
def test_the_message_names_the_argument_what_was_expected_and_what_came(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)


def test_a_nan_embedding_is_named_when_the_metric_is_read():
    metric = NormalizedRPrecision()
    metric.update(torch.cat([TENSOR, torch.full((1, 2), float("nan"))]), torch.cat([CODES, CODES[:1]]))
    with pytest.raises(ValueError, match="embeddings: expected finite numbers, got NaN or infinity in row 12"):
        metric.compute()


@pytest.mark.parametrize(("module", "extra"), [("metrics", "metrics"), ("pml", "pml")])
def test_a_module_of_an_absent_partner_names_the_extra(module, extra, without, monkeypatch):
    import importlib
    import sys

    partner = {"metrics": "torchmetrics", "pml": "pytorch_metric_learning"}[module]
    monkeypatch.delitem(sys.modules, f"nrprecision.{module}", raising=False)
    without(*[name for name in list(sys.modules) if name.partition(".")[0] == partner], partner)
    with pytest.raises(ImportError, match=rf'pip install "nrprecision\[{extra}\]"'):
        importlib.import_module(f"nrprecision.{module}")
