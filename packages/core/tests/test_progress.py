import io
import sys

from priorkit_core import track


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_silent_when_not_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(track(range(3), "scoring")) == [0, 1, 2]
    assert sys.stderr.getvalue() == ""


def test_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(track(range(3), "scoring")) == [0, 1, 2]
    assert "scoring" in sys.stderr.getvalue()


def test_progress_argument_wins_over_the_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(track(range(3), "scoring", progress=False)) == [0, 1, 2]
    assert sys.stderr.getvalue() == ""


def test_without_tqdm_the_items_still_come(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert list(track(range(3), progress=True)) == [0, 1, 2]
