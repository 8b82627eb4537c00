"""Let uv find what pip finds: people behind a package mirror configure pip, and uv reads none of that."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys


def uv_environment(listing: str) -> dict[str, str]:
    """Translate the output of ``pip config list`` to uv's environment variables.

    Args:
        listing: lines such as ``global.index-url='https://mirror/simple'``; a later line wins.
    """
    options: dict[str, list[str]] = {}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            options[key.rpartition(".")[2]] = ast.literal_eval(value).split()
    names = {
        "index-url": ("UV_DEFAULT_INDEX", " "),
        "extra-index-url": ("UV_INDEX", " "),
        "find-links": ("UV_FIND_LINKS", ","),
        "constraint": ("UV_CONSTRAINT", " "),
    }
    environment = {variable: gap.join(options[key]) for key, (variable, gap) in names.items() if options.get(key)}
    if "UV_INDEX" in environment or "UV_DEFAULT_INDEX" in environment:
        # pip takes the best version of all indexes; uv by default stops at the first index that has the name.
        environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return environment


def pip_configuration() -> str:
    """Return what ``pip config list`` prints, or nothing where there is no pip."""
    for command in ([sys.executable, "-m", "pip"], [shutil.which("pip") or "pip"]):
        try:
            done = subprocess.run([*command, "config", "list"], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return done.stdout
    return ""
