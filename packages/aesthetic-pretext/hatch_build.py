"""Copy priorkit's shared core into this package before it is built; the same file in every package."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CoreHook(BuildHookInterface):  # type: ignore[type-arg]
    """Write ``src/<import>/_core`` from ``../core``; an sdist carries the copy already."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Refresh the copy where the monorepo is around, and make the build take it in."""
        root = Path(self.root)
        (package,) = (init.parent for init in root.glob("src/*/__init__.py"))
        vendored, core = package / "_core", root.parent / "core"
        if (core / "pyproject.toml").is_file():
            shutil.rmtree(vendored, ignore_errors=True)
            shutil.copytree(core / "src" / "priorkit_core", vendored, ignore=shutil.ignore_patterns("__pycache__"))
            number = tomllib.loads((core / "pyproject.toml").read_text())["project"]["version"]
            (vendored / "_version.py").write_text(f'"""Version of the core copied here."""\n\nversion = "{number}"\n')
            if self.target_name == "sdist":  # so that its tests find what they share
                build_data.setdefault("force_include", {})[str(root.parent / "conftest.py")] = "conftest.py"
        # Git ignores the copy, and hatch leaves out what git ignores unless it is named as an artifact.
        build_data.setdefault("artifacts", []).append(f"{vendored.relative_to(root).as_posix()}/")
