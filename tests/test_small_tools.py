import subprocess
import sys

from tools import floors, import_all
from tools.pip_to_uv import uv_environment
from tools.summary import totals


def test_pip_configuration_becomes_uv_environment():
    listing = "\n".join(
        [
            "global.index-url='https://mirror.example/simple'",
            "global.extra-index-url='https://a.example https://b.example'",
            ":env:.find-links='/wheels /more'",
            "global.timeout='60'",
        ]
    )
    assert uv_environment(listing) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example https://b.example",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    assert uv_environment("") == {}


def test_floors_compare_the_installed_version(monkeypatch):
    installed = {"torch": "2.4.0+cpu", "numpy": "1.26.4"}
    monkeypatch.setattr(floors, "version", installed.__getitem__)
    assert floors.above_floor(["torch>=2.4"]) == []
    assert floors.above_floor(["torch>=2.4", "numpy>=1.26"]) == [
        "numpy: expected the floor 1.26 to be installed, got 1.26.4"
    ]
    assert floors.above_floor(["numpy"]) == ["numpy: expected a floor (>=)"]
    assert floors.above_floor(["bpy>=5.1 ; python_version == '3.0'", "torch>=2.4 ; python_version > '3.0'"]) == []


def test_summary_adds_up_the_reports(tmp_path):
    for index, failures in enumerate([0, 2]):
        suite = f'<testsuite tests="10" failures="{failures}" errors="1" skipped="3"/>'
        (tmp_path / f"{index}.xml").write_text(f"<testsuites>{suite}</testsuites>")
    assert totals(tmp_path) == (20 - 4 - 6, 4, 6)


def test_import_all_tells_extras_from_mistakes(tmp_path):
    package = tmp_path / "site-packages" / "sample"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plot.py").write_text("""raise ImportError('no: pip install "sample[plot]"')\n""")

    def run(*extras):
        command = [sys.executable, import_all.__file__, "sample", *extras]
        environment = {"PYTHONPATH": str(package.parent)}
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    assert run("plot").returncode == 0
    assert run("other").returncode == 1
    (package / "hidden.py").write_text("import a_sibling_nobody_declared\n")
    done = run("plot")
    assert done.returncode == 1
    assert "sample.hidden: ModuleNotFoundError" in done.stdout


def test_import_all_refuses_the_source_tree(tmp_path):
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "__init__.py").write_text("")
    command = [sys.executable, import_all.__file__, "sample"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "expected the installed wheel" in done.stdout
