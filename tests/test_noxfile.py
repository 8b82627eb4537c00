import os
import subprocess
import sys


def build_core(workspace, since):
    command = [sys.executable, "-m", "nox", "--session", "build(core)", "--no-color"]
    environment = {**os.environ, "CHANGED_SINCE": since}
    done = subprocess.run(command, cwd=workspace, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_untouched_packages_are_skipped_and_touched_ones_are_not(workspace):
    code, output = build_core(workspace, "HEAD")
    assert code == 0, output
    assert "core is not touched since HEAD" in output
    assert not (workspace / "dist").exists()

    (workspace / "packages/core/src/priorkit_core/notes.py").write_text('"""New."""\n')
    code, output = build_core(workspace, "HEAD")
    assert code == 0, output
    assert len(list((workspace / "dist/core").glob("priorkit_core-*.whl"))) == 1
