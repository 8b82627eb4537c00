"""The style distortions by darktable itself, where its program ``darktable-cli`` is installed."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ._core import value_error
from ._photo import BLUR_SHARE, Photo, Pixels
from ._registry import DISTORTIONS
from ._style import white_balance

PROGRAM = "darktable-cli"
STYLES = tuple(name for name, distortion in DISTORTIONS.items() if distortion.family == "style")
JPEG_ORDER = 3  # of the modules: darktable's own for 8-bit files
SECONDS_PER_IMAGE = 60
COLISA = ("contrast", "brightness", "saturation")  # the sliders of a module, in their order
XMP = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/" darktable:xmp_version="5"
 darktable:raw_params="0" darktable:auto_presets_applied="1" darktable:history_end="1"
 darktable:iop_order_version="{order}"><darktable:history><rdf:Seq><rdf:li darktable:num="0" darktable:enabled="1"
 darktable:operation="{module}" darktable:modversion="{version}" darktable:params="{parameters}"
 darktable:multi_name="" darktable:multi_priority="0"/></rdf:Seq></darktable:history></rdf:Description></rdf:RDF>
</x:xmpmeta>
"""


def distort(image: Pixels, distortion: str, level: int) -> Pixels:
    """Distort an image by darktable's own module, at the slider position of Table 16.1.

    Level 0 is the module at its defaults, which for ``shadows``, ``highlights`` and ``vibrance`` changes the image
    already; it is what the other levels are compared with. For many images, `develop` starts the program once.

    Args:
        image: ``(h, w, 3)`` RGB or ``(h, w)`` or ``(h, w, 1)`` grey, uint8.
        distortion: one of ``STYLES``.
        level: one of its levels, or 0.

    Returns:
        A new uint8 array of the same shape.

    Raises:
        FileNotFoundError: ``darktable-cli`` is not installed.
        OSError: darktable failed; the message says at which image, and what it wrote.
        ValueError: name, level, dtype or shape do not fit.

    Reference:
        Section 16.2.1 and Table 16.1.
    """
    return develop([image], [(distortion, level)])[0][0]


def develop(images: Sequence[Pixels], steps: Sequence[tuple[str, int]]) -> list[list[Pixels]]:
    """Make the same distortions of several images, in one run of darktable.

    Args:
        images: each as in `distort`.
        steps: distortions and levels.

    Returns:
        For each image one result per step.

    Raises:
        FileNotFoundError: ``darktable-cli`` is not installed.
        OSError: darktable failed; the message says at which image, and what it wrote.
        ValueError: a name, level, dtype or shape does not fit.
    """
    photos = [Photo(image) for image in images]
    for name, level in steps:
        if name not in STYLES:
            raise value_error("distortion", f"one of {', '.join(STYLES)}", repr(name))
        if level and level not in DISTORTIONS[name].parameters:
            raise value_error("level", f"one of {(0, *DISTORTIONS[name].levels)} for {name}", level)
    program = shutil.which(PROGRAM)
    if program is None:
        raise FileNotFoundError(f"{PROGRAM} is not installed: apt-get install darktable, or see darktable.org")
    if not photos or not steps:
        return [[] for _ in photos]
    with tempfile.TemporaryDirectory(prefix="aesthetic-pretext-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "out").mkdir()
        for row, photo in enumerate(photos):
            for style, level in steps:
                file = folder / "in" / f"{_stem(row, style, level)}.png"
                photo.pil.convert("RGB").save(file, compress_level=1)
                file.with_suffix(".png.xmp").write_text(_sidecar(photo, style, level), encoding="utf-8")
        written = _run(program, folder, len(photos) * len(steps))
        return [
            [_result(folder, photo, _stem(row, *step), written) for step in steps] for row, photo in enumerate(photos)
        ]


def _stem(row: int, style: str, level: int) -> str:
    return f"image_{row}_{style}_{level:+d}"


def _run(program: str, folder: Path, count: int) -> str:
    """Develop all files of a folder, each by the sidecar beside it; return what the program wrote."""
    # A configuration of its own: neither the user's presets nor their library take part.
    options = ["--configdir", str(folder / "config"), "--cachedir", str(folder / "cache"), "--library", ":memory:",
               "--disable-opencl", "--conf", "plugins/imageio/format/png/bpp=8"]  # fmt: skip
    command = [program, str(folder / "in"), str(folder / "out"), "--out-ext", "png", "--apply-custom-presets", "0",
               "--core", *options]  # fmt: skip
    try:
        run = subprocess.run(  # noqa: S603 (no shell, and every argument is ours)
            command, capture_output=True, text=True, errors="replace", check=False, timeout=SECONDS_PER_IMAGE * count
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{PROGRAM} took more than {error.timeout:.0f} s for {count} images") from error
    written = f"{run.stdout}\n{run.stderr}"
    # A module that it does not know in this version is left out, with nothing but a line on standard output.
    refused = [line for line in written.splitlines() if "version mismatch" in line]
    if run.returncode or refused:
        raise OSError(f"{PROGRAM} failed with exit code {run.returncode}: {(refused or [written.strip()])[-1]}")
    return written


def _result(folder: Path, photo: Photo, stem: str, written: str) -> Pixels:
    file = folder / "out" / f"{stem}.png"
    if not file.is_file():
        raise OSError(f"{PROGRAM} made nothing of {stem.replace('_', ' ')}: {written.strip()}")
    with Image.open(file) as image:
        if image.size != photo.pil.size:
            raise OSError(f"{PROGRAM} made {image.size} of {stem.replace('_', ' ')}, which has {photo.pil.size} pixels")
        return photo.like(image.convert(photo.pil.mode))


def _sidecar(photo: Photo, style: str, level: int) -> str:
    distortion = DISTORTIONS[style]
    module, version, parameters = _module(photo, style, distortion.parameters[level] if level else distortion.default)
    return XMP.format(order=JPEG_ORDER, module=module, version=version, parameters=parameters.hex())


def _module(photo: Photo, style: str, value: float) -> tuple[str, int, bytes]:
    """Return name, version and parameters of a module; newer programs read older versions."""
    if style in COLISA:
        return "colisa", 1, struct.pack("<3f", *(value * (style == slider) for slider in COLISA))
    if style == "vibrance":
        return "vibrance", 2, struct.pack("<f", value)
    if style == "exposure":  # by hand, black point, EV; the last two are for another mode
        return "exposure", 5, struct.pack("<i4f", 0, 0.0, value, 50.0, -4.0)
    if style in ("temperature", "tint"):
        kelvin, tint = (value, 1.0) if style == "temperature" else (6500, value)
        return "temperature", 3, struct.pack("<4f", *white_balance(kelvin, tint), 1.0)
    sliders = {name: float(DISTORTIONS[name].default) for name in ("shadows", "highlights")} | {style: float(value)}
    # Everything else at its default but the radius of the blur, 100 pixels of a photograph from a camera.
    radius = BLUR_SHARE * max(photo.pixels.shape[:2])
    values = (0, radius, sliders["shadows"], 0.0, sliders["highlights"], 0.0, 50.0, 100.0, 50.0, 127, 1e-6, 0)
    return "shadhi", 5, struct.pack("<i8fIfi", *values)
