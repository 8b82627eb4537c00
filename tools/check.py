"""Check what every package must have: ``python -m tools.check`` prints each fault and exits 1 when there is one."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.workspace import CORE, ROOT, Package, discover, python_versions, requirement_name

HOOK = Path("tools/template/hatch_build.py")
README_LINES = 80
README_PARTS = ["\n## Example\n", "```python\n>>> ", "\n## When not to use it\n", "\n## Citation\n"]
INIT_LINES = 25
CORE_LINES = 150


def faults(root: Path = ROOT) -> Iterator[str]:
    """Yield one line for each rule that a package of ``root`` breaks."""
    packages = discover(root)
    siblings = {requirement_name(package.project["name"]) for package in packages}
    for package in packages:
        rules = [
            _files(package, root),
            _readme(package),
            _public_names(package),
            _dependencies(package, siblings),
            _classifiers(package, python_versions(root)),
        ]
        for rule in rules:
            yield from (f"packages/{package.name}: {fault}" for fault in rule)
    core = [line for file in (root / "packages" / CORE / "src").rglob("*.py") for line in file.read_text().splitlines()]
    if len(core) > CORE_LINES:
        yield f"packages/{CORE}: expected at most {CORE_LINES} lines of source, got {len(core)}"


def _files(package: Package, root: Path) -> Iterator[str]:
    source = f"src/{package.import_name}"
    wanted = ["README.md", "CHANGELOG.md"] + ([f"{source}/py.typed"] if package.name != CORE else [])
    for name in wanted:
        if not (package.folder / name).is_file():
            yield f"expected {name}, got no such file"
    for name, original in {"LICENSE": Path("LICENSE"), "hatch_build.py": HOOK}.items():
        copy = package.folder / name
        if name == "hatch_build.py" and not copy.exists():
            continue
        if not copy.is_file() or copy.read_bytes() != (root / original).read_bytes():
            yield f"expected {name} equal to {original}, got another or none"
    hooked = "custom" in package.metadata.get("tool", {}).get("hatch", {}).get("build", {}).get("hooks", {})
    if hooked != package.carries_core:
        yield "expected hatch_build.py and [tool.hatch.build.hooks.custom] together, got only one of them"


def _readme(package: Package) -> Iterator[str]:
    """The same shape everywhere, so that a reader finds things: claim, install, example, limits, citation."""
    readme = package.folder / "README.md"
    text = readme.read_text() if readme.is_file() else ""
    if (lines := len(text.splitlines())) > README_LINES:
        yield f"expected a README.md of at most {README_LINES} lines, got {lines}"
    shape = [f"# {package.name}\n", f"packages/{package.name}", *README_PARTS] if package.name != CORE and text else []
    place = 0
    for part in shape:
        place = text.find(part, place)
        if place < 0:
            yield f"expected a README.md with {shape} in this order, got no {part!r} in its place"
            return


def _public_names(package: Package) -> Iterator[str]:
    init = package.folder / "src" / package.import_name / "__init__.py"
    if (lines := len(init.read_text().splitlines())) > INIT_LINES:
        yield f"expected an __init__.py of at most {INIT_LINES} lines, got {lines}"
    for node in ast.parse(init.read_text()).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            names = ast.literal_eval(node.value)
            if list(names) != sorted(names):
                yield f"expected a sorted __all__, got {names}"
            return
    yield "expected __all__ in __init__.py, got none"


def _dependencies(package: Package, siblings: set[str]) -> Iterator[str]:
    project = package.project
    own = requirement_name(project["name"])
    tables = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    tables += package.metadata.get("dependency-groups", {}).values()
    for requirement in (r for table in tables for r in table if isinstance(r, str)):
        name = requirement_name(requirement)
        if name in siblings and name != own:
            yield f"expected no dependency on a sibling, got {requirement!r}"
        if re.search(r"[<]|==|~=", requirement.partition(";")[0]):
            yield f"expected a floor without a cap, got {requirement!r}"
    for line in (package.folder / "pyproject.toml").read_text().split("[dependency-groups]")[0].splitlines():
        if re.match(r'\s+"[^"]*>=[^"]*"', line) and not re.search(r'",?\s+#\s*\S', line):
            yield f"expected a reason (# ...) on each floor, got {line.strip()}"


def _classifiers(package: Package, versions: list[str]) -> Iterator[str]:
    prefix = "Programming Language :: Python :: "
    listed = [c.removeprefix(prefix) for c in package.project.get("classifiers", []) if c.startswith(prefix)]
    if listed != versions:
        yield f"expected the classifiers of the matrix {versions}, got {listed}"
    if package.project.get("requires-python") != f">={versions[0]}":
        yield f"expected requires-python >={versions[0]}, got {package.project.get('requires-python')}"


if __name__ == "__main__":
    found = list(faults())
    print("\n".join(found) or f"{len(discover())} packages checked, no faults")
    sys.exit(bool(found))
