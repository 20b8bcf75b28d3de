"""Sweeps that are stopped, killed and started again; files and parts that are refused; full disks; progress."""

import errno
import io
import itertools
import os
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sobolev_theory as st
from sobolev_theory.runs.sweeps import parts
from tests.helpers.sweeping import RHO, THETA, sweep
from tests.montecarlo.test_estimators import Terminal
from tests.montecarlo.test_stream_checkpoints import StoppedError, lives, results


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sweep.parquet"


# Going on.


class Counted:
    """A function of columns that is stopped after so many calls."""

    def __init__(self, factor=2.0):
        self.calls, self.stop, self.factor = [], None, factor

    def __call__(self, theta):
        if len(self.calls) == self.stop:
            raise StoppedError
        self.calls.append(theta.tolist())
        return self.factor * theta

    def sweep(self, path, version="doubled", **options):
        function = st.sweeps.OfColumns(self, version)
        return sweep(path, function, {"theta": THETA}, **{"chunk": 2} | options)


@pytest.fixture
def stopped(path):
    """After two chunks of four."""
    function = Counted()
    function.stop = 2
    with pytest.raises(StoppedError):
        function.sweep(path)
    return path


def test_a_stopped_sweep_goes_on_where_it_was(stopped):
    assert not stopped.exists()
    function = Counted()
    swept = function.sweep(stopped)
    assert function.calls == [THETA[4:6].tolist(), THETA[6:].tolist()]
    np.testing.assert_array_equal(swept.columns("value")["value"], 2 * THETA)
    assert [file.name for file in stopped.parent.iterdir()] == [stopped.name]


def test_a_stopped_sweep_goes_on_with_other_chunks(stopped):
    function = Counted()
    swept = function.sweep(stopped, chunk=5)
    assert function.calls == [THETA[4:].tolist()]
    np.testing.assert_array_equal(swept.columns("value")["value"], 2 * THETA)


@pytest.mark.parametrize("every", [0, 1000])
def test_rows_of_a_part_that_was_removed_are_computed_anew(stopped, every):
    first, _ = sorted(stopped.with_name("sweep.parquet.parts").iterdir())
    first.unlink()
    function = Counted()
    swept = function.sweep(stopped, checkpoint_every=every)
    assert function.calls == [THETA[:2].tolist(), THETA[4:6].tolist(), THETA[6:].tolist()]
    np.testing.assert_array_equal(swept.columns("value")["value"], 2 * THETA)


def test_a_finished_sweep_is_opened_and_not_computed(path):
    function = Counted()
    first = function.sweep(path)
    function.calls.clear()
    parts_left = path.with_name("sweep.parquet.parts")
    parts_left.mkdir()  # of a run that was killed while it removed them
    assert function.sweep(path) == first
    assert not function.calls
    assert not parts_left.exists()


def test_parts_are_written_when_they_are_due(path, monkeypatch):
    clock = itertools.count(0.0)
    monkeypatch.setattr(parts, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    written, write = [], parts.Parts.write
    monkeypatch.setattr(
        parts.Parts, "write", lambda self, first, rows: written.append(first) or write(self, first, rows)
    )
    sweep(path, lambda theta: theta, {"theta": THETA}, chunk=1, checkpoint_every=2.5)  # a look at the clock per chunk
    assert written == [0, 3, 6]


def test_killed_sweeps_and_those_of_two_processes_are_the_same_to_the_bit(tmp_path):
    report = lives(tmp_path, "sweep", "12")
    whole = results(report["whole"])
    assert results(report["last"]) == whole
    assert [life["signal"] for life in report["lives"]].count(9) == 12
    # Two devices take halves of a chunk: for a sine and an exponential that changes no rounding.
    assert results(report["both"]) == whole * 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["both", "killed", "whole"]


# Refused files.


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("name", ["version", "axes"])
def test_another_sweep_is_refused_and_stays(stopped, finished, name):
    if finished:
        Counted().sweep(stopped)
    files = {file: file.read_bytes() for file in stopped.parent.rglob("*") if file.is_file()}
    version, axes = {"version": ("tripled", THETA), "axes": ("doubled", THETA + 1e-15)}[name]
    with pytest.raises(ValueError, match=r"sweep\.parquet.*, which belongs to another sweep"):
        sweep(stopped, st.sweeps.OfColumns(Counted(), version), {"theta": axes}, chunk=2)
    assert {file: file.read_bytes() for file in stopped.parent.rglob("*") if file.is_file()} == files


OTHER = {
    "constant": (lambda rho, theta, n: 2.5 * rho * theta, {}),
    "name": (lambda rho, theta, n: {"product": 2.0 * rho * theta}, {}),
    "static": (lambda rho, theta, n: 2.0 * rho * theta, {"static": ("n",)}),
    "values": (lambda rho, theta, n: 2.0 * rho * theta, {"axes": {"rho": RHO, "theta": THETA, "n": [2]}}),
    "order": (lambda rho, theta, n: 2.0 * rho * theta, {"axes": {"theta": THETA, "rho": RHO, "n": [1]}}),
}


@pytest.mark.parametrize("name", OTHER)
def test_a_sweep_of_another_function_or_other_axes_is_another_sweep(path, name):
    axes = {"rho": RHO, "theta": THETA, "n": [1]}
    sweep(path, lambda rho, theta, n: 2.0 * rho * theta, axes)
    function, changed = OTHER[name]
    with pytest.raises(ValueError, match="belongs to another sweep"):
        sweep(path, function, **{"axes": axes} | changed)


def test_a_corrupted_part_is_refused_by_name_and_computed_anew_once_it_is_removed(stopped):
    part = min(stopped.with_name("sweep.parquet.parts").iterdir())
    content = bytearray(part.read_bytes())
    content[content.index(np.float64(THETA[1]).tobytes())] ^= 1
    part.write_bytes(content)
    with pytest.raises(ValueError, match=f"path: got {part}, which is truncated or corrupted"):
        Counted().sweep(stopped)
    assert not stopped.exists()
    part.unlink()
    function = Counted()
    np.testing.assert_array_equal(function.sweep(stopped).columns("value")["value"], 2 * THETA)
    assert function.calls == [THETA[:2].tolist()]


@pytest.mark.parametrize("damage", [lambda c: c[:-20], lambda c: b"", lambda c: b"theta,value\n"])
def test_a_part_or_a_file_that_is_none_is_refused_by_name(stopped, damage):
    part = min(stopped.with_name("sweep.parquet.parts").iterdir())
    whole = part.read_bytes()
    part.write_bytes(damage(whole))
    with pytest.raises(ValueError, match=f"path: got {part}, which is no sweep, truncated or corrupted"):
        Counted().sweep(stopped)
    part.write_bytes(whole)
    Counted().sweep(stopped)
    stopped.write_bytes(damage(stopped.read_bytes()))
    for read in (Counted().sweep, st.sweeps.opened):
        with pytest.raises(ValueError, match=f"path: got {stopped}, which is no sweep, truncated or corrupted"):
            read(stopped)


def test_a_table_of_something_else_is_refused_and_stays(path):
    pq.write_table(pa.table({"theta": [1.0]}), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="which is no sweep"):
        sweep(path)
    assert path.read_bytes() == before


def test_corrupted_values_of_a_finished_sweep_are_seen(path):
    Counted().sweep(path)
    content = bytearray(path.read_bytes())
    content[content.index(np.float64(THETA[1]).tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"path: got {path}, which is truncated or corrupted"):
        st.sweeps.opened(path).columns()


# Disks.


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_full_disk_is_an_error_that_names_the_path_and_leaves_the_finished_parts(path, monkeypatch, count):
    """In the trial before the first row, in the first part, and in the last file."""
    calls, fsync = [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == count:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", full)
    function = Counted()
    with pytest.raises(
        OSError, match=f"path: got {path}, which cannot be written .No space left on device"
    ) as caught:
        function.sweep(path, chunk=3)
    assert caught.value.errno == errno.ENOSPC
    assert len(function.calls) == {1: 0, 2: 1, 5: 3}[count]
    left = [file.name for file in path.with_name("sweep.parquet.parts").iterdir()]
    assert len(left) == {1: 0, 2: 0, 5: 3}[count]
    assert [file.name for file in path.parent.iterdir()] == ["sweep.parquet.parts"]
    function.calls.clear()
    np.testing.assert_array_equal(function.sweep(path, chunk=3).columns("value")["value"], 2 * THETA)
    assert len(function.calls) == 3 - len(left)


# Progress.


@pytest.mark.parametrize(
    ("ci", "progress", "shown"), [("1", None, False), ("", None, True), ("1", True, True), ("", False, False)]
)
def test_progress_is_shown_on_a_terminal_outside_ci_or_on_demand(path, monkeypatch, ci, progress, shown):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(sys, "stderr", Terminal())
    Counted().sweep(path, progress=progress)
    assert ("7 of 7 configurations" in sys.stderr.getvalue()) == shown


def test_progress_of_a_sweep_that_goes_on_begins_where_it_was(stopped, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    function = Counted()
    function.stop = 1
    with pytest.raises(StoppedError):
        function.sweep(stopped, progress=True)
    assert "6 of 7 configurations" in sys.stderr.getvalue()
