"""What background replacement costs beside the loading of an image: python bench.py [--json FILE].

Each round runs every candidate once in turn, so that a busy machine slows all of them; medians over the rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch
import torchvision
from bgaugment import AlbumentationsReplacement, BackgroundReplacement, ListPool, MaskStore, ProceduralPool
from bgaugment.functional import replace_background
from PIL import Image
from skimage import data
from torchvision import transforms, tv_tensors
from torchvision.transforms import InterpolationMode, functional, v2

SIDE, BATCHES, ROUNDS, CALLS = 224, (1, 2, 8, 64, 256), 15, 32
OVERLAY = "albumentations==2.0.8"


def matte(height: int, width: int) -> np.ndarray:
    """Return an ellipse with a soft edge, 8 bits."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.rint(255 * np.clip((0.7 - np.hypot(x, y)) * 40 + 0.5, 0, 1)).astype(np.uint8)


def optional(name: str) -> Any:
    """Return the module, or None and a line that says so where it is not installed."""
    if importlib.util.find_spec(name):
        return importlib.import_module(name)
    print(f"{name}: not installed")
    return None


def peers(image: np.ndarray, mask: np.ndarray, background: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return what people composite with today, each on the images in the form that it takes."""
    pixels, its, others = (torch.tensor(array if array.ndim == 3 else array[..., None]).movedim(-1, 0).contiguous()
                           for array in (image, mask, background))  # fmt: skip
    pictures = [Image.fromarray(array) for array in (image, background, mask)]

    def lerp_tensor() -> torch.Tensor:
        return torch.lerp(others.float(), pixels.float(), its / 255).round_().to(torch.uint8)

    def through_torchvision() -> torch.Tensor:
        i, m, b = (v2.functional.to_dtype(tensor, torch.float32, scale=True) for tensor in (pixels, its, others))
        return v2.functional.to_dtype(m * i + (1 - m) * b, torch.uint8, scale=True)

    weight = mask.astype(np.float32)[..., None] / 255
    found: dict[str, Callable[[], object]] = {
        "numpy lerp": lambda: np.rint(weight * image + (1 - weight) * background).astype(np.uint8),
        "torch.lerp": lerp_tensor,
        "torchvision to_dtype and lerp": through_torchvision,
        "PIL.Image.composite": lambda: np.asarray(Image.composite(*pictures)),
    }
    if kornia := optional("kornia"):

        def through_kornia() -> torch.Tensor:
            i, m, b = (tensor[None] / 255 for tensor in (pixels, its.expand_as(pixels), others))
            return (kornia.enhance.add_weighted(i, m, b, 1 - m, 0.0) * 255).round().to(torch.uint8)

        found[f"kornia {kornia.__version__} add_weighted"] = through_kornia
    return found


@contextmanager
def isolated_overlay(**arrays: np.ndarray) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the name of albumentations' overlay and what makes it run 32 times, in an environment that goes again.

    The package is not maintained any more and its successor is AGPL, so no group here has it.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "arrays.npz", **arrays)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", OVERLAY], check=True)
        command = [python, Path(__file__).with_name("albumentations_overlay.py"), folder / "arrays.npz"]
        environment = os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1"}  # else it asks the network for news
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
        with subprocess.Popen(command, **pipes) as child:

            def run() -> str:
                print(CALLS, file=child.stdin, flush=True)
                return str(child.stdout.readline())

            yield f"albumentations {child.stdout.readline().strip()} overlay, hard mask", run
            child.stdin.close()


def timed(candidates: dict[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """Return the median microseconds per image of each candidate; the number counts images per call."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for round_ in range(ROUNDS + 2):
        # Who ran just before decides what caches and freed memory one finds: a new order each round, several calls.
        for name, (run, images) in random.Random(round_).sample([*candidates.items()], len(candidates)):
            calls = max(4, CALLS // images)
            start = time.perf_counter()
            for _ in range(calls):
                run()
            if round_ > 1:
                times[name].append((time.perf_counter() - start) / calls / images * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    photos = [np.ascontiguousarray(photo) for photo in (data.astronaut(), data.coffee(), data.chelsea())]
    folder = Path(tempfile.mkdtemp())
    store, files = MaskStore(folder / "masks"), [folder / f"{i}.jpg" for i in range(len(photos))]
    for file, photo in zip(files, photos):
        Image.fromarray(photo).save(file, quality=90)
        store.save(file, matte(*photo.shape[:2]) / np.float32(255))
    masks = store.masks(files)
    image = np.asarray(Image.fromarray(photos[0]).resize((SIDE, SIDE)))
    mask, background = (
        matte(SIDE, SIDE),
        np.ascontiguousarray(ProceduralPool(kinds=["texture"]).render(1, (SIDE, SIDE))),
    )
    tensors = [
        torch.tensor(image).movedim(-1, 0).contiguous(),
        torch.tensor(mask),
        torch.tensor(background).movedim(-1, 0).contiguous(),
    ]
    batch = [tensor.expand(max(BATCHES), *tensor.shape).clone() for tensor in tensors]
    pool, crop_and_flip = ListPool([background]), [v2.RandomResizedCrop(SIDE), v2.RandomHorizontalFlip()]
    replace = AlbumentationsReplacement(pool)
    chains = {"PIL images": crop_and_flip, "tensors": [v2.ToImage(), *crop_and_flip]}
    replacements = {
        "PIL images": BackgroundReplacement(pool),
        "tensors": BackgroundReplacement(pool.tensor((SIDE, SIDE))),
    }

    def opened(file: Path) -> Image.Image:
        return Image.open(file).convert("RGB")

    def load(pipeline: v2.Compose) -> None:
        for file in files:
            np.asarray(pipeline(opened(file)))

    def load_with_mask(pipeline: v2.Compose) -> None:
        for file, its in zip(files, masks):
            np.asarray(pipeline(opened(file), tv_tensors.Mask(its))[0])

    def through_v2(kind: str) -> dict[str, tuple[Callable[[], object], int]]:
        chain = chains[kind]
        return {
            f"decode + crop + flip of {kind}": (partial(load, v2.Compose(chain)), 3),
            f"{kind}: with mask decode and joint crop alone": (partial(load_with_mask, v2.Compose(chain)), 3),
            f"{kind}: with mask decode, joint crop, replacement": (
                partial(load_with_mask, v2.Compose([*chain, replacements[kind]])),
                3,
            ),
        }

    def load_and_replace_arrays() -> None:
        for file, its in zip(files, masks):
            whole = opened(file), Image.fromarray(its)
            box = transforms.RandomResizedCrop.get_params(whole[0], [0.08, 1.0], [3 / 4, 4 / 3])
            # Nearest for the mask, as in torchvision v2.
            resized = zip(whole, (InterpolationMode.BILINEAR, InterpolationMode.NEAREST))
            parts = [functional.resized_crop(part, *box, [SIDE, SIDE], mode) for part, mode in resized]
            if torch.rand(()) < 0.5:
                parts = [functional.hflip(part) for part in parts]
            replace(image=np.asarray(parts[0]), mask=np.asarray(parts[1]))

    def at_once(n: int) -> None:
        replace_background(*(tensor[:n] for tensor in batch))

    def one_by_one(n: int) -> None:
        torch.stack([replace_background(*one) for one in zip(*(tensor[:n] for tensor in batch))])

    def in_batches(n: int) -> dict[str, Callable[[int], None]]:
        return {f"batch of {n}": at_once, f"{n} one by one": one_by_one}

    v2_runs = {kind: through_v2(kind) for kind in chains}
    others = peers(image, mask, background)
    with isolated_overlay(image=image, mask=mask, background=background) as (overlay, run_overlay):
        found = timed(
            {
                **{name: run for runs in v2_runs.values() for name, run in runs.items()},
                "the same on arrays": (load_and_replace_arrays, 3),
                "replace_background, array": (lambda: replace_background(image, mask, background), 1),
                "replace_background, tensor": (lambda: replace_background(*tensors), 1),
                **{name: (run, 1) for name, run in others.items()},
                overlay: (run_overlay, CALLS),
            }
        )
    # By themselves: what large batches leave of caches and memory is not what a pipeline finds.
    found |= timed({name: (partial(run, n), n) for n in BATCHES for name, run in in_batches(n).items()})
    for name in ("numpy lerp", "torch.lerp"):
        expected = np.asarray(others[name]())
        ours = replace_background(image, mask, background) if name == "numpy lerp" else replace_background(*tensors)
        np.testing.assert_array_equal(ours, expected)
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    shutil.rmtree(folder)
    soft = ((mask > 0) & (mask < 255)).mean()
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}, numpy"
    )
    print(f"{np.__version__}, Pillow {PIL.__version__}, 1 thread, {SIDE} px, {soft:.1%} soft pixels, input {digest}\n")
    whole = found["decode + crop + flip of PIL images"]
    for name, value in found.items():
        print(f"{name:52s} {value:8.0f} us {value / whole:7.1%}")
    arrays = found["the same on arrays"] / whole - 1
    rows: list[dict[str, object]] = []

    def report(case: str, ratio: float, peer: str, target: str = "") -> None:
        rows.append({"package": "bgaugment", "case": case, "size": f"{SIDE} x {SIDE}", "peer": peer})
        rows[-1] |= {"ratio": ratio, "target": target}
        print(f"{case:44s}{ratio:7.3f}  {target:8s} {peer}")

    print()
    for kind in ("array", "tensor"):
        ours = found[f"replace_background, {kind}"]
        report(f"replacement, {kind}: time", ours / whole, "decode, crop and flip", "<= 0.05")
        for name in (*others, overlay):
            report(f"replacement, {kind}: time", ours / found[name], name)
    report("with mask decode and joint crop: added time", arrays, "decode, crop and flip", "<= 0.4")
    for kind, runs in v2_runs.items():
        peer, crop, joint = (found[name] for name in runs)
        report(f"the same through v2, {kind}: added time", joint / peer - 1, "decode, crop and flip", "<= 0.4")
        report("... of which torchvision's joint crop", crop / peer - 1, "decode, crop and flip")
    for n in BATCHES:
        speed = found[f"{n} one by one"] / found[f"batch of {n}"]
        report(f"batch of {n}: speed", speed, "the same one by one", f">= {1.1 if n == 64 else 1}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
