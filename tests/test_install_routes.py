"""One package installs alone by every route that people use, and brings the shared core inside."""

import json
import subprocess

import pytest
from uv import find_uv_bin

from tools.workspace import ROOT, discover, requirement_name

OURS = {requirement_name(package.project["name"]) for package in discover(ROOT)}
SIMLOSS = next(package for package in discover(ROOT) if package.name == "simloss")
CORE = next(package for package in discover(ROOT) if package.name == "core")
PROBE = """
import importlib.metadata, json, simloss, simloss._core._version
names = [distribution.metadata["Name"] for distribution in importlib.metadata.distributions()]
print(json.dumps({"core": simloss._core._version.version, "file": simloss.__file__, "installed": names}))
"""


def run(*command, cwd=None):
    done = subprocess.run([str(part) for part in command], cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A new environment with pip and the declared dependencies; uv links torch, which pip would copy for minutes."""
    folder = tmp_path_factory.mktemp("environment")
    run(find_uv_bin(), "venv", "--quiet", "--seed", "--clear", "--python", "3.11", folder)
    python = folder / "bin" / "python"
    run(find_uv_bin(), "pip", "install", "--quiet", "--python", python, *SIMLOSS.project["dependencies"])
    return python


def requirement(route, workspace, folder):
    source = workspace / "packages" / "simloss"
    if route in ("wheel", "sdist"):
        run(find_uv_bin(), "build", "--quiet", "--out-dir", folder, source)
        (file,) = folder.glob("*.whl" if route == "wheel" else "*.tar.gz")
        return [file]
    return {
        "path": [source],
        "git": [f"git+file://{workspace}#subdirectory=packages/simloss"],
        "editable": ["--editable", source],
    }[route]


@pytest.mark.parametrize("route", ["wheel", "sdist", "path", "git", "editable"])
def test_route_installs_simloss_and_nothing_else_of_ours(route, python, workspace, tmp_path):
    run(python, "-m", "pip", "install", "--quiet", *requirement(route, workspace, tmp_path / "dist"), cwd=tmp_path)
    try:
        found = json.loads(run(python, "-c", PROBE, cwd=tmp_path))
    finally:
        run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "simloss")
    assert found["core"] == CORE.project["version"]
    assert {requirement_name(name) for name in found["installed"]} & OURS == {"simloss"}
    assert ("site-packages" in found["file"]) == (route != "editable")
