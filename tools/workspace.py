"""Which packages there are, and which of them a change touches: pure functions over the tree and a list of paths."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORE = "core"


@dataclass(frozen=True)
class Package:
    """One folder of ``packages/``."""

    folder: Path
    metadata: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the folder, which is what commands and tags say."""
        return self.folder.name

    @property
    def project(self) -> dict[str, Any]:
        """The ``[project]`` table."""
        return dict(self.metadata["project"])

    @property
    def import_name(self) -> str:
        """Name of the one import package under ``src/``."""
        (init,) = self.folder.glob("src/*/__init__.py")
        return init.parent.name

    @property
    def carries_core(self) -> bool:
        """Whether its build copies the shared core."""
        return (self.folder / "hatch_build.py").is_file()

    @property
    def extras(self) -> list[str]:
        """Names of its extras."""
        return list(self.project.get("optional-dependencies", {}))

    @property
    def requirements(self) -> list[str]:
        """Its direct requirements, those of the extras included."""
        extras = self.project.get("optional-dependencies", {}).values()
        return [*self.project.get("dependencies", []), *(requirement for extra in extras for requirement in extra)]

    @property
    def groups(self) -> list[str]:
        """Names of its dependency groups."""
        return list(self.metadata.get("dependency-groups", {}))


def discover(root: Path = ROOT) -> list[Package]:
    """Return every package below ``root``, sorted by name."""
    files = sorted(root.glob("packages/*/pyproject.toml"))
    return [Package(file.parent, tomllib.loads(file.read_text())) for file in files]


def python_versions(root: Path = ROOT) -> list[str]:
    """Return the matrix: the versions that ``.python-version`` lists, oldest first."""
    return (root / ".python-version").read_text().split()


def affected(packages: Iterable[Package], changed: Iterable[str]) -> set[str]:
    """Return the names of the packages that must be tested again.

    A package is affected by its own files, by the core when it carries it, and by any file that is not of
    ``packages/``, ``demo/`` or documentation, because those decide how every package is built and tested.

    Args:
        packages: all packages.
        changed: paths relative to the root, with forward slashes.
    """
    packages = list(packages)
    hit: set[str] = set()
    for path in changed:
        match = re.match(r"packages/([^/]+)/", path)
        if match is None:
            if not path.startswith(("demo/", "tests/")) and not path.endswith(".md"):
                return {package.name for package in packages}
        elif match[1] == CORE:
            hit |= {package.name for package in packages if package.carries_core or package.name == CORE}
        else:
            hit.add(match[1])
    return hit & {package.name for package in packages}


def changed_paths(since: str, root: Path = ROOT) -> list[str]:
    """Return the paths that differ from the git revision ``since``, committed or not, new files included."""

    def git(*arguments: str) -> list[str]:
        return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.split(
            "\0"
        )

    paths = git("diff", "--name-only", "-z", since) + git("ls-files", "--others", "--exclude-standard", "-z")
    return [path for path in paths if path]


def digest(package: Package) -> str:
    """Return a hash of the names and contents of all files that the package is built from."""
    places = [package.folder, *([package.folder.parent / CORE] if package.carries_core else [])]
    found = hashlib.sha256()
    files = [package.folder.parent / "conftest.py", *(file for place in places for file in place.rglob("*"))]
    for file in sorted(files):
        if file.is_file() and not {"_core", "__pycache__"}.intersection(file.parts):
            name = file.relative_to(package.folder.parent).as_posix()
            found.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def requirement_name(requirement: str) -> str:
    """Return the normalised distribution name of a requirement such as ``"NumPy>=1.26"``."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    if match is None:
        raise ValueError(f"requirement: expected a name first, got {requirement!r}")
    return re.sub(r"[-_.]+", "-", match[0]).lower()
