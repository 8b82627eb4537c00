"""Time and memory of the probe and the prompts: python bench.py [--json FILE] [--repeats N].

The probe's peer is scikit-learn's RidgeCV with generalised (leave-one-out) cross-validation over the same number of
strengths, which needs all features in memory. The prompts' peer is the bare matrix product of unit rows with 2000
prompts in torch and the sum over it, the least work that the scores take. Memory is the peak of a new process beyond
its size after the imports, while batches that are made on the fly stream through the probe.
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

import torch
from clip_aesthetics import LinearProbe, PromptScorer
from sklearn.linear_model import RidgeCV

FEATURES = 768
ALPHAS = [10.0**power for power in range(-6, 5)]


def make(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n, FEATURES, generator=generator) + 1
    weights = torch.randn(FEATURES, generator=torch.Generator().manual_seed(-1)) / FEATURES**0.5
    return features, 5.5 + features @ weights + torch.randn(n, generator=generator)


def seconds(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def interleaved(first, second, repeats):
    """Return the median time of each, the runs in turn, and their last results."""
    first(), second()
    times, results = ([], []), [None, None]
    for _ in range(repeats):
        for index, function in enumerate((first, second)):
            duration, results[index] = seconds(function)
            times[index].append(duration)
    return *map(statistics.median, times), *results


def probe_row(n, repeats):
    features, ratings = make(n)
    scale = ((features - features.mean(0)) ** 2).sum().item() / FEATURES

    def ours():
        probe = LinearProbe(alphas=ALPHAS).fit(features, ratings)
        return probe.coef_

    def peer():
        return RidgeCV([alpha * scale for alpha in ALPHAS]).fit(features.numpy(), ratings.numpy()).coef_

    mine, theirs, coef, expected = interleaved(ours, peer, repeats)
    apart = (coef - torch.as_tensor(expected)).abs().max().item()
    if apart > 0.02:
        raise SystemExit(f"weights differ from the peer's by {apart}")
    return row("fit with cross-validation", f"{n} x {FEATURES}", "scikit-learn RidgeCV", ">= 1", mine, theirs)


def prompts_row(n, repeats):
    generator = torch.Generator().manual_seed(0)
    prompts, images = torch.randn(2000, 512, generator=generator), torch.randn(n, 512, generator=generator)
    scorer = PromptScorer(prompts, mode="context", contexts=[f"thing {number}" for number in range(1000)])

    def peer():
        units = images / images.norm(dim=1, keepdim=True)
        cosines = units @ (prompts / prompts.norm(dim=1, keepdim=True)).T
        return cosines[:, :1000].sum(1) - cosines[:, 1000:].sum(1), cosines.argmax(1)

    mine, theirs, scores, (values, _) = interleaved(lambda: scorer.score(images), peer, repeats)
    if not torch.allclose(scores.values, values, atol=1e-3):
        raise SystemExit("scores differ from the matrix product's")
    return row("scores of 2 x 1000 prompts", f"{n} x 512", "torch matmul", "<= 3", mine, theirs)


def row(case, size, peer, target, mine, theirs):
    ratio = theirs / mine if target.startswith(">") else mine / theirs
    print(f"{case:28}{size:>14}  {mine:7.3f} s  {theirs:7.3f} s  {ratio:6.2f}  {target:6}  {peer}", flush=True)
    return {"package": "clip-aesthetics", "case": case, "size": size, "peer": peer, "ratio": ratio, "target": target}


def memory_row(n, limit):
    command = [sys.executable, __file__, "--peak", str(n)]
    peak = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    case, size, peer = "streaming, peak memory", f"{n} x {FEATURES}", f"{limit} MB, the limit"
    print(f"{case:28}{size:>14}  {peak:6.0f} MB  {limit:6.0f} MB  {peak / limit:6.2f}  {'<= 1':6}  {peer}")
    row = {"package": "clip-aesthetics", "case": case, "size": size, "peer": peer}
    return {**row, "ratio": peak / limit, "target": "<= 1"}


def print_peak(n):
    def peak():
        # Not getrusage: its maximum includes the parent's from before exec.
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6

    before, probe = peak(), LinearProbe(alphas=ALPHAS)
    for seed in range(n // 1000):
        probe.partial_fit(*make(1000, seed))
    probe.fitted()
    print(peak() - before)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print_peak(options.peak)
        return
    versions = ", ".join(f"{name} {version(name)}" for name in ("clip-aesthetics", "torch", "scikit-learn"))
    digest = hashlib.sha256(make(1000)[0].numpy().tobytes()).hexdigest()[:16]
    print(f"{versions}, Python {platform.python_version()}")
    print(f"{torch.get_num_threads()} threads on {os.cpu_count()} cores; sha256 of the first 1000 features: {digest}\n")
    print(f"{'case':28}{'size':>14}  {'ours':>9}  {'peer':>9}  {'ratio':>6}  {'target':6}  peer")
    rows = [probe_row(10_000, options.repeats), prompts_row(10_000, options.repeats), memory_row(50_000, limit=200)]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
