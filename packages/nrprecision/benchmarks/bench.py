"""Time and memory of ``normalized_r_precision``: python bench.py [--json FILE] [--queries N].

"peer" is pytorch-metric-learning's AccuracyCalculator(include=("r_precision",), k="max_bin_count") with its torch k-NN,
one run per property; a run of ours, which does all properties at once, comes between two of them. "product" is the
blocked float32 matrix product of all distances in torch, the least work that exact distances take. Memory is the peak
of a new process beyond its size after the imports.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from nrprecision import normalized_r_precision, sample_properties
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN

# Table 7.2: eleven properties, their values drawn uniformly and independently.
TABLE = {
    "car model": 6,
    "car rotation": 8,
    "car hue": 10,
    "car saturation": 9,
    "car value": 9,
    "background hue": 10,
    "background saturation": 9,
    "background value": 9,
    "camera height": 4,
    "sun elevation": 3,
    "sun rotation": 8,
}
DIMENSIONS = 128


def make(n):
    embeddings = np.random.default_rng(0).normal(size=(n, DIMENSIONS)).astype(np.float32)
    return embeddings, sample_properties({name: range(values) for name, values in TABLE.items()}, n=n, seed=0)


def seconds(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def peer_of(embeddings, labels):
    knn = CustomKNN(LpDistance(normalize_embeddings=False))
    unused = {"kmeans_func": lambda *_: None}  # its default needs faiss
    calculator = AccuracyCalculator(include=("r_precision",), k="max_bin_count", knn_func=knn, **unused)
    return calculator.get_accuracy(embeddings, labels)["r_precision"]


def against_peer(n):
    embeddings, properties = make(n)
    tensor = torch.from_numpy(embeddings)
    normalized_r_precision(embeddings[:2000], {name: labels[:2000] for name, labels in properties.items()})
    ours, peer, apart = [], 0.0, 0.0
    for index, labels in enumerate(properties.values()):
        duration, scores = seconds(lambda: normalized_r_precision(embeddings, properties, progress=False))
        ours.append(duration)
        duration, value = seconds(lambda labels=labels: peer_of(tensor, torch.as_tensor(labels)))
        peer += duration
        apart = max(apart, abs(value - scores.r_precision[index]))
    if apart > 1e-6:
        raise SystemExit(f"R-Precision differs from the peer's by {apart}")
    return statistics.median(ours), peer


def blocked_product(tensor, queries):
    block = 1024
    for start in range(0, queries, block):
        torch.mm(tensor[start : min(start + block, queries)], tensor.T)


def against_product(n, queries, repeats=5):
    embeddings, properties = make(n)
    tensor, rows = torch.from_numpy(embeddings), range(queries)
    ours, product = [], []
    for _ in range(repeats):
        product.append(seconds(lambda: blocked_product(tensor, queries))[0])
        ours.append(seconds(lambda: normalized_r_precision(embeddings, properties, queries=rows, progress=False))[0])
    return statistics.median(ours), statistics.median(product)


def peak_in_new_process(n, queries):
    command = [sys.executable, __file__, "--peak", str(n), str(queries)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_peak(n, queries):
    def peak():
        # Not getrusage: its maximum includes the parent's from before exec.
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6

    before = peak()
    embeddings, properties = make(n)
    normalized_r_precision(embeddings, properties, queries=range(queries), progress=False)
    print(peak() - before)


def time_row(case, size, target, ours, peer):
    ratio = peer / ours if target.startswith(">") else ours / peer
    print(f"{case:34}{size:>23}  {ours:>6.2f} s  {peer:>6.2f} s  {ratio:>6.2f}  {target}", flush=True)
    name = "pytorch-metric-learning, eleven runs" if "peer" in case else "torch.mm in blocks"
    return {"package": "nrprecision", "case": case, "size": size, "peer": name, "ratio": ratio, "target": target}


def memory_row(n, queries, limit):
    case, size, peak = "peak memory / limit", f"{queries} of {n} x 128", peak_in_new_process(n, queries)
    print(f"{case:34}{size:>23}  {peak:>5.0f} MB  {limit:>5} MB  {peak / limit:>6.2f}  <= 1", flush=True)
    row = {"package": "nrprecision", "case": case, "size": size, "peer": f"{limit} MB, the limit"}
    return {**row, "ratio": peak / limit, "target": "<= 1"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--queries", type=int, default=4000, help="queries of the case with 100 000 items")
    parser.add_argument("--peak", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print_peak(*options.peak)
        return
    digest = hashlib.sha256(make(20_000)[0].tobytes()).hexdigest()[:16]
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("nrprecision", "numpy", "torch", "pytorch-metric-learning")
    )
    print(f"{versions}, Python {platform.python_version()}")
    print(f"{torch.get_num_threads()} threads on {os.cpu_count()} cores; sha256 of the 20 000 embeddings: {digest}\n")

    print(f"{'case':34}{'size':>23}  {'ours':>8}  {'peer':>8}  {'ratio':>6}  target")
    rows = [
        time_row("eleven properties: peer / ours", "20000 x 128", ">= 20", *against_peer(20_000)),
        time_row("eleven properties: ours / product", "20000 x 128", "<= 4", *against_product(20_000, 20_000)),
        time_row(
            "eleven properties: ours / product",
            f"{options.queries} of 100000 x 128",
            "<= 4",
            *against_product(100_000, options.queries, repeats=3),
        ),
        memory_row(20_000, 20_000, limit=500),
        memory_row(100_000, options.queries, limit=2000),
    ]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
