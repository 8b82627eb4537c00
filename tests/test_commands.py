"""What the READMEs tell people to type exists."""

import os
import re
import subprocess
import sys

import pytest

from tools.workspace import ROOT, discover, python_versions

README = (ROOT / "README.md").read_text()
PUBLISHED = [package for package in discover(ROOT) if package.name != "core"]


@pytest.fixture(scope="module")
def listed():
    """The full names of all sessions."""
    command = [sys.executable, "-m", "nox", "--list"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return set(re.findall(r"^[*-] ([^ ]+)", listing.stdout, flags=re.MULTILINE))


def test_the_two_commands_of_the_readme_name_real_sessions(listed):
    sessions = {re.match(r"\w+", name)[0] for name in listed}
    named = set(re.findall(r"nox -s (\w+)", README))
    assert "demo" in named
    assert named <= sessions
    assert re.search(r"^nox$", README, flags=re.MULTILINE)


@pytest.mark.parametrize("package", PUBLISHED, ids=lambda package: package.name)
def test_a_release_runs_the_sessions_of_its_package(listed, package):
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    commands = re.findall(r"run: (nox -s .*)", workflow)
    script = 'nox() { printf "%s\\n" "${@:2}"; }\n' + "\n".join(commands)
    environment = {"PACKAGE": package.name, "PATH": os.environ["PATH"]}
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    tests = {f"tests-{version}({package.name})" for version in python_versions(ROOT)}
    assert set(done.stdout.split()) == {f"build({package.name})", *tests}
    assert set(done.stdout.split()) <= listed


@pytest.mark.parametrize("package", PUBLISHED, ids=lambda package: package.name)
def test_the_package_table_names_every_package_and_its_folder(package):
    assert f"packages/{package.name}" in README


@pytest.mark.parametrize("package", PUBLISHED, ids=lambda package: package.name)
def test_all_wheels_import_together(package):
    subprocess.run([sys.executable, "-I", "-W", "error", "-c", f"import {package.import_name}"], check=True)


def test_contributing_is_short():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 80
