import pytest

from tools import release
from tools.new_package import new_package
from tools.workspace import discover


def package(workspace, name="sample"):
    return next(p for p in discover(workspace) if p.name == name)


@pytest.fixture
def fragments(workspace, git):
    """Two packages that were never released; one has two kinds of fragments."""
    for name in ("sample", "other"):
        new_package(name, "For the tests.", workspace)
    folder = workspace / "packages/sample/changelog.d"
    (folder / "first.added.md").write_text("A loss.\n")
    (folder / "memory.fixed.md").write_text("Less memory.\n")
    git(workspace, "add", "--all")
    git(workspace, "commit", "--message", "Two packages")


def state(workspace, git):
    return git(workspace, "rev-parse", "HEAD"), git(workspace, "tag"), git(workspace, "status", "--porcelain")


@pytest.mark.parametrize(("part", "expected"), [("major", "2.0.0"), ("minor", "1.3.0"), ("patch", "1.2.4")])
def test_bumped(part, expected):
    assert release.bumped("1.2.3", part) == expected


@pytest.mark.usefixtures("fragments")
def test_release_writes_version_changelog_commit_and_tag(workspace, git, capsys):
    assert release.main(["sample", "minor"], workspace) == 0
    assert package(workspace).project["version"] == "0.1.0"
    changelog = (workspace / "packages/sample/CHANGELOG.md").read_text()
    assert "### Added\n\n- A loss.\n\n### Fixed\n\n- Less memory." in changelog
    assert list((workspace / "packages/sample/changelog.d").glob("*.md")) == []
    assert "sample-v0.1.0" in git(workspace, "tag").split()
    assert git(workspace, "log", "-1", "--format=%s").strip() == "Release sample 0.1.0"
    assert git(workspace, "status", "--porcelain") == ""
    assert "released sample-v0.1.0" in capsys.readouterr().out


@pytest.mark.usefixtures("fragments")
def test_newest_release_stands_first(workspace, git):
    release.main(["sample", "minor"], workspace)
    (workspace / "packages/sample/changelog.d/second.changed.md").write_text("Faster.")
    git(workspace, "add", "--all")
    git(workspace, "commit", "--message", "Second")
    assert release.main(["sample", "patch"], workspace) == 0
    changelog = (workspace / "packages/sample/CHANGELOG.md").read_text()
    assert 0 < changelog.index("## 0.1.1") < changelog.index("## 0.1.0")


@pytest.mark.usefixtures("fragments")
def test_dry_run_changes_nothing(workspace, git, capsys):
    before = state(workspace, git)
    assert release.main(["sample", "minor", "--dry-run"], workspace) == 0
    assert "would release sample-v0.1.0" in capsys.readouterr().out
    assert state(workspace, git) == before


@pytest.mark.usefixtures("fragments")
def test_dirty_tree_is_refused(workspace, capsys):
    (workspace / "notes.txt").write_text("not committed")
    assert release.main(["sample", "minor"], workspace) == 2
    assert "expected a clean tree, got changes: notes.txt" in capsys.readouterr().err


@pytest.mark.usefixtures("fragments")
def test_skipped_number_is_refused(workspace, git, capsys):
    file = workspace / "packages/sample/pyproject.toml"
    file.write_text(file.read_text().replace('version = "0.0.0"', 'version = "0.3.0"'))
    git(workspace, "commit", "--all", "--message", "Skip")
    assert release.main(["sample", "minor"], workspace) == 2
    assert "expected version 0.0.0, the last one tagged, in pyproject.toml, got 0.3.0" in capsys.readouterr().err


@pytest.mark.usefixtures("fragments")
@pytest.mark.parametrize(
    ("name", "message"), [("loss.new.md", "expected fragments named"), (None, "expected a fragment in")]
)
def test_fragments_are_needed_and_named(workspace, git, capsys, name, message):
    folder = workspace / "packages/sample/changelog.d"
    for old in folder.glob("*.md"):
        old.unlink()
    if name:
        (folder / name).write_text("Text.")
    git(workspace, "add", "--all")
    git(workspace, "commit", "--message", "Fragments")
    assert release.main(["sample", "minor"], workspace) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("fragments")
def test_a_later_failure_undoes_the_edit(workspace, git):
    # Git refuses the tag after the commit has been made, because the name exists as a folder of tags.
    git(workspace, "tag", "sample-v0.1.0/taken")
    before = state(workspace, git)
    with pytest.raises(release.ReleaseError, match="git tag"):
        release.release(package(workspace), "minor", workspace)
    assert state(workspace, git) == before
    assert package(workspace).project["version"] == "0.0.0"


@pytest.mark.usefixtures("fragments")
def test_packages_with_an_older_core_are_named(workspace, git, capsys):
    release.main(["sample", "minor"], workspace)
    assert release.stale_cores(discover(workspace), workspace) == []
    file = workspace / "packages/core/src/priorkit_core/checks.py"
    file.write_text(file.read_text() + "# edited\n")
    git(workspace, "commit", "--all", "--message", "Edit the core")
    assert release.main(["other", "minor"], workspace) == 0
    assert "carry a core that changed since their last tag: sample" in capsys.readouterr().out
