"""What background replacement costs beside the loading of an image: ``nox -s bench -- bgaugment``.

Each round runs every candidate once in turn, so that a busy machine slows all of them; medians over the rounds.
"""

from __future__ import annotations

import hashlib
import io
import platform
import statistics
import tempfile
import time
from collections.abc import Callable

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

SIDE, BATCH, ROUNDS = 224, 64, 15


def matte(height: int, width: int) -> np.ndarray:
    """Return an ellipse with a soft edge, 8 bits."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.rint(255 * np.clip((0.7 - np.hypot(x, y)) * 40 + 0.5, 0, 1)).astype(np.uint8)


def jpeg(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def stored(mask: np.ndarray) -> bytes:
    """Return the mask as a MaskStore keeps it."""
    with tempfile.TemporaryDirectory() as folder:
        store = MaskStore(folder)
        store.save(mask, mask / 255)
        return store.path(store.key(mask)).read_bytes()


def timed(candidates: dict[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """Return the median microseconds per image of each candidate; the number counts images per call."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for round_ in range(ROUNDS + 2):
        for name, (run, images) in candidates.items():
            calls = max(1, 32 // images)
            start = time.perf_counter()
            for _ in range(calls):
                run()
            if round_ > 1:
                times[name].append((time.perf_counter() - start) / calls / images * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    photos = [np.ascontiguousarray(photo) for photo in (data.astronaut(), data.coffee(), data.chelsea())]
    files = [(jpeg(photo), stored(matte(*photo.shape[:2]))) for photo in photos]
    image = np.asarray(Image.fromarray(photos[0]).resize((SIDE, SIDE)))
    mask, background = (
        matte(SIDE, SIDE),
        np.ascontiguousarray(ProceduralPool(kinds=["texture"]).render(1, (SIDE, SIDE))),
    )
    weight = mask.astype(np.float32)[..., None] / 255
    tensors = [
        torch.tensor(image).movedim(-1, 0).contiguous(),
        torch.tensor(mask),
        torch.tensor(background).movedim(-1, 0).contiguous(),
    ]
    batch = [tensor.expand(BATCH, *tensor.shape).clone() for tensor in tensors]
    alone = v2.Compose([v2.RandomResizedCrop(SIDE), v2.RandomHorizontalFlip()])
    replace = AlbumentationsReplacement(ListPool([background]))
    joint = v2.Compose([*alone.transforms, BackgroundReplacement(ListPool([background]))])

    def load() -> None:
        for photo, _ in files:
            np.asarray(alone(Image.open(io.BytesIO(photo)).convert("RGB")))

    def load_and_replace() -> None:
        for photo, png in files:
            its = tv_tensors.Mask(np.asarray(Image.open(io.BytesIO(png))).copy())
            np.asarray(joint(Image.open(io.BytesIO(photo)).convert("RGB"), its)[0])

    def load_and_replace_arrays() -> None:
        for photo, png in files:
            whole, its = Image.open(io.BytesIO(photo)).convert("RGB"), Image.open(io.BytesIO(png))
            box = transforms.RandomResizedCrop.get_params(whole, [0.08, 1.0], [3 / 4, 4 / 3])
            # Nearest for the mask, as in torchvision v2.
            resized = zip((whole, its), (InterpolationMode.BILINEAR, InterpolationMode.NEAREST))
            parts = [functional.resized_crop(part, *box, [SIDE, SIDE], mode) for part, mode in resized]
            if torch.rand(()) < 0.5:
                parts = [functional.hflip(part) for part in parts]
            replace(image=np.asarray(parts[0]), mask=np.asarray(parts[1]))

    def lerp_tensor() -> torch.Tensor:
        pixels, its, others = tensors
        return torch.lerp(others.float(), pixels.float(), its / 255).round_().to(torch.uint8)

    found = timed(
        {
            "decode + crop + flip": (load, 3),
            "the same with mask decode, joint crop, replacement": (load_and_replace, 3),
            "the same without v2's structures": (load_and_replace_arrays, 3),
            "replace_background, array": (lambda: replace_background(image, mask, background), 1),
            "replace_background, tensor": (lambda: replace_background(*tensors), 1),
            "plain lerp, array": (lambda: np.rint(weight * image + (1 - weight) * background).astype(np.uint8), 1),
            "plain lerp, tensor": (lerp_tensor, 1),
            f"replace_background, {BATCH} tensors in a batch": (lambda: replace_background(*batch), BATCH),
            f"replace_background, {BATCH} tensors one by one": (
                lambda: torch.stack([replace_background(*one) for one in zip(*batch)]),
                BATCH,
            ),
        }
    )
    np.testing.assert_array_equal(lerp_tensor(), replace_background(*tensors))
    digest = hashlib.sha256(b"".join(part for file in files for part in file)).hexdigest()[:12]
    soft = ((mask > 0) & (mask < 255)).mean()
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}, numpy"
    )
    print(f"{np.__version__}, Pillow {PIL.__version__}, 1 thread, {SIDE} px, {soft:.1%} soft pixels, input {digest}\n")
    whole = found["decode + crop + flip"]
    for name, value in found.items():
        print(f"{name:52s} {value:8.0f} us {value / whole:7.1%}")
    through_v2 = found["the same with mask decode, joint crop, replacement"] / whole - 1
    arrays = found["the same without v2's structures"] / whole - 1
    lone, together = (found[f"replace_background, {BATCH} tensors {how}"] for how in ("one by one", "in a batch"))
    print(f"\nreplacement / loading, array            {found['replace_background, array'] / whole:7.1%}  (at most 5 %)")
    print(f"with mask decode and joint crop         {arrays:+7.1%}  (at most 40 %)")
    print(f"the same through torchvision v2         {through_v2:+7.1%}")
    print(f"one by one / batch                      {lone / together:6.2f}x  (at least 1.1)")


if __name__ == "__main__":
    main()
