import pytest

from tools.workspace import ROOT, affected, changed_paths, digest, discover, python_versions, requirement_name

PACKAGES = discover(ROOT)
ALL = {package.name for package in PACKAGES}
CARRIERS = {package.name for package in PACKAGES if package.carries_core}


def test_discovery_finds_every_folder_of_packages():
    assert {folder.name for folder in (ROOT / "packages").iterdir() if folder.is_dir() and folder.name[0] != "_"} == ALL
    assert {"core", "simloss", "nrprecision"} <= ALL


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ([], set()),
        (["packages/simloss/src/simloss/_loss.py"], {"simloss"}),
        (["packages/simloss/README.md", "packages/nrprecision/tests/test_cli.py"], {"simloss", "nrprecision"}),
        (["packages/core/src/priorkit_core/checks.py"], CARRIERS | {"core"}),
        (["noxfile.py"], ALL),
        (["tools/import_all.py"], ALL),
        (["pyproject.toml"], ALL),
        (["README.md", "CONTRIBUTING.md", "demo/report.py", "tests/test_demo.py"], set()),
        (["packages/removed/src/removed/__init__.py"], set()),
    ],
)
def test_affected_packages(changed, expected):
    assert affected(PACKAGES, changed) == expected


def test_changed_paths_sees_commits_edits_and_new_files(workspace, git):
    start = git(workspace, "rev-parse", "HEAD").strip()
    (workspace / "README.md").write_text("committed")
    git(workspace, "commit", "--all", "--message", "Edit")
    (workspace / "LICENSE").write_text("edited")
    (workspace / "new name.txt").write_text("new")
    assert set(changed_paths(start, workspace)) == {"README.md", "LICENSE", "new name.txt"}


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("simloss/README.md", {"simloss"}),
        ("core/src/priorkit_core/checks.py", CARRIERS | {"core"}),
        ("conftest.py", ALL),
        ("simloss/src/simloss/_core/checks.py", set()),
    ],
)
def test_digest_changes_with_what_the_package_is_built_from(workspace, file, changes):
    before = {package.name: digest(package) for package in discover(workspace)}
    edited = workspace / "packages" / file
    edited.parent.mkdir(exist_ok=True)
    edited.write_text("edited")
    assert {package.name for package in discover(workspace) if digest(package) != before[package.name]} == changes


def test_matrix_is_the_python_version_file():
    assert python_versions(ROOT) == ["3.11", "3.12", "3.13"]


def test_requirement_names_are_normalised():
    assert requirement_name("PyTorch_Metric.Learning[extra]>=2.5") == "pytorch-metric-learning"
    with pytest.raises(ValueError, match="expected a name first"):
        requirement_name(">=2")
