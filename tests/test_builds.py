"""What is built depends on the commit alone, and packages released at different versions work side by side."""

import os
import re
import shutil
import subprocess
import sys
import tarfile

import pytest
from uv import find_uv_bin

from tools import release
from tools.new_package import new_package
from tools.workspace import ROOT


def build(source, folder):
    """Return the sdist and the wheel, by suffix."""
    command = [find_uv_bin(), "build", "--quiet", "--out-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return {file.suffix: file for file in folder.iterdir() if file.suffix in (".whl", ".gz")}


@pytest.mark.parametrize("name", ["simloss", "mapgen"])
def test_builds_are_equal_in_another_folder_at_another_time(workspace, tmp_path, name):
    copy = tmp_path / "elsewhere" / "of another name"
    shutil.copytree(workspace, copy)
    for number, file in enumerate(sorted(copy.rglob("*"))):
        if file.is_file() and ".git" not in file.parts:
            file.chmod(0o600)
            os.utime(file, (10**9 + number, 10**9 + number))
    first, second = (build(root / "packages" / name, tmp_path / root.name / "dist") for root in (workspace, copy))
    for suffix in (".whl", ".gz"):
        assert first[suffix].name == second[suffix].name
        assert first[suffix].read_bytes() == second[suffix].read_bytes()


def test_an_sdist_tests_itself(tmp_path):
    sdist = build(ROOT / "packages" / "simloss", tmp_path / "dist")[".gz"]
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / sdist.name.removesuffix(".tar.gz")
    # The thousand hostile arguments would take minutes; the damaged files use the shared fixtures as well.
    chosen = ["tests/test_robustness.py", "tests/test_bad_input.py", "README.md", "-k", "not hostile"]
    command = [sys.executable, "-m", "pytest", "-q", *chosen]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_two_packages_of_different_versions_and_cores_coexist(workspace, git, tmp_path):
    core = workspace / "packages" / "core" / "pyproject.toml"
    wheels = []
    for name, part, number in [("sample", "minor", "0.7.0"), ("other", "major", "0.8.0")]:
        new_package(name, "For the tests.", workspace)
        core.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{number}"', core.read_text()))
        git(workspace, "add", "--all")
        git(workspace, "commit", "--message", f"Add {name}, raise the core")
        assert release.main([name, part], workspace) == 0
        wheels.append(build(workspace / "packages" / name, tmp_path / name)[".whl"])
    assert git(workspace, "tag").split() == ["other-v1.0.0", "sample-v0.1.0"]

    site = tmp_path / "site"
    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", site, *wheels]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    probe = (
        "import sample, other, sample._core._version as old, other._core._version as new\n"
        "from importlib.metadata import version\n"
        "print(version('sample'), version('other'), sample.halve(1), other.halve(1), old.version, new.version)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], env={"PYTHONPATH": str(site)}, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["0.1.0", "1.0.0", "0.5", "0.5", "0.7.0", "0.8.0"]
