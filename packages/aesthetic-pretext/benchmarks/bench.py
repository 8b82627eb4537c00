"""Speed of distortions and of the ranking loss: python bench.py [--json FILE].

One thread. Technical distortions race the formulas of ImageNet-C as its users run them: scikit-image for noise, OpenCV
for blurs, Pillow for JPEG and pixelation; input and output are uint8 on both sides. The torch form races the numpy form
over all 81 style variants of eight photographs, made one photograph after the other as ``variants_batch`` and
``variants`` do on a CPU; the ranking loss, forward and backward, races a Python loop over pairs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
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
from PIL import Image
from skimage.data import astronaut
from skimage.util import random_noise

PHOTO = np.asarray(Image.fromarray(astronaut()).resize((224, 224)))


def gaussian_noise(scale):
    noisy = PHOTO / 255.0 + np.random.normal(size=PHOTO.shape, scale=scale)  # noqa: NPY002 (as users run it)
    return (np.clip(noisy, 0, 1) * 255).astype(np.uint8)


def impulse_noise(share):
    return (np.clip(random_noise(PHOTO / 255.0, mode="s&p", amount=share), 0, 1) * 255).astype(np.uint8)


def defocus_blur(disk):
    radius, softness = disk
    reach = np.arange(-max(8, radius), max(8, radius) + 1)
    kernel = (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.float32)
    kernel /= kernel.sum()
    kernel = cv2.GaussianBlur(kernel, (3, 3) if radius <= 8 else (5, 5), sigmaX=softness)
    values = PHOTO / 255.0
    channels = [cv2.filter2D(values[:, :, channel], -1, kernel) for channel in range(3)]
    return (np.clip(np.stack(channels, 2), 0, 1) * 255).astype(np.uint8)


def motion_blur(motion):
    radius, sigma = motion
    angle = np.deg2rad(np.random.uniform(-45, 45))  # noqa: NPY002 (as users run it)
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * sigma**2))
    blurred = np.zeros(PHOTO.shape, np.float32)
    for i, weight in enumerate(weights / weights.sum()):
        shift = np.float32([[1, 0, -round(i * np.cos(angle))], [0, 1, -round(i * np.sin(angle))]])
        blurred += weight * cv2.warpAffine(PHOTO, shift, PHOTO.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.clip(blurred, 0, 255).astype(np.uint8)


def jpeg_compression(quality):
    file = io.BytesIO()
    Image.fromarray(PHOTO).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def pixelate(scale):
    small = Image.fromarray(PHOTO).resize((int(224 * scale), int(224 * scale)), Image.BOX)
    return np.asarray(small.resize((224, 224), Image.BOX))


PEERS = {
    function.__name__: function
    for function in (jpeg_compression, defocus_blur, motion_blur, pixelate, gaussian_noise, impulse_noise)
}


def race(ours, peer, repeats):
    """Return the median seconds of both, one run of each in turn after a warm-up."""
    seconds = [[], []]
    for repeat in range(repeats + 1):
        for function, taken in zip((ours, peer), seconds):
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
    names = ("aesthetic-pretext", "numpy", "pillow", "torch", "opencv-python-headless", "scikit-image")
    print(", ".join(f"{name} {version(name)}" for name in names) + f", Python {platform.python_version()}")
    digest = hashlib.sha256(PHOTO.tobytes()).hexdigest()[:16]
    print(f"1 thread on {os.cpu_count()} cores; sha256 of the photograph: {digest}\n")

    print(f"{'case':22}{'size':>15}  {'ours':>11}  {'peer':>11}  {'ratio':>6}  target (peer / ours)")
    rows = []
    for name, peer in PEERS.items():
        distortion = DISTORTIONS[name]
        parameters = list(distortion.parameters.items())
        seconds = race(
            lambda d=distortion, ps=parameters: [d.distort(PHOTO, level) for level, _ in ps],
            lambda f=peer, ps=parameters: [f(parameter) for _, parameter in ps],
            repeats=15,
        )
        rows.append(row(name, "5 x 224 x 224", "scikit-image, OpenCV or Pillow", *seconds, ">= 1"))
    rows.append(row("style in torch", "8 x 81 variants", "our numpy form", *race(*style_forms(), repeats=5), ">= 1.5"))
    rows.append(row("ranking loss", "8 x 174 scores", "Python loop", *race(*ranking_forms(), repeats=5), ">= 20"))
    whole = race(lambda: variants(PHOTO), lambda: None, repeats=7)[0]
    rows.append(row("all variants", "174 x 224 x 224", "0.6 s, the target", whole, 0.6, ">= 1"))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
