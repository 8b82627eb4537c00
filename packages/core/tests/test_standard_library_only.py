"""The core imports nothing beyond the standard library, and the test that says so is able to fail."""

import subprocess
import sys
import textwrap
from pathlib import Path

import priorkit_core

# tqdm counts as foreign here: only track() may ask for it, and only when a bar is shown.
PROGRAM = textwrap.dedent("""
    import pkgutil, sys
    before = set(sys.modules)
    sys.path.insert(0, sys.argv[1])
    import priorkit_core
    for module in pkgutil.iter_modules(priorkit_core.__path__):
        __import__(f"priorkit_core.{module.name}")
    tops = {name.partition(".")[0] for name in set(sys.modules) - before}
    print(*sorted(tops - set(sys.stdlib_module_names) - {"priorkit_core"}))
""")


def foreign_modules(folder):
    command = [sys.executable, "-I", "-c", PROGRAM, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_core_imports_the_standard_library_only():
    assert foreign_modules(Path(priorkit_core.__file__).parents[1]) == []


def test_the_test_above_can_fail(tmp_path):
    copy = tmp_path / "priorkit_core"
    copy.mkdir()
    (copy / "__init__.py").write_text("from . import checks\n")
    (copy / "checks.py").write_text("import numpy\n")
    (tmp_path / "numpy.py").write_text("")
    assert foreign_modules(tmp_path) == ["numpy"]
