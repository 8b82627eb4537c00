"""Two processes that share the queries equal one."""

import subprocess
import sys

import numpy as np
import pytest
import torch.distributed as dist
from nrprecision import normalized_r_precision
from nrprecision.functional import map_at_r


def arguments():
    rng = np.random.default_rng(0)
    labels = {"a": rng.integers(0, 3, 41).tolist(), "b": [None, *rng.integers(0, 5, 40).tolist()]}
    return rng.integers(-3, 4, size=(41, 3)).astype(np.float32), labels


def run(store, results, rank):
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    group = dist.group.WORLD
    options = {"permutations": 4, "seed": 1, "process_group": group}
    scores = normalized_r_precision(*arguments(), **options)
    single = normalized_r_precision(*arguments(), queries=[3], process_group=group)  # one process has no query
    with pytest.raises(ValueError, match="seed"):
        normalized_r_precision(*arguments(), queries=5, process_group=group)
    np.savez(
        f"{results}/{rank}.npz",
        per_query=scores.per_query,
        p_value=scores.p_value,
        used=scores.used,
        single=single.nr_precision,
        map_at_r=map_at_r(*arguments(), process_group=group),
    )
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_with_unequal_shards_equal_one(tmp_path):
    command = [sys.executable, __file__, str(tmp_path / "store"), str(tmp_path)]
    processes = [subprocess.Popen([*command, str(rank)]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    expected = normalized_r_precision(*arguments(), permutations=4, seed=1)
    for rank in range(2):
        result = np.load(tmp_path / f"{rank}.npz")
        np.testing.assert_array_equal(result["per_query"], expected.per_query)
        np.testing.assert_array_equal(result["p_value"], expected.p_value)
        np.testing.assert_array_equal(result["used"], expected.used)
        np.testing.assert_array_equal(result["single"], normalized_r_precision(*arguments(), queries=[3]).nr_precision)
        np.testing.assert_array_equal(result["map_at_r"], map_at_r(*arguments()))


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
