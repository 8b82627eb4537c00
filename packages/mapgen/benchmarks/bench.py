"""Images per second: python bench.py [--json FILE].

One land and one road with casing, 224 pixels, 180 angles, image and label mask, one thread. The peer is raw Pillow: two
polygons on an RGB image and two on a mask, to numpy, without exact borders; for smooth borders the same drawn four
times as large and reduced. Sweeps race the mere writing of the same bytes to as many files. Runs alternate; the median
of seven counts, of five for sweeps.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from mapgen import Road, Scene, Style, angle_sweep, render_with_labels, write_sweep
from PIL import Image, ImageDraw

SCENES = [Scene(land="park", features=[Road("trunk", angle=float(angle))]) for angle in range(180)]
STYLE = Style.osm_carto()
FILLS = {name: tuple(STYLE.palette[STYLE.index[name]].tolist()) for name in ("park", "trunk", "trunk casing")}


def corners(angle, width, size):
    x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    reach, half = size, width / 2
    return [
        (size / 2 + side * half * x - along * reach * y, size / 2 + side * half * y + along * reach * x)
        for side, along in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


def pillow(scale):
    for scene in SCENES:
        size, angle = 224 * scale, scene.roads[0].angle
        image, mask = Image.new("RGB", (size, size), FILLS["park"]), Image.new("L", (224, 224), 0)
        for label, (name, width) in enumerate((("trunk casing", 21), ("trunk", 19)), 1):
            ImageDraw.Draw(image).polygon(corners(angle, width * scale, size), fill=FILLS[name])
            ImageDraw.Draw(mask).polygon(corners(angle, width, 224), fill=label)
        np.asarray(image if scale == 1 else image.reduce(scale))
        np.asarray(mask)


def ours(antialias):
    for scene in SCENES:
        render_with_labels(scene, antialias=antialias)


def rate(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return len(SCENES) / (time.perf_counter() - start)


def drawing(antialias, scale, repeats=7):
    runs = [(rate(ours, antialias), rate(pillow, scale)) for _ in range(repeats)]
    return tuple(statistics.median(column) for column in zip(*runs))


def slowest(antialias, repeats=7):
    """Rate of the slowest angle, each angle at its best of some runs."""
    seconds = [float("inf")] * len(SCENES)
    for _ in range(repeats):
        for number, scene in enumerate(SCENES):
            start = time.perf_counter()
            render_with_labels(scene, antialias=antialias)
            seconds[number] = min(seconds[number], time.perf_counter() - start)
    return 1 / max(seconds)


def writing(workers, repeats=5):
    design, runs = angle_sweep(angles=np.arange(0, 180, 0.02).tolist()), []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            write_sweep(design, Path(folder) / "sweep", workers=workers, progress=False)
            seconds = time.perf_counter() - start
            files = [path.read_bytes() for path in (Path(folder) / "sweep").rglob("*.png")]
            (Path(folder) / "plain").mkdir()
            start = time.perf_counter()
            for number, data in enumerate(files):
                (Path(folder) / "plain" / f"{number}.png").write_bytes(data)
            runs.append((len(design) / seconds, len(design) / (time.perf_counter() - start)))
    return tuple(statistics.median(column) for column in zip(*runs))


def row(case, name, found, peer, target=""):
    print(f"{case:38}{found:>9.0f} /s  {peer:>9.0f} /s  {found / peer:>5.2f}  {target:4}  {name}", flush=True)
    size = "224 x 224"
    return {"package": "mapgen", "case": case, "size": size, "peer": name, "ratio": found / peer, "target": target}


def drawing_rows(case, rate_wanted, name, found, peer):
    return [
        row(case, name, found, peer),
        row(case, f"{rate_wanted} /s, the target", found, rate_wanted, ">= 1"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("mapgen", "numpy", "pillow"))
    digest = hashlib.sha256(b"".join(render_with_labels(scene)[0].tobytes() for scene in SCENES)).hexdigest()[:16]
    print(f"{versions}, Python {platform.python_version()}; one thread, {os.cpu_count()} cores")
    print(f"{len(SCENES)} scenes; sha256 of their images: {digest}\n")
    print(f"{'case':38}{'ours':>12}  {'peer':>12}  {'ratio':>5}  goal  peer")
    rows = [
        *drawing_rows("images and labels: rate", 4000, "Pillow polygons", *drawing(False, 1)),
        *drawing_rows("the same, antialiased: rate", 1500, "Pillow, 4 x 4 samples", *drawing(True, 4)),
        row("the slowest angle: rate", "4000 /s, the target", slowest(False), 4000, ">= 1"),
        row("the same, antialiased: rate", "1500 /s, the target", slowest(True), 1500, ">= 1"),
        row("write_sweep, all cores: rate", "writing files of the same bytes", *writing(os.cpu_count() or 1)),
    ]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
