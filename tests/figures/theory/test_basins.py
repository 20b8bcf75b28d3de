"""What the figure of basins shows: the counts of the table, with their exact intervals."""

import numpy as np
import pytest

from figures.kept.sources import fingerprint
from figures.theory import basins
from studies import basin_table
from studies.basin_table import Cell, Row
from tests.figures.helpers import assert_within_the_page


@pytest.fixture
def table(tmp_path):
    rows = {
        Cell(6, 0, "L2"): Row("GGMM", 0.1, 0.2),
        Cell(6, 0, "H1 loss"): Row("GGGG"),
        Cell(8, 0, "L2"): Row("MMMM", 0.1, 0.2),
        Cell(8, 1, "H1 population"): Row("GGGM", 0.1, 0.1),
    }
    basin_table.write(rows, tmp_path / "t.csv")
    return tmp_path / "t.csv"


def test_counts_are_those_of_the_table_and_gaps_stay_gaps(table):
    data = basins.data(table)
    assert data["extra"].tolist() == [0, 1]
    assert data["teachers"].tolist() == [6, 8]
    assert data["missed"][0, 0].tolist()[::2] == [2, 0]
    assert data["starts"].sum() == 16
    np.testing.assert_array_equal(np.isnan(data["missed"]), data["starts"] == 0)
    share = data["missed"] / np.where(data["starts"] > 0, data["starts"], np.nan)
    known = data["starts"] > 0
    assert np.all((data["low"] <= share)[known])
    assert np.all((share <= data["high"])[known])


def test_every_known_share_is_drawn_at_its_height(table):
    figure = basins.draw(basins.data(table))
    first, second = figure.axes
    assert [line.get_ydata().tolist() for line in first.get_lines()] == [[0.5, 1.0], [], [0.0]]
    assert [line.get_ydata().tolist() for line in second.get_lines()] == [[], [0.25], []]
    assert_within_the_page(figure)


def test_the_table_of_the_repository_is_drawn_within_the_page():
    assert_within_the_page(basins.draw(basins.data()))


def test_another_table_is_another_figure(table):
    assert basins.FIGURE.sources == (basin_table.TABLE,)
    before = fingerprint(basins.data, {}, [table])
    basin_table.write({Cell(6, 0, "L2"): Row("GGGG")}, table)
    assert fingerprint(basins.data, {}, [table]) != before


def test_an_empty_table_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"table: got .*none\.csv, which has no rows"):
        basins.data(tmp_path / "none.csv")
