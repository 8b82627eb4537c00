"""Time of learning and projecting: python bench.py [--json FILE] [--rows N].

"Adam" is the plain full-batch Adam of the thesis, Eqs. 13.1 to 13.4 written out in torch: normal start of standard
deviation 0.1, learning rate 0.01, patience 100. Prompts are a fixed random matrix with the spectrum of sentence
embeddings: a shared direction, and singular values that fall as a power. Adam's whole run is made once; after that our
runs alternate with 40 of its iterations, whose time is multiplied up to the whole run. "product" is the bare matrix
product and the normalisation of its rows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from indirect import InDiReCT
from torch.nn import functional as F


def prompts():
    generator = np.random.default_rng(0)
    rotation = np.linalg.qr(generator.normal(size=(512, 512)))[0]
    rows = generator.normal(size=(569, 512)) * np.arange(1, 513) ** -0.7 @ rotation + 0.1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def loss_of(texts, components):
    projected = F.normalize(texts @ components.T, dim=1)
    reconstructed = F.normalize(projected @ components, dim=1)
    return torch.arccos((texts * reconstructed).sum(1).clamp(-1 + 1e-7, 1 - 1e-7)).mean()


def plain_adam(texts, max_iter=100_000):
    components = torch.nn.Parameter(0.1 * torch.randn(128, 512, generator=torch.Generator().manual_seed(0)))
    optimizer = torch.optim.Adam([components], lr=0.01)
    best, waited, iterations = float("inf"), 0, 0
    while waited < 100 and iterations < max_iter:
        loss = loss_of(texts, components)
        iterations += 1
        if loss.item() < best:
            best, waited = loss.item(), 0
        else:
            waited += 1
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return best, iterations


def seconds(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def learning(repeats=5):
    texts = prompts()
    tensor = torch.tensor(texts)
    InDiReCT(random_state=0, max_iter=3).fit(texts)
    whole, (lowest, iterations) = seconds(lambda: plain_adam(tensor))
    ours, adam = [], []
    for _ in range(repeats):
        duration, notion = seconds(lambda: InDiReCT(random_state=0).fit(texts))
        ours.append(duration)
        adam.append(seconds(lambda: plain_adam(tensor, max_iter=40))[0] / 40 * iterations)
    vectors = torch.linalg.svd(tensor, full_matrices=False).Vh[:128]
    reached = loss_of(tensor, torch.tensor(notion.components_)).item()
    print(f"loss: ours {reached:.6f} ({notion.n_iter_} iterations), Adam {lowest:.6f} ({iterations} iterations,")
    print(f"{whole:.1f} s in one piece), singular vectors {loss_of(tensor, vectors).item():.6f}\n")
    if reached > min(lowest, loss_of(tensor, vectors).item()):
        raise SystemExit("our loss is above Adam's or that of the singular vectors")
    return statistics.median(ours), statistics.median(adam), notion


def projecting(notion, n, repeats=5):
    images = torch.randn(n, 512, generator=torch.Generator().manual_seed(0))
    components = torch.tensor(notion.components_)
    ours, bare = [], []
    for _ in range(repeats):
        bare.append(seconds(lambda: F.normalize(images @ components.T))[0])
        ours.append(seconds(lambda: notion.transform(images))[0])
    return statistics.median(ours), statistics.median(bare)


def row(case, size, target, ours, peer, ratio, peer_name):
    print(f"{case:38}{size:>16}  {ours:>7.3f} s  {peer:>7.3f} s  {ratio:>6.2f}  {target}", flush=True)
    return {"package": "indirect", "case": case, "size": size, "peer": peer_name, "ratio": ratio, "target": target}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--rows", type=int, default=1_000_000, help="images to project")
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("indirect", "numpy", "torch"))
    digest = hashlib.sha256(prompts().tobytes()).hexdigest()[:16]
    print(f"{versions}, Python {platform.python_version()}")
    print(f"{torch.get_num_threads()} threads on {os.cpu_count()} cores; sha256 of the 569 prompts: {digest}\n")
    ours, adam, notion = learning()
    print(f"{'case':38}{'size':>16}  {'ours':>9}  {'peer':>9}  {'ratio':>6}  target")
    size, name = "569 x 512 -> 128", "plain full-batch Adam in torch"
    rows = [
        row("learning a notion: Adam / ours", size, ">= 30", ours, adam, adam / ours, name),
        row("learning a notion: ours / 0.5 s", size, "<= 1", ours, 0.5, ours / 0.5, "0.5 seconds"),
    ]
    ours, bare = projecting(notion, options.rows)
    size = f"{options.rows} x 512"
    name = "matrix product and normalisation in torch"
    rows.append(row("projecting images: ours / product", size, "<= 1.2", ours, bare, ours / bare, name))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
