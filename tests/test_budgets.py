"""Importing a package loads what it declares and nothing else, which keeps ``tools.import_time`` within its budget."""

import json
import subprocess
import sys

import pytest

from tools.import_time import main
from tools.workspace import CORE, discover, requirement_name

PUBLISHED = [package for package in discover() if package.name != CORE]
PROBE = """
import importlib, json, sys
package, *dependencies = sys.argv[1:]
for name in dependencies:
    importlib.import_module(name)
before = set(sys.modules)
importlib.import_module(package)
print(json.dumps(sorted(set(sys.modules) - before)))
"""
IMPORT_NAMES = {"pillow": "PIL"}
HEAVY = {"torch._dynamo", "torch._inductor", "torch.onnx", "torch.utils.tensorboard"}


def loaded(import_name, dependencies):
    command = [sys.executable, "-I", "-c", PROBE, import_name, *dependencies]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("package", PUBLISHED, ids=lambda package: package.name)
def test_import_loads_only_declared_dependencies(package):
    names = [requirement_name(requirement) for requirement in package.project["dependencies"]]
    dependencies = [IMPORT_NAMES.get(name, name) for name in names]
    modules = loaded(package.import_name, dependencies)
    expected = {package.import_name, *dependencies, *sys.stdlib_module_names}
    # Two modules of Python itself that its list of names leaves out, and one that numpy's compiled modules share.
    unexpected = {module.partition(".")[0] for module in modules} - expected - {"__mp_main__"}
    assert {name for name in unexpected if not name.startswith(("_sysconfigdata_", "_cython_"))} == set()
    assert HEAVY & set(modules) == set()


def test_a_hidden_import_is_seen():
    assert "torch._dynamo" in loaded("torch._dynamo", ["torch"])


def test_import_time_is_told(capsys):
    assert main(["mapgen"]) in (0, 1)
    name, taken, *base = capsys.readouterr().out.split()
    assert (name, base[:3]) == ("mapgen", ["s", "beyond", "numpy"])
    assert float(taken) > 0
