"""What cargen adds to the programs it calls: python bench.py [--json FILE].

"render": the time of a picture divided by the time inside Blender's own render operator, with images per second. It
needs Blender, which the dependency group ``bench`` installs on Python 3.11; without it these cases are not run.
"generate": the time to write a data set whose pictures are there already, divided by that of Pillow writing the same
images and masks. Runs alternate, the median of five counts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from cargen import Renderer, Rendering, generate, sample
from PIL import Image

CASES = [("preview", 128), ("preview", 224), ("photo", 128), ("photo", 224)]
MODELS = ["sedan", "hatchback", "suv", "coupe", "van", "pickup"]  # which are there on every machine
CARS = sample(5, seed=0, values={"model": MODELS})
FILES = 100
GRADIENT = np.add.outer(np.arange(128), np.arange(128)).astype(np.uint8)
PICTURE = Rendering(np.repeat(GRADIENT[..., None], 3, axis=-1), GRADIENT, np.ones((128, 128), dtype=np.float32))


def installed(name):
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"


def draw(renderer, car):
    """Return the seconds in all and inside Blender's render operator."""
    bpy, inside = renderer._bpy, []

    def timed(**options):
        start = time.perf_counter()
        bpy.ops.render.render(**options)
        inside.append(time.perf_counter() - start)

    renderer._bpy = SimpleNamespace(ops=SimpleNamespace(render=SimpleNamespace(render=timed)))
    start = time.perf_counter()
    renderer(car)
    seconds = time.perf_counter() - start
    renderer._bpy = bpy
    return seconds, sum(inside)


def rendering(quality, size_px):
    renderer = Renderer(quality=quality, size_px=size_px)
    draw(renderer, CARS[0])  # the first image of a scene takes longer
    runs = [draw(renderer, car) for car in CARS]
    rate = 1 / statistics.median(total for total, _ in runs)
    ratio = statistics.median(total / inside for total, inside in runs)
    return row(f"render, {quality}", f"{size_px} px, {rate:.2f} images/s", ratio, "<= 1.1", "Blender's render operator")


def writing():
    ratios = []
    for _ in CARS:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            generate(Path(folder) / "cars", n=FILES, progress=False, make_renderer=lambda: lambda _: PICTURE)
            ours = time.perf_counter() - start
            start = time.perf_counter()
            for number in range(FILES):
                Image.fromarray(PICTURE.image).save(Path(folder) / f"image{number}.png", compress_level=3)
                Image.fromarray(PICTURE.mask).save(Path(folder) / f"mask{number}.png", compress_level=3)
            ratios.append(ours / (time.perf_counter() - start))
    return row("generate, pictures ready", f"{FILES} pictures, 128 px", statistics.median(ratios), "", "Pillow's files")


def row(case, size, ratio, target, peer):
    print(f"{case:26}{size:26}{ratio:>7.3f}  {target:8}{peer}", flush=True)
    return {"package": "cargen", "case": case, "size": size, "ratio": ratio, "target": target, "peer": peer}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    options = parser.parse_args()
    versions = ", ".join(installed(name) for name in ("cargen", "bpy", "numpy", "pillow"))
    digest = hashlib.sha256(repr(CARS).encode()).hexdigest()[:16]
    print(f"{versions}, Python {platform.python_version()}; {os.cpu_count()} threads")
    print(f"{len(CARS)} cars; sha256 of their properties: {digest}\n")
    rows = [writing()]
    if installed("bpy").startswith("no"):
        print("render: not run, Blender is missing")
    else:
        rows += [rendering(*case) for case in CASES]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
