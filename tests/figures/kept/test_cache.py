"""Kept data is reused while it is current, and no file is ever half-written."""

import os

import numpy as np
import pytest

from figures.kept import Keep, archives, cache
from sobolev_theory.runs.atomic_files import replacing


def squares(count=3, keep=Keep()):
    squares.calls += 1
    return {"squares": np.array([n * n for n in keep.track(range(count))])}


@pytest.fixture(autouse=True)
def _no_calls():
    squares.calls = 0


def test_data_is_computed_once(tmp_path):
    first, computed = cache.cached(tmp_path / "a.npz", squares)
    again, computed_again = cache.cached(tmp_path / "a.npz", squares)
    assert (computed, computed_again, squares.calls) == (True, False, 1)
    assert first.keys() == again.keys() == {"squares"}
    np.testing.assert_array_equal(again["squares"], [0, 1, 4])


def test_other_arguments_are_computed(tmp_path):
    cache.cached(tmp_path / "a.npz", squares)
    arrays, computed = cache.cached(tmp_path / "a.npz", squares, count=2)
    assert computed
    np.testing.assert_array_equal(arrays["squares"], [0, 1])


def test_fresh_computes(tmp_path):
    cache.cached(tmp_path / "a.npz", squares)
    assert cache.cached(tmp_path / "a.npz", squares, fresh=True)[1]


def test_another_source_is_computed(tmp_path):
    source = tmp_path / "table.csv"
    source.write_text("1")
    cache.cached(tmp_path / "a.npz", squares, sources=[source])
    source.write_text("2")
    assert cache.cached(tmp_path / "a.npz", squares, sources=[source])[1]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half an archive"])
def test_a_file_that_cannot_be_read_is_replaced(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert cache.cached(path, squares)[1]
    assert not cache.cached(path, squares)[1]


def test_the_time_of_data_includes_that_of_the_cells_of_an_interrupted_run(tmp_path):
    def interrupted(keep=Keep(), track=iter):
        cell = keep.cell("a", lambda: {"a": np.zeros(1)})
        if interrupted.again:
            return cell
        raise KeyboardInterrupt

    interrupted.again = False
    with pytest.raises(KeyboardInterrupt):
        cache.cached(tmp_path / "a.npz", interrupted)
    (cell,) = (tmp_path / "a.cells").iterdir()
    archives.write(cell, archives.key(cell), {"a": np.zeros(1)}, seconds=3600.0)
    interrupted.again = True
    cache.cached(tmp_path / "a.npz", interrupted)
    assert 3600.0 < archives.seconds(tmp_path / "a.npz") < 4000.0


def test_progress_is_no_part_of_the_key(tmp_path):
    cache.cached(tmp_path / "a.npz", squares)
    assert not cache.cached(tmp_path / "a.npz", squares, track=lambda items: iter(list(items)))[1]


def test_an_interrupted_file_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_finished_file_has_its_name_and_the_usual_permissions(tmp_path):
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    (tmp_path / "b.txt").touch()
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_a_folder_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        cache.writable_folder(tmp_path / "file" / "folder")
