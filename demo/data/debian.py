"""Data of Debian packages, installed or unpacked into the cache without root rights."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from demo.data.cache import CACHE


def debian_folder(package: str, installed: str) -> Path:
    """Return a folder of a Debian package: where it is installed, or where the cache has it unpacked."""
    unpacked = CACHE / package
    for root in (Path(installed), unpacked / Path(installed).relative_to("/")):
        if root.is_dir():
            return root
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise FileNotFoundError(f"no {installed}: install the Debian package {package}, or unpack it into {unpacked}")
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", "--quiet", package], cwd=CACHE, check=True)
    (archive,) = CACHE.glob(f"{package}_*.deb")
    # Unpacked beside its place first, so that half a package is never taken for one.
    unfinished = CACHE / f"{package}.unfinished"
    subprocess.run(["dpkg-deb", "-x", archive, unfinished], check=True)
    unfinished.rename(unpacked)
    archive.unlink()
    return debian_folder(package, installed)
