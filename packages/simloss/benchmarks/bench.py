"""Ratios to torch's cross entropy, forward and backward, measured interleaved in the same run.

``python bench.py [--json FILE] [--rounds N] [--threads N]``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import torch
from simloss import OrdinalSimilarity, SparseSimilarity
from simloss.functional import linear_sim_loss, sim_loss
from torch.nn import functional as F

PEER = "torch.nn.functional.cross_entropy"


def problem(n, c, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    logits = (scale * torch.randn(n, c, generator=generator)).requires_grad_()
    return logits, torch.randint(c, (n,), generator=generator)


def banded(c, reach=16, decay=0.7):
    """A sparse similarity of 33 neighbours on a circle."""
    offset = torch.arange(-reach, reach + 1)
    return SparseSimilarity((torch.arange(c)[:, None] + offset) % c, (decay ** offset.abs().float()).repeat(c, 1))


def dense(c):
    return torch.rand(c, c, generator=torch.Generator().manual_seed(1)).fill_diagonal_(1)


def mostly_zeros(c):
    """A similarity under which most rows underflow at large logits: what is most probable is not similar."""
    kept = torch.rand(c, c, generator=torch.Generator().manual_seed(2)) < 0.05
    return (dense(c) * kept).fill_diagonal_(1)


# Beyond 16 classes a reduction factor of 0.15 is below the squared rounding error of float32: 33 neighbours.
SIZES = (1024, 1000), (256, 10_000), (64, 50_000)
ROW_CASES = [
    *(("dense", size, 1.0, dense, 1.0) for size in SIZES[:2]),
    *(("dense, logits x 1000", size, 1000.0, dense, 1.6) for size in SIZES[:2]),
    *(("dense, 95 % zeros, x 1000", size, 1000.0, mostly_zeros, 1.6) for size in SIZES[:2]),
    *(
        ("ordinal r=0.15 (33 neighbours)", size, 1.0, lambda c: OrdinalSimilarity(c, 0.15), target)
        for size, target in zip(SIZES, (1.05, 0.85, 0.85))
    ),
    *(("sparse, 33 neighbours", size, 1.0, banded, target) for size, target in zip(SIZES, (1.05, 0.85, 0.85))),
    *(("ordinal r=0.9", size, 1.0, lambda c: OrdinalSimilarity(c, 0.9), 1.5) for size in SIZES),
]


def linear_problem():
    generator = torch.Generator().manual_seed(0)
    n, d, c = 2048, 256, 50_000
    hidden, weight = torch.randn(n, d, generator=generator), torch.randn(c, d, generator=generator) / d**0.5
    parameters = [x.requires_grad_() for x in (hidden, weight, torch.zeros(c))]
    return parameters, torch.randint(c, (n,), generator=generator), OrdinalSimilarity(c, 0.15)


def linear_losses():
    (hidden, weight, bias), target, similarity = linear_problem()
    return (hidden, weight, bias), {
        "peer": lambda: F.cross_entropy(F.linear(hidden, weight, bias), target),
        "ours": lambda: linear_sim_loss(hidden, weight, target, similarity, bias=bias),
    }


def row_losses(n, c, scale, similarity):
    logits, target = problem(n, c, scale)
    return (logits,), {
        "peer": lambda: F.cross_entropy(logits, target),
        "ours": lambda: sim_loss(logits, target, similarity),
    }


def time_ratio(inputs, losses, rounds):
    """Median over interleaved rounds of forward and backward, after one round to warm up."""
    seconds = {name: [] for name in losses}
    for _ in range(rounds + 1):
        for name, loss in losses.items():
            for x in inputs:
                x.grad = None
            start = time.perf_counter()
            loss().backward()
            seconds[name].append(time.perf_counter() - start)
    peer, ours = (statistics.median(seconds[name][1:]) for name in ("peer", "ours"))
    return ours / peer, peer


def resident():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def peak_memory(inputs, losses, name):
    """Highest resident memory of one forward and backward pass above what was there before, in bytes."""
    del inputs
    before, peak, done = resident(), 0, threading.Event()

    def watch():
        nonlocal peak
        while not done.is_set():
            peak = max(peak, resident())
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    losses[name]().backward()
    done.set()
    watcher.join()
    return peak - before


MEMORY_CASES = {
    "memory dense": lambda: row_losses(1024, 10_000, 1.0, torch.rand(10_000, 10_000)),
    "memory ordinal r=0.9": lambda: row_losses(1024, 10_000, 1.0, OrdinalSimilarity(10_000, 0.9)),
    "memory linear": linear_losses,
}
# Dense: cross entropy keeps three n x c arrays at its peak, and the gathered rows are a fourth.
MEMORY_TARGETS = {"memory dense": 1.33, "memory ordinal r=0.9": 1.33, "memory linear": 0.1}


def measured_alone(options, *arguments):
    """Return the numbers that this program prints in a process of its own, whose heap no other case has shaped."""
    command = [sys.executable, __file__, f"--threads={options.threads}", f"--rounds={options.rounds}", *arguments]
    return map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--rounds", type=int, default=41, help="interleaved rounds of each case (at least 5)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--time", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory:
        case, name = options.memory
        print(peak_memory(*MEMORY_CASES[case](), name))
        return
    if options.time is not None:
        _, (n, c), scale, similarity, _ = ROW_CASES[options.time]
        print(*time_ratio(*row_losses(n, c, scale, similarity(c)), options.rounds))
        return
    rows = []

    def report(case, size, peer, ratio, target, unit):
        row = {"package": "simloss", "case": case, "size": size, "peer": peer, "ratio": ratio}
        rows.append({**row, "target": f"<= {target}"})
        print(f"{case:32} {size:>20} {unit:>12} {ratio:6.2f} {target:6.2f} {'ok' if ratio <= target else 'MISSED'}")

    digest = hashlib.sha256(problem(1024, 1000)[0].detach().numpy().tobytes()).hexdigest()[:12]
    print(f"torch {torch.__version__}, {options.threads} threads, median of {options.rounds} interleaved rounds")
    print(f"peer: {PEER} (defaults), forward + backward; sha256 of the (1024, 1000) logits: {digest}")
    print(f"{'case':32} {'size':>20} {'peer':>12} {'ratio':>6} {'target':>6}")
    for number, (case, size, _, _, target) in enumerate(ROW_CASES):
        ratio, peer = measured_alone(options, f"--time={number}")
        report(case, str(size), PEER, ratio, target, f"{1e3 * peer:.1f} ms")
    ratio, peer = time_ratio(*linear_losses(), 5)
    report("linear, time", "(2048, 256, 50000)", f"{PEER} of linear", ratio, 1.2, f"{1e3 * peer:.0f} ms")
    for case, target in MEMORY_TARGETS.items():
        (peer,), (ours,) = (measured_alone(options, "--memory", case, name) for name in ("peer", "ours"))
        size = "(2048, 256, 50000)" if "linear" in case else "(1024, 10000)"
        report(case, size, f"{PEER}, peak RSS", ours / peer, target, f"{peer / 2**20:.0f} MB")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
