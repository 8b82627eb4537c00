import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from nrprecision import normalized_r_precision
from nrprecision.metrics import NormalizedRPrecision

# Each process sees a part of the items, in batches of its own; each must return the value of the whole set.
WORKER = """
import json, sys
import torch
import torch.distributed as distributed
from nrprecision.metrics import NormalizedRPrecision

rank, store, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
generator = torch.Generator().manual_seed(0)
embeddings = torch.randn(90, 4, generator=generator)
labels = {"a": torch.randint(0, 3, (90,), generator=generator), "b": torch.randint(0, 7, (90,), generator=generator)}
named, plain = NormalizedRPrecision(["a", "b"]), NormalizedRPrecision()
for part in torch.arange(90).tensor_split([17])[rank].split(20):
    named.update(embeddings[part], {name: column[part] for name, column in labels.items()})
    plain.update(embeddings[part], labels["b"][part])
values = {name: value.item() for name, value in named.compute().items()}
with open(f"{out}{rank}", "w") as file:
    json.dump({**values, "plain": plain.compute().item()}, file)
distributed.destroy_process_group()
"""


@pytest.fixture
def tensors(embed, properties):
    codes = {name: torch.as_tensor(np.unique(values, return_inverse=True)[1]) for name, values in properties.items()}
    return torch.as_tensor(embed()), codes


@pytest.mark.parametrize("null", ["binomial", "hypergeometric"])
def test_batches_add_up_to_the_function(tensors, null):
    embeddings, labels = tensors
    metric = NormalizedRPrecision(list(labels), null=null, distance="cosine")
    for part in torch.arange(len(embeddings)).split(50):
        metric.update(embeddings[part], {name: column[part] for name, column in labels.items()})
    values = metric.compute()
    expected = normalized_r_precision(embeddings, labels, null=null, distance="cosine")
    assert tuple(values) == expected.names
    for name, value in zip(expected.names, expected.nr_precision):
        assert values[name].shape == ()
        assert values[name].dtype == torch.float32
        assert values[name].item() == pytest.approx(value, rel=1e-6)


def test_one_set_of_labels_gives_one_value(tensors):
    embeddings, labels = tensors
    metric = NormalizedRPrecision()
    metric.update(embeddings.requires_grad_(), labels["rotation"].to(torch.int16))
    value = metric.compute()
    expected = normalized_r_precision(embeddings.detach(), labels["rotation"]).nr_precision[0]
    assert value.shape == ()
    assert not value.requires_grad
    assert value.item() == pytest.approx(expected, rel=1e-6)
    metric.reset()
    metric.update(embeddings.flip(1), labels["car <b>"])
    assert metric.compute() != value


@pytest.mark.slow
def test_two_processes_with_unequal_shards_equal_one(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    arguments = [str(tmp_path / "store"), str(tmp_path / "result")]
    processes = [subprocess.Popen([sys.executable, str(script), str(rank), *arguments]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(90, 4, generator=generator)
    a = torch.randint(0, 3, (90,), generator=generator)
    b = torch.randint(0, 7, (90,), generator=generator)
    expected = normalized_r_precision(embeddings, {"a": a, "b": b, "plain": b})
    for rank in range(2):
        values = json.loads((tmp_path / f"result{rank}").read_text())
        assert values == pytest.approx(dict(zip(expected.names, expected.nr_precision)), rel=1e-6)
