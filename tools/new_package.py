"""Scaffold a package that passes ``nox -s tests`` as generated.

``python -m tools.new_package bgaugment --summary "Background replacement in training."``
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from string import Template

from tools.workspace import ROOT, python_versions

TEMPLATE = Path(__file__).parent / "template"


def new_package(name: str, summary: str, root: Path = ROOT) -> Path:
    """Write ``packages/<name>`` from the template and return its folder.

    Raises:
        ValueError: ``name`` is no lower-case distribution name, or exists already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"name: expected lower-case words joined by hyphens, got {name!r}")
    folder = root / "packages" / name
    if folder.exists():
        raise ValueError(f"name: expected a new package, got {name!r}, which exists")
    versions = python_versions(root)
    values = {
        "distribution": name,
        "import_name": name.replace("-", "_"),
        "summary": summary,
        "oldest": versions[0],
        "classifiers": "\n".join(f'  "Programming Language :: Python :: {version}",' for version in versions),
    }
    for source in sorted(TEMPLATE.rglob("*")):
        if source.is_file():
            relative = str(source.relative_to(TEMPLATE)).replace("import_name", values["import_name"])
            target = folder / relative.removesuffix(".template")
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text()
            target.write_text(Template(text).substitute(values) if source.suffix == ".template" else text)
    shutil.copyfile(root / "LICENSE", folder / "LICENSE")
    return folder


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="new-package", description="Scaffold a package.")
    parser.add_argument("name")
    parser.add_argument("--summary", required=True, help="one sentence: what the package does")
    options = parser.parse_args(arguments)
    try:
        folder = new_package(options.name, options.summary, root)
    except ValueError as error:
        print(f"new-package: {error}", file=sys.stderr)
        return 2
    print(f"wrote {folder.relative_to(root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
