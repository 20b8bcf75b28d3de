"""Progress is for people at terminals: every other standard error, or none, gets nothing and is no obstacle."""

import io
import sys
from types import SimpleNamespace

import pytest

from sobolev_theory.runs.progress import bars, on_a_terminal, tracks


class Terminal(io.StringIO):
    def isatty(self):
        return True


def closed(stream):
    stream.close()
    return stream


NO_TERMINALS = {
    "none": lambda: None,
    "closed": lambda: closed(io.StringIO()),
    "closed terminal": lambda: closed(Terminal()),
    "pipe": io.StringIO,
}


@pytest.fixture
def stderr(monkeypatch):
    monkeypatch.delenv("CI", raising=False)

    def put(stream):
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return put


def count_to_three(shown=None):
    with tracks("numbers", shown) as track:
        return [[inner for inner in track("ab")] for _ in track([1, 2, 3])]


@pytest.mark.parametrize("stream", NO_TERMINALS.values(), ids=NO_TERMINALS)
@pytest.mark.parametrize("shown", [None, False])
def test_nothing_is_shown_where_nobody_watches(stderr, stream, shown):
    found = stderr(stream())
    assert not on_a_terminal()
    assert count_to_three(shown) == 3 * [["a", "b"]]
    assert found is None or found.closed or found.getvalue() == ""


@pytest.mark.parametrize("stream", ["none", "closed", "closed terminal"])
def test_without_a_stream_nothing_is_shown_on_demand_either(stderr, stream):
    stderr(NO_TERMINALS[stream]())
    assert count_to_three(shown=True) == 3 * [["a", "b"]]


@pytest.mark.parametrize(("ci", "shown", "seen"), [("", None, True), ("1", None, False), ("1", True, True)])
def test_a_terminal_shows_bars_outside_ci_or_on_demand(stderr, monkeypatch, ci, shown, seen):
    terminal = stderr(Terminal())
    monkeypatch.setenv("CI", ci)
    count_to_three(shown)
    assert ("3 of 3 numbers" in terminal.getvalue()) == seen


def test_a_pipe_gets_the_last_state_on_demand(stderr):
    pipe = stderr(io.StringIO())
    with bars(True) as bar, bar("samples", 2000, done=5) as report:
        report(1000, "error 1e-3")
    assert "1,000 of 2,000 samples" in pipe.getvalue()
    assert "error 1e-3" in pipe.getvalue()


def test_what_has_no_length_is_counted(stderr):
    terminal = stderr(Terminal())
    with tracks("numbers") as track:
        list(track(iter([1, 2])))
    assert "2 numbers" in terminal.getvalue()


def test_an_iteration_that_is_left_early_leaves_its_bar(stderr):
    stderr(Terminal())
    with tracks("numbers") as track:
        for _ in track([1, 2, 3]):
            break
    with pytest.raises(KeyboardInterrupt), bars() as bar, bar("numbers", 3):
        raise KeyboardInterrupt


def test_a_stream_of_another_kind_is_asked_whether_it_is_a_terminal(stderr):
    stderr(SimpleNamespace(isatty=lambda: False, write=None))
    assert not on_a_terminal()
