"""Release one package: version, changelog from its fragments, commit and tag.

``python -m tools.release simloss minor [--dry-run]``. The version in a package's pyproject.toml is the one last
released (0.0.0: never), so a number cannot be skipped unnoticed. Nothing is pushed; pushing the tag publishes.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import CORE, ROOT, Package, discover

PARTS = ("major", "minor", "patch")
KINDS = ("added", "changed", "fixed", "removed")


class ReleaseError(Exception):
    """A release that must not happen; the message is the one line that the user sees."""


@dataclass(frozen=True)
class Plan:
    """What a release will write."""

    version: str
    tag: str
    section: str
    fragments: list[Path]


def bumped(version: str, part: str) -> str:
    """Return the version after ``version``.

    Example:
        >>> bumped("0.1.3", "minor")
        '0.2.0'
    """
    numbers = [int(number) for number in version.split(".")]
    index = PARTS.index(part)
    return ".".join(str(n) for n in [*numbers[:index], numbers[index] + 1, *[0] * (2 - index)])


def last_released(package: str, root: Path) -> str:
    """Return the highest version that has a tag, or 0.0.0."""
    prefix = f"{package}-v"
    tags = _git(root, "tag", "--list", f"{prefix}*").split()
    versions = [tag.removeprefix(prefix) for tag in tags if re.fullmatch(rf"{prefix}\d+\.\d+\.\d+", tag)]
    return max(versions, key=lambda v: [int(n) for n in v.split(".")], default="0.0.0")


def plan(package: Package, part: str, root: Path = ROOT) -> Plan:
    """Return what the release would write, or raise ``ReleaseError`` when it must not happen."""
    if dirty := _git(root, "status", "--porcelain"):
        raise ReleaseError(f"expected a clean tree, got changes: {', '.join(line[3:] for line in dirty.splitlines())}")
    released, current = last_released(package.name, root), package.project["version"]
    if current != released:
        raise ReleaseError(f"expected version {released}, the last one tagged, in pyproject.toml, got {current}")
    fragments = sorted(f for f in (package.folder / "changelog.d").glob("*.md"))
    unknown = [f.name for f in fragments if f.suffixes[-2:-1] not in [[f".{kind}"] for kind in KINDS]]
    if unknown:
        raise ReleaseError(f"expected fragments named <slug>.<{'|'.join(KINDS)}>.md, got {', '.join(unknown)}")
    if not fragments:
        raise ReleaseError(f"expected a fragment in {package.name}/changelog.d, got none")
    version = bumped(current, part)
    lines = [f"## {version} ({datetime.datetime.now(tz=datetime.UTC).date()})", ""]
    for kind in KINDS:
        texts = [f.read_text().strip() for f in fragments if f.name.endswith(f".{kind}.md")]
        if texts:
            lines += [f"### {kind.capitalize()}", "", *(f"- {text}" for text in texts), ""]
    return Plan(version, f"{package.name}-v{version}", "\n".join(lines), fragments)


def release(package: Package, part: str, root: Path = ROOT) -> Plan:
    """Write, commit and tag the release; after any failure the tree and the branch are as before."""
    todo = plan(package, part, root)
    head = _git(root, "rev-parse", "HEAD").strip()
    try:
        _replace(package.folder / "pyproject.toml", r'(?m)^version = ".*"$', f'version = "{todo.version}"')
        changelog = package.folder / "CHANGELOG.md"
        text = changelog.read_text()
        start = text.find("\n## ") + 1 or len(text)
        changelog.write_text(f"{text[:start].rstrip()}\n\n{todo.section}\n{text[start:]}".rstrip() + "\n")
        for fragment in todo.fragments:
            fragment.unlink()
        _git(root, "add", "--all", str(package.folder))
        _git(root, "commit", "--message", f"Release {package.name} {todo.version}")
        _git(root, "tag", "--annotate", todo.tag, "--message", f"{package.name} {todo.version}")
    except BaseException:
        # The tree was clean, so this takes back our own edit and nothing else.
        _git(root, "reset", "--hard", head)
        raise
    return todo


def stale_cores(packages: list[Package], root: Path = ROOT) -> list[str]:
    """Return the released packages whose copied core has changed since their last tag."""
    stale = []
    for package in packages:
        version = last_released(package.name, root)
        if package.carries_core and version != "0.0.0":
            tag = f"{package.name}-v{version}"
            if _git(root, "diff", "--name-only", tag, "HEAD", "--", f"packages/{CORE}/src"):
                stale.append(package.name)
    return stale


def _replace(file: Path, pattern: str, text: str) -> None:
    new, count = re.subn(pattern, text, file.read_text())
    if count != 1:
        raise ReleaseError(f"{file}: expected one line like {pattern}, got {count}")
    file.write_text(new)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line."""
    packages = {package.name: package for package in discover(root)}
    parser = argparse.ArgumentParser(prog="release", description="Release one package of the monorepo.")
    parser.add_argument("package", choices=sorted(packages))
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--dry-run", action="store_true", help="print what would be written and change nothing")
    options = parser.parse_args(arguments)
    try:
        step = plan if options.dry_run else release
        todo = step(packages[options.package], options.part, root)
        stale = stale_cores(list(packages.values()), root)
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 2
    print(f"{'would release' if options.dry_run else 'released'} {todo.tag}\n\n{todo.section}")
    if stale:
        print(f"carry a core that changed since their last tag: {', '.join(stale)}")
    if not options.dry_run:
        print(f"publish with: git push --follow-tags origin HEAD {todo.tag}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
