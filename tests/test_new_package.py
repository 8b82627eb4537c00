import re
import subprocess
import sys

import pytest

from tools.check import faults
from tools.new_package import main


def nox(workspace, session):
    command = [sys.executable, "-m", "nox", "--session", session]
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_scaffold_passes_its_own_tests_and_a_hidden_sibling_fails_them(workspace):
    assert main(["first-try", "--summary", "A first try."], workspace) == 0
    assert main(["second", "--summary", "A second one."], workspace) == 0
    assert [fault for fault in faults(workspace) if "first-try" in fault] == []

    code, output = nox(workspace, "tests-3.11(first-try)")
    assert code == 0, output
    # Two tests, the README's and the docstring's example, and the three examples of the copied core.
    assert " passed" in output
    assert re.search(r"first_try: \d+ modules imported with the declared dependencies alone, 0 failed", output)

    module = workspace / "packages/first-try/src/first_try/_halve.py"
    module.write_text(module.read_text().replace("import math\n", "import math\n\nimport second\n"))
    code, output = nox(workspace, "tests-3.11(first-try)")
    assert code != 0
    assert "No module named 'second'" in output


@pytest.mark.parametrize("name", ["Simloss", "sim_loss", "9lives", "a--b", "simloss"])
def test_bad_names_are_refused(workspace, capsys, name):
    assert main([name, "--summary", "x"], workspace) == 2
    assert "name: expected" in capsys.readouterr().err
