"""The study of basins: the same starts whatever the batches, ends that longer flows confirm, a table that resumes."""

import numpy as np
import pytest

import sobolev_theory as st
from studies import basin_table, basins
from studies.basin_table import Cell, Ends, Row

CELL = Cell(4, 0, "L2")


def test_starts_do_not_depend_on_the_batches():
    whole = basins.starts(4, 1, 0, 5)
    np.testing.assert_array_equal(whole[3:], basins.starts(4, 1, 3, 2))
    assert whole.shape == (5, 5, 4)


def test_starts_have_variance_one_over_d():
    drawn = basins.starts(8, 0, 0, 500)
    np.testing.assert_allclose(drawn.var(), 1 / 8, rtol=5 * np.sqrt(2 / drawn.size))  # five standard deviations


def test_ends_are_those_of_a_long_flow():
    """Eight teachers: start 1 is known to the table as spurious, start 0 as global."""
    cell = Cell(8, 0, "L2")
    found = basins.ends(cell, 0, 2)
    lanes = basins.starts(8, 0, 0, basins.LANES["L2"])  # as many as the study follows: one compilation for both
    flows = st.gradient_flows(
        lanes, st.Network(np.eye(8)), st.L2, t1=1500.0, saveat=[1500.0], until_distance=1e-12, rtol=basins.RTOL
    )
    assert found.codes == "GM"
    np.testing.assert_allclose(found.losses, flows.end_loss[:2], atol=1e-10)
    table = basin_table.read()[cell]
    assert table.codes[:2] == found.codes
    assert table.lowest <= found.losses[1] + 1e-6


def test_ends_where_output_weights_train_are_those_of_the_table():
    cell, codes = Cell(8, 0, "L2"), "GM"
    found = basins.ends(cell, 0, 2, train="both")
    assert found.codes == codes == basin_table.read(basin_table.TABLES["both"])[cell].codes[:2]
    assert found.losses[0] < 1e-12 < basin_table.read()[cell].lowest - 1e-6 <= found.losses[1]


def test_a_row_grows_by_batches():
    row = Row().plus(Ends("GM", (0.0, 0.5))).plus(Ends("MG", (0.2, 1e-20)))
    assert row == Row("GMMG", 0.2, 0.5)


def test_a_table_is_read_as_it_was_written(tmp_path):
    rows = {CELL: Row("GGM", 0.25, 0.25), Cell(4, 1, "H1 loss"): Row("GGG")}
    basin_table.write(rows, tmp_path / "t.csv")
    assert basin_table.read(tmp_path / "t.csv") == rows
    assert basin_table.read(tmp_path / "none.csv") == {}


def test_what_is_missing_is_what_the_table_has_not():
    rows = {CELL: Row("G" * basins.BATCH)}
    other = Cell(5, 0, "L2")
    assert basins.missing(rows, [CELL, other], 2 * basins.BATCH) == [
        (other, 0),
        (CELL, basins.BATCH),
        (other, basins.BATCH),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("starts", "runs", "got columns"), ("GGM", "GGX", "line 2"), (",3,", ",4,", "line 2"), ("L2", "L3", "line 2")],
)
def test_a_table_of_something_else_is_refused_by_name(tmp_path, old, new, message):
    path = tmp_path / "t.csv"
    basin_table.write({CELL: Row("GGM", 0.25, 0.25)}, path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message) as error:
        basin_table.read(path)
    assert str(path) in str(error.value)


def test_the_command_runs_resumes_and_refuses(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        basins,
        "carried_out",
        lambda tasks, processes, train: (
            (cell, first, Ends("G" * basins.BATCH, (0.0,) * basins.BATCH)) for cell, first in tasks
        ),
    )
    table = tmp_path / "t.csv"
    command = ["--teachers", "4", "--extra", "0", "--table", str(table)]
    assert basins.main([*command, "--starts", "25"]) == 0
    assert "3 batches of 25 starts done" in capsys.readouterr().out
    assert basins.main([*command, "--starts", "50"]) == 0
    assert "3 batches" in capsys.readouterr().out
    assert [len(row.codes) for row in basin_table.read(table).values()] == [50, 50, 50]
    both = [*command[:-1], str(tmp_path / "both.csv"), "--train", "both", "--starts", "25"]
    assert basins.main(both) == 0
    assert "3 batches" in capsys.readouterr().out
    for wrong in (
        ["--flows", "H1 gradient"],
        ["--starts", "30"],
        ["--processes", "0"],
        ["--teachers", "1"],
        ["--table", str(tmp_path / "no" / "t")],
    ):
        with pytest.raises(SystemExit, match="2"):
            basins.main([*command, *wrong])
        assert wrong[0] in capsys.readouterr().err


def test_the_table_in_the_repository_has_all_three_flows_of_every_size():
    rows = basin_table.read()
    sizes = {(cell.teachers, cell.extra) for cell in rows}
    assert {(teachers, 0) for teachers in range(6, 21)} <= sizes
    assert {cell.flow for cell in rows} == set(basins.FLOWS) == set(basin_table.FLOWS)
    # No spurious end below what counts as low. Those still under way may be anywhere.
    assert all(row.lowest > basins.LOW for row in rows.values() if basin_table.OPEN not in row.codes)


def test_a_share_has_its_exact_interval():
    """Of none in n the upper end is 1 - (0.025)^(1/n); of half it is symmetric."""
    none, half = basin_table.elsewhere(Row("G" * 20)), basin_table.elsewhere(Row("GMGO"))
    assert (none.missed, none.low) == (0, 0.0)
    np.testing.assert_allclose(none.high, 1 - 0.025 ** (1 / 20), rtol=1e-10)
    assert half.value == 0.5
    np.testing.assert_allclose(half.low, 1 - half.high, rtol=1e-10)


def test_the_paired_test_counts_starts_at_which_one_arrives_alone():
    one, other = Row("GMMMMMMG"), Row("GGGGGGGM")
    np.testing.assert_allclose(basin_table.paired(one, other), 2 * (1 + 7) / 2**7, rtol=1e-12)
    assert basin_table.paired(one, one) == 1.0


def test_the_summary_has_a_line_per_size(capsys):
    assert basins.main(["--show"]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    rows = basin_table.read()
    sizes = {(cell.teachers, cell.extra) for cell in rows}
    assert len(lines) == len(sizes) + len(basin_table.PUBLISHED) + 1
    share = basin_table.elsewhere(rows[Cell(6, 0, "L2")])
    assert f"{share.missed}/{share.starts}" in lines[0]


def test_shares_are_compared_with_those_that_were_published():
    alike = {Cell(10, 0, "L2"): Row("G" * 65 + "M" * 35), Cell(9, 0, "L2"): Row("M")}
    lines = list(basin_table.against_published(alike))
    assert lines[0].strip().startswith("10   L2 35/100 = 0.350, published 0.346, p = 1.00")
    assert len(lines) == 2
    unlike = {Cell(6, 0, "L2"): Row("G" * 50 + "M" * 50)}
    assert list(basin_table.against_published(unlike))[-1].endswith("1 degrees of freedom, p = 0.00")
    assert list(basin_table.against_published({})) == []
