import pytest

from tools.check import faults


def replace(old, new):
    def edit(file):
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return edit


def insert(line, new):
    return replace(f"{line}\n", f"{line}\n  {new}\n")


def append(text):
    return lambda file: file.write_text(file.read_text() + text)


def remove(file):
    file.unlink()


BREAKS = [
    ("simloss/README.md", remove, "expected README.md"),
    ("simloss/CHANGELOG.md", remove, "expected CHANGELOG.md"),
    ("simloss/src/simloss/py.typed", remove, "expected src/simloss/py.typed"),
    ("simloss/LICENSE", remove, "expected LICENSE equal to LICENSE"),
    ("simloss/hatch_build.py", append("# edited\n"), "expected hatch_build.py equal to"),
    ("simloss/hatch_build.py", remove, "expected hatch_build.py and [tool.hatch.build.hooks.custom] together"),
    ("simloss/README.md", append("line\n" * 80), "at most 80 lines"),
    ("simloss/README.md", replace("## Citation", "## Reference"), "got no '\\n## Citation\\n' in its place"),
    ("simloss/README.md", replace("./packages/simloss", "simloss"), "got no 'packages/simloss' in its place"),
    ("simloss/src/simloss/__init__.py", replace("__all__ = [", '__all__ = ["zzz", '), "expected a sorted __all__"),
    ("simloss/src/simloss/__init__.py", replace("__all__", "names"), "expected __all__"),
    ("simloss/src/simloss/__init__.py", append("# line\n" * 25), "at most 25 lines"),
    ("simloss/pyproject.toml", insert("dependencies = [", '"nrprecision",'), "on a sibling"),
    ("simloss/pyproject.toml", insert("test = [", '"priorkit-core",'), "on a sibling"),
    (
        "simloss/pyproject.toml",
        insert("dependencies = [", '"six>=1.16",'),
        "expected a reason",
    ),
    ("simloss/pyproject.toml", replace('"torch>=2.4"', '"torch>=2.4,<3"'), "without a cap"),
    (
        "simloss/pyproject.toml",
        replace('  "Programming Language :: Python :: 3.12",\n', ""),
        "classifiers of the matrix",
    ),
    ("simloss/pyproject.toml", replace(">=3.11", ">=3.12"), "requires-python"),
    ("core/src/priorkit_core/checks.py", append("# line\n" * 150), "at most 150 lines"),
]


def test_the_repository_has_no_faults():
    assert list(faults()) == []


@pytest.mark.parametrize(("file", "edit", "message"), BREAKS)
def test_each_rule_can_fail(workspace, file, edit, message):
    edit(workspace / "packages" / file)
    found = list(faults(workspace))
    assert any(message in fault for fault in found), found
    assert all(fault.startswith(f"packages/{file.partition('/')[0]}: ") for fault in found)
