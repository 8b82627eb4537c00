"""What the READMEs tell people to type exists."""

import re
import subprocess
import sys

import pytest

from tools.workspace import ROOT, discover

README = (ROOT / "README.md").read_text()
PUBLISHED = [package for package in discover(ROOT) if package.name != "core"]


def test_the_two_commands_of_the_readme_name_real_sessions():
    listing = subprocess.run(
        [sys.executable, "-m", "nox", "--list"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    sessions = set(re.findall(r"^[*-] (\w+)", listing.stdout, flags=re.MULTILINE))
    named = set(re.findall(r"nox -s (\w+)", README))
    assert "demo" in named
    assert named <= sessions
    assert re.search(r"^nox$", README, flags=re.MULTILINE)


@pytest.mark.parametrize("package", PUBLISHED, ids=lambda package: package.name)
def test_the_package_table_names_every_package_and_its_folder(package):
    assert f"packages/{package.name}" in README


@pytest.mark.parametrize("package", PUBLISHED, ids=lambda package: package.name)
def test_all_wheels_import_together(package):
    subprocess.run([sys.executable, "-I", "-W", "error", "-c", f"import {package.import_name}"], check=True)


def test_contributing_is_short():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 80
