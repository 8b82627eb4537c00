"""Two processes with unequal shards equal one."""

import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
from simloss import OrdinalSimilarity, SimLoss
from torch.nn.parallel import DistributedDataParallel

SHARDS = (slice(0, 3), slice(3, 10))


def problem():
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 6)
    loss = SimLoss(OrdinalSimilarity(6, 0.5).to_dense(), reduction="sum")
    return model, loss, torch.randn(10, 4), torch.randint(6, (10,))


def train_shard(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    try:
        model, loss, x, y = problem()
        parallel = DistributedDataParallel(model)
        total = loss(parallel(x[SHARDS[rank]]), y[SHARDS[rank]])
        # DDP averages over processes: twice the sum gives the sum.
        (2 * total).backward()
        dist.all_reduce(total.detach())
        torch.save((total.detach(), model.weight.grad), f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


@pytest.mark.slow
def test_unequal_shards_equal_one_process(tmp_path):
    processes = [subprocess.Popen([sys.executable, __file__, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    model, loss, x, y = problem()
    total = loss(model(x), y)
    total.backward()
    for rank in range(2):
        sharded_total, gradient = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(sharded_total, total.detach())
        torch.testing.assert_close(gradient, model.weight.grad)


if __name__ == "__main__":
    train_shard(int(sys.argv[1]), sys.argv[2])
