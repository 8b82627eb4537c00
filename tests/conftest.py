import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


@pytest.fixture
def shown():
    """Evaluate the one expression in a package's README that begins so, with the names that its reader would have."""

    def evaluate(package, start, /, **names):
        readme = (ROOT / "packages" / package / "README.md").read_text()
        # A line of an indented or fenced block, or code within a sentence.
        found = re.findall(rf"^ *({re.escape(start)}.*)$|`({re.escape(start)}[^`]*)`", readme, flags=re.MULTILINE)
        ((line, inline),) = found
        return eval((line or inline).partition(" = ")[2] if start.endswith(" = ") else line or inline, names)

    return evaluate


@pytest.fixture
def git():
    def run(folder, *arguments):
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture
def workspace(tmp_path, git, monkeypatch):
    """A copy of the repository as it is now, committed once, in a folder of its own."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    copy = tmp_path / "workspace"
    caches = [".cache", "*_cache", "__pycache__", ".hypothesis"]
    ignore = shutil.ignore_patterns(".git", ".nox", ".venv", "dist", "_core", "*.egg-info", *caches)
    shutil.copytree(ROOT, copy, ignore=ignore)
    git(copy, "init", "--initial-branch=main")
    git(copy, "add", "--all")
    git(copy, "commit", "--message", "Start")
    return copy
