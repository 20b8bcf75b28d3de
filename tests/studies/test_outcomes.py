"""The study of outcomes: problems that do not depend on the batches, a table that resumes, and what it says."""

import numpy as np
import pytest

import sobolev_theory as st
from studies import outcomes
from studies.outcomes import Cell, Row

CELL = Cell(3, "H1 loss")


def test_a_problem_has_signed_output_weights_and_a_teacher_of_half_as_many():
    starts, signs, teacher = outcomes.problem(5, 2)
    assert (starts.shape, teacher.weights.shape) == ((8, 5, 5), (3, 5))
    assert set(np.abs(signs)) == {1.0}
    assert np.all(np.abs(np.abs(teacher.output_weights) - 0.75) <= 0.25)
    np.testing.assert_array_equal(starts, outcomes.problem(5, 2)[0])


def test_a_table_is_read_as_it_was_written_and_what_is_missing_follows(tmp_path):
    row = Row("TTTVTTTN", 2, 1e-13).plus(Row("TTTTTTTT", 1, 2e-13))
    assert row == Row("TTTVTTTNTTTTTTTT", 3, 2e-13)
    outcomes.write({CELL: row}, tmp_path / "t.csv")
    rows = outcomes.read(tmp_path / "t.csv")
    assert rows == {CELL: row}
    other = Cell(4, "L2")
    assert outcomes.missing(rows, [CELL, other], 3) == [(CELL, 2), (other, 0), (other, 1), (other, 2)]
    assert outcomes.read(tmp_path / "none.csv") == {}


def test_a_file_that_is_no_such_table_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="got columns"):
        outcomes.read(tmp_path / "t.csv")


@pytest.mark.parametrize(("train", "rise"), [("weights", 1e-10), ("both", 1e-9)])  # flows of rtol 1e-6
def test_every_flow_of_the_tables_ended_in_an_outcome_that_is_none_of_the_solver(train, rise):
    rows = outcomes.read(outcomes.TABLES[train])
    assert {cell.flow for cell in rows} == set(outcomes.FLOWS)
    assert sum(len(row.codes) for row in rows.values()) >= 3000
    left = set("".join(row.codes for row in rows.values()))
    assert {outcomes.CODES[code] for code in left} <= {st.Outcome.TIME, st.Outcome.VANISHED, st.Outcome.NOT_UNIQUE}
    assert max(row.rise for row in rows.values()) < rise
