"""Speed of distortions and of the ranking loss: python bench.py [--json FILE].

One thread. Technical distortions race imagecorruptions (its maintained fork, imagecorruptions-imaug), which makes those
of ImageNet-C; input and output are uint8 arrays on both sides. The torch form races the numpy form over all 81 style
variants of eight photographs, made one photograph after the other as ``variants_batch`` and ``variants`` do on a CPU;
the ranking loss, forward and backward, races a Python loop over pairs.
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

import cv2
import numpy as np
import torch
from aesthetic_pretext import DISTORTIONS, VARIANTS, _batch_style, functional, variants
from aesthetic_pretext._batch_style import PhotoBatch
from aesthetic_pretext._photo import Photo
from imagecorruptions import corrupt
from PIL import Image
from skimage.data import astronaut

PHOTO = np.asarray(Image.fromarray(astronaut()).resize((224, 224)))
TECHNICAL = [d for d in DISTORTIONS.values() if d.family == "technical"]


def race(ours, peer, repeats):
    """Return the median seconds of both, one run of each in turn after a warm-up; they take turns at being first."""
    seconds = [[], []]
    runs = list(zip((ours, peer), seconds))
    for repeat in range(repeats + 1):
        runs.reverse()
        for function, taken in runs:
            start = time.perf_counter()
            function()
            if repeat:
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def style_forms():
    rng = np.random.default_rng(0)
    photos = [np.roll(PHOTO, tuple(rng.integers(0, 224, 2)), (0, 1)) for _ in range(8)]
    batch = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).contiguous()
    style = [d for d in DISTORTIONS.values() if d.family == "style"]

    def in_torch():
        for row in range(8):
            prepared = PhotoBatch(batch[row : row + 1])
            for distortion in style:
                function = getattr(_batch_style, distortion.name)
                for parameter in distortion.parameters.values():
                    function(prepared, parameter)

    def in_numpy():
        for photo in photos:
            prepared = Photo(photo)
            for distortion in style:
                for level in distortion.levels:
                    distortion.of_photo(prepared, level, 0)

    return in_torch, in_numpy


def ranking_forms():
    targets = functional.targets_of(VARIANTS, num_images=8)
    levels, groups, reference = (tensor.tolist() for tensor in targets)
    pairs = [(reference[j], j) for j, level in enumerate(levels) if level]
    ladders = {}
    for row, (level, group) in enumerate(zip(levels, groups)):
        if level:
            ladders.setdefault((group, level > 0), []).append((abs(level), row))
    for ladder in ladders.values():
        pairs += [(i, j) for less, i in ladder for more, j in ladder if less < more]
    scores = torch.rand(len(levels), generator=torch.Generator().manual_seed(0), requires_grad=True)

    def ours():
        functional.ranking_loss(scores, targets.levels, targets.groups, reference=targets.reference).backward()

    def loop():
        sum(torch.relu(0.2 - (scores[i] - scores[j])) for i, j in pairs).backward()

    return ours, loop


def row(case, size, name, ours, peer, target):
    ratio = peer / ours
    print(f"{case:22}{size:>15}  {1000 * ours:>8.2f} ms  {1000 * peer:>8.2f} ms  {ratio:>6.2f}  {target}", flush=True)
    return {"package": "aesthetic-pretext", "case": case, "size": size, "peer": name, "ratio": ratio, "target": target}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    names = ("aesthetic-pretext", "numpy", "pillow", "torch", "imagecorruptions-imaug")
    print(", ".join(f"{name} {version(name)}" for name in names) + f", Python {platform.python_version()}")
    digest = hashlib.sha256(PHOTO.tobytes()).hexdigest()[:16]
    print(f"1 thread on {os.cpu_count()} cores; sha256 of the photograph: {digest}\n")

    print(f"{'case':22}{'size':>15}  {'ours':>11}  {'peer':>11}  {'ratio':>6}  target (peer / ours)")
    rows = []
    for distortion in TECHNICAL:
        seconds = race(
            lambda d=distortion: [d.distort(PHOTO, level) for level in d.levels],
            lambda d=distortion: [corrupt(PHOTO, corruption_name=d.name, severity=level) for level in d.levels],
            repeats=15,
        )
        rows.append(row(distortion.name, "5 x 224 x 224", "imagecorruptions", *seconds, ">= 1"))
    rows.append(row("style in torch", "8 x 81 variants", "our numpy form", *race(*style_forms(), repeats=5), ">= 1.5"))
    rows.append(row("ranking loss", "8 x 174 scores", "Python loop", *race(*ranking_forms(), repeats=5), ">= 20"))
    whole = race(lambda: variants(PHOTO), lambda: None, repeats=7)[0]
    rows.append(row("all variants", "174 x 224 x 224", "0.6 s, the target", whole, 0.6, ">= 1"))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
