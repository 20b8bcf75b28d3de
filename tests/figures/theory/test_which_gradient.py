"""What the figure of the four gradients shows: the counts of its table, and a neuron that only two of them move."""

import numpy as np
import pytest

from figures.theory import which_gradient
from studies import descent_table
from studies.descent_table import METHODS, Cell, Row
from tests.figures.helpers import assert_within_the_page


@pytest.fixture
def table(tmp_path):
    cell = Cell(6, "SGD", "L2", 0.0, 0.1, 8, 50, 0, "study")
    rows = {
        cell: Row((100, None, None, None), (0.0, 1.0, 1.0, 1.0)),
        cell._replace(method="H1 boundary", teachers=8): Row((100,) * 4, (0.0,) * 4),
        cell._replace(method="H1 smoothed", width=0.3): Row((100,) * 4, (0.0,) * 4),
        cell._replace(stream="tuning", optimiser="Adam"): Row((None,), (1.0,)),
    }
    descent_table.write(rows, tmp_path / "t.csv")
    return tmp_path / "t.csv"


@pytest.fixture
def data(table, monkeypatch):
    turns = {"L2": 60.0, "H1 autodiff": 70.0, "H1 boundary": 0.0, "H1 smoothed": 0.0}
    monkeypatch.setattr(
        which_gradient, "followed", lambda method, number: {"angles": np.array([[50.0, 50.0], [turns[method], 0.0]])}
    )
    return which_gradient.data(table)


def test_counts_are_those_of_the_table_at_the_width_that_is_drawn(data):
    assert data["teachers"].tolist() == [6, 8]
    assert data["missed"][0, 0].tolist()[0] == 3
    assert data["missed"][0, METHODS.index("H1 boundary")].tolist()[1] == 0
    assert data["starts"].sum() == 8
    assert data["angles"].shape == (4, 2)
    assert data["angles"][1].tolist() == [50.0, 70.0]  # the neuron that autodiff leaves farthest away
    assert_within_the_page(which_gradient.draw(data))


def test_the_start_is_one_that_only_the_flow_of_the_loss_brings_home():
    assert which_gradient.start_that_tells() == 1  # the second of basins.csv at K = 8


def test_a_table_without_a_study_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"table: got .*none\.csv, without rows"):
        which_gradient.data(tmp_path / "none.csv")
