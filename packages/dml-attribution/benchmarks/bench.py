"""Time and memory against a bare loop of the same passes and captum's NoiseTunnel(Saliency).

python bench.py [--json FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import captum
import psutil
import torch
import torch.nn.functional as F
import torchvision
from captum.attr import NoiseTunnel, Saliency
from dml_attribution import EmbeddingAttribution
from torch import nn

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
NOISE = 0.15
BATCHES = (2, 4, 8)
SAMPLES = {"MobileNetV2": 24, "4 layers": 48}  # divisible by each of them; 50 is the default


def small():
    layers = [nn.Conv2d(3, 32, 3, stride=2), nn.ReLU(), nn.Conv2d(32, 64, 3, stride=2), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 128))


def bare_loop(model, image, black, samples, batch, layout=torch.contiguous_format):
    """The same forward and backward passes and nothing else: no checks, no state, no post-processing."""
    with torch.no_grad():
        base = F.normalize(model(black))
    total = torch.zeros_like(image)
    sigma = NOISE * (image.max() - image.min())
    for _ in range(samples // batch):
        noisy = image + sigma * torch.randn(batch, *image.shape[1:])
        noisy = noisy.contiguous(memory_format=layout).requires_grad_()
        distance = (F.normalize(model(noisy)) - base).norm(dim=1).sum()
        total += torch.autograd.grad(distance, noisy)[0].sum(0)
    return total / samples


def captum_tunnel(model, image, black, samples, batch):
    """captum's SmoothGrad of the same distance, without the post-processing."""
    with torch.no_grad():
        base = F.normalize(model(black))
    tunnel = NoiseTunnel(Saliency(lambda x: (F.normalize(model(x)) - base).norm(dim=1)))
    sigma = float(NOISE * (image.max() - image.min()))
    options = {"nt_samples": samples, "nt_samples_batch_size": batch, "stdevs": sigma}
    return tunnel.attribute(image, nt_type="smoothgrad", abs=False, **options)


def contestants(model, image, samples):
    """Yield who runs, on batches of how many noisy images, and the run; all three embed the black image too."""
    ours = EmbeddingAttribution(model, **IMAGENET)
    black = ours.baselines(image).contiguous()
    for batch in BATCHES:
        yield "ours", batch, lambda b=batch: ours.attribute(image, n_samples=samples, batch_size=b, progress=False)
        yield "bare loop", batch, lambda b=batch: bare_loop(model, image, black, samples, b)
        options = (model, image, black, samples, batch, torch.channels_last)
        yield "channels_last loop", batch, lambda o=options: bare_loop(*o)
        yield "captum", batch, lambda b=batch: captum_tunnel(model, image, black, samples, b)


def seconds(function):
    """CPU seconds of one thread, which other programs on the machine disturb less than the clock on the wall."""
    start = time.process_time()
    function()
    return time.process_time() - start


def race(name, model, size, target, rounds):
    """Print all medians, and return the rows that compare the best settings."""
    image, samples = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0)), SAMPLES[name]
    runs = {(who, batch): (function, []) for who, batch, function in contestants(model.eval(), image, samples)}
    for function, _ in runs.values():
        function()
    for _ in range(rounds):
        for function, times in runs.values():
            times.append(seconds(function))
    digest = hashlib.sha256(image.numpy().tobytes()).hexdigest()[:12]
    print(f"\n{name}, {size} px, {samples} samples, input {digest}; median of {rounds} interleaved runs")
    median = {key: statistics.median(times) for key, (_, times) in runs.items()}
    for batch in BATCHES:
        ratio = statistics.median(a / b for a, b in zip(runs["ours", batch][1], runs["bare loop", batch][1]))
        print(f"  batch {batch}: ours {median['ours', batch]:.3f} s, bare loop {median['bare loop', batch]:.3f} s, "
              f"the same in channels_last {median['channels_last loop', batch]:.3f} s, "
              f"captum {median['captum', batch]:.3f} s; ours / bare loop {ratio:.2f}")  # fmt: skip
    best = {
        who: min(median[who, batch] for batch in BATCHES)
        for who in ("ours", "bare loop", "channels_last loop", "captum")
    }
    return [
        row(f"{name}: time at the best setting", f"{samples} x {size} x {size}", best["ours"] / best[peer], peer, limit)
        for peer, limit in (("bare loop", target), ("channels_last loop", ""), ("captum", "<= 1"))
    ]


def row(case, size, ratio, peer, target):
    print(f"  {case}, ours / {peer}: {ratio:.3f} ({target})")
    return {"package": "dml-attribution", "case": case, "size": size, "ratio": ratio, "peer": peer, "target": target}


def print_peak(who, n_images, n_samples):
    """Print the largest resident memory in MB while images are explained."""
    process, running = psutil.Process(), True
    highest = 0

    def watch():
        nonlocal highest
        while running:
            highest = max(highest, process.memory_info().rss)
            time.sleep(0.002)

    model = torchvision.models.mobilenet_v2(weights=None).eval()
    attribution = EmbeddingAttribution(model, **IMAGENET)
    images = torch.randn(n_images, 3, 224, 224)
    thread = threading.Thread(target=watch)
    thread.start()
    if who == "ours":
        attribution.attribute(images, n_samples=n_samples, progress=False)
    else:
        bare_loop(model, images, attribution.baselines(images).contiguous(), n_samples, 4, torch.channels_last)
    running = False
    thread.join()
    print(highest / 2**20)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print_peak(options.peak[0], *map(int, options.peak[1:]))
        return
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, captum {captum.__version__}, {torch.get_num_threads()} thread, CPU seconds")
    torch.manual_seed(0)
    rows = [
        *race("MobileNetV2", torchvision.models.mobilenet_v2(weights=None), 224, "<= 1", 5),
        *race("4 layers", small(), 64, "<= 1.1", 50),
    ]
    # By default glibc places later large tensors on its heap, whose holes would count as ours.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": str(2**20)}
    for who, images, samples, target in (
        ("ours", 4, 100, "<= 1.05"),
        ("ours", 1, 200, "<= 1.05"),
        ("bare", 1, 200, ""),
    ):
        command = [sys.executable, __file__, "--peak", who, str(images)]
        few, many = (
            float(subprocess.run([*command, str(n)], check=True, capture_output=True, env=environment).stdout)
            for n in (5, samples)
        )
        print(f"\npeak memory, MobileNetV2, {who}: {few:.0f} MB at 5 samples, {many:.0f} MB at {samples}")
        size = f"{images} x {samples} x 224 x 224"
        rows.append(row(f"MobileNetV2: peak memory, {who}", size, many / few, "the same with 5 samples", target))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
