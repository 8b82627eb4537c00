from pathlib import Path

import pytest
from priorkit_core import atomic_path


def test_success_replaces_the_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "scores.json"
    target.write_text("old")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.suffix == ".json"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "scores.json"
    target.write_text("old")

    def write_half():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "none" / "scores.json") as temporary:
        temporary.write_text("new")


def test_a_device_is_written_to_and_stays():
    null = Path("/dev/null")
    with atomic_path(null) as temporary:
        assert temporary == null
        temporary.write_text("nothing")
    assert null.is_char_device()
