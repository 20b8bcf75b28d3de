"""Cells of an interrupted computation are used again, but only with the settings and sources they came from."""

import numpy as np
import pytest

from figures.kept import Keep, archives
from sobolev_theory.runs.sweeps import OfColumns

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "figure.cells"


def one():
    return {"error": np.array([1.0, 2.0])}


def unwanted():
    raise AssertionError("computed again")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_without_a_folder_a_cell_is_computed_and_nothing_kept():
    keep = Keep()
    np.testing.assert_array_equal(keep.cell("a", one)["error"], [1.0, 2.0])
    assert keep.checkpoint("a") is None
    assert keep.cells() == []


def test_a_finished_cell_is_not_computed_again(folder):
    Keep(folder, KEY).cell("tanh-H1", one)
    found = Keep(folder, KEY).cell("tanh-H1", unwanted)
    assert found.keys() == {"error"}
    np.testing.assert_array_equal(found["error"], [1.0, 2.0])


def test_cells_of_another_key_are_not_used_and_are_removed(folder):
    Keep(folder, OTHER).cell("a", lambda: {"error": np.zeros(1)})
    Keep(folder, OTHER).checkpoint("b").touch()
    (folder / f".a.{KEY[:16]}.npz.half-written").touch()
    keep = Keep(folder, KEY)
    assert keep.cells() == []
    np.testing.assert_array_equal(keep.cell("a", one)["error"], [1.0, 2.0])
    keep.remove_stale()
    assert names(folder) == [f"a.{KEY[:16]}.npz"]


def test_an_interrupted_cell_leaves_the_others_and_its_checkpoint(folder):
    keep = Keep(folder, KEY)
    keep.cell("a", one)

    def interrupted():
        keep.checkpoint("b").write_bytes(b"half way")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep.cell("b", interrupted)
    again = Keep(folder, KEY)
    again.remove_stale()
    assert [path.name for path in again.cells()] == [f"a.{KEY[:16]}.npz"]
    assert again.checkpoint("b").read_bytes() == b"half way"


def test_a_checkpoint_goes_when_its_cell_is_finished(folder):
    keep = Keep(folder, KEY)
    keep.checkpoint("a").touch()
    keep.cell("a", one)
    assert names(folder) == [f"a.{KEY[:16]}.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half an archive"])
def test_a_damaged_cell_is_computed_again(folder, content):
    keep = Keep(folder, KEY)
    keep.cell("a", one)
    keep.cells()[0].write_bytes(content)
    np.testing.assert_array_equal(keep.cell("a", one)["error"], [1.0, 2.0])
    keep.cell("a", unwanted)


def test_the_time_of_the_finished_cells_adds_up(folder):
    keep = Keep(folder, KEY)
    keep.cell("a", one)
    keep.cell("b", one)
    for path, seconds in zip(keep.cells(), (3.0, 4.5), strict=True):
        archives.write(path, KEY, one(), seconds)
    assert keep.seconds() == 7.5


def test_everything_is_removed_at_the_end(folder):
    keep = Keep(folder, KEY)
    keep.remove()
    keep.cell("a", one)
    keep.remove()
    assert not folder.exists()


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".hidden", "a b"])
def test_a_name_that_is_none_for_a_file_is_refused(name):
    with pytest.raises(ValueError, match="name: got"):
        Keep().cell(name, one)


def test_a_folder_needs_a_key(folder):
    with pytest.raises(ValueError, match="key: got none"):
        Keep(folder)


def test_a_sweep_that_was_interrupted_goes_on_and_is_not_used_under_another_key(folder):
    calls = []

    def doubled(x):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(x.tolist())
        return 2 * x

    def sweep(keep):
        return keep.sweep("grid", OfColumns(doubled, "doubled"), {"x": [1.0, 2.0, 3.0]}, chunk=1, checkpoint_every=0)

    with pytest.raises(KeyboardInterrupt):
        sweep(Keep(folder, KEY))
    calls.clear()
    Keep(folder, KEY).remove_stale()
    np.testing.assert_array_equal(sweep(Keep(folder, KEY))["value"], [2.0, 4.0, 6.0])
    assert calls == [[3.0]]
    Keep(folder, OTHER).remove_stale()
    assert names(folder) == []


def test_what_an_interrupted_sweep_of_another_key_left_is_removed(folder):
    (folder / f"grid.{KEY[:16]}.parquet.parts").mkdir(parents=True)
    Keep(folder, OTHER).remove_stale()
    assert names(folder) == []


def test_a_sweep_without_a_folder_leaves_nothing():
    np.testing.assert_array_equal(Keep().sweep("grid", lambda x: 2 * x, {"x": [1.0]})["value"], [2.0])
