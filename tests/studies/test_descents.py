"""The study of descents: one rate for all sizes, the same samples for all methods, a table that resumes."""

import jax
import numpy as np
import pytest

import sobolev_theory as st
from studies import descent_table, descents
from studies.descent_table import Cell, Row

CELL = Cell(3, "SGD", "H1 autodiff", 0.0, 0.1, 8, 50, 0, "study")
TUNING = CELL._replace(teachers=descents.TUNED_AT, stream="tuning")


def test_a_table_is_read_as_it_was_written(tmp_path):
    trained = Row((100, None), (1e-5, 0.02), (1e-6, 1e-7))
    rows = {CELL: Row((100, None), (1e-5, 0.02)), CELL._replace(points=30): trained, TUNING: Row((None,), (np.inf,))}
    descent_table.write(rows, tmp_path / "t.csv")
    assert descent_table.read(tmp_path / "t.csv") == rows
    assert descent_table.read(tmp_path / "none.csv") == {}


@pytest.mark.parametrize(
    ("old", "new"), [("losses", "ends"), ("SGD", "SGB"), (",2,1,", ",3,1,"), ("100 -", "x"), ("50,0", "50,9")]
)
def test_a_table_of_something_else_is_refused_by_name(tmp_path, old, new):
    path = tmp_path / "t.csv"
    descent_table.write({CELL: Row((100, None), (1e-5, 0.02))}, path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=r"t\.csv.*: got .*; needs"):
        descent_table.read(path)


def test_a_median_counts_those_that_miss_as_infinite_and_has_its_order_statistics():
    row = Row((*range(100, 140), *[None] * 0), (0.0,) * 40)
    # P(at most 13 of 40 below the median) = 0.019, P(at most 14) = 0.040: the 14th from both ends.
    assert descent_table.median_samples(row) == (119.0, 113.0, 126.0)
    mostly_lost = Row((1, *[None] * 39), (0.0,) * 40)
    assert descent_table.median_samples(mostly_lost).value == np.inf
    assert descent_table.median_samples(Row((5, 6), (0.0, 0.0)))[1:] == (0.0, np.inf)


def test_the_best_rate_misses_least_and_then_needs_fewest_samples():
    rows = {
        TUNING._replace(rate=0.1): Row((10, None), (0.0, 1.0)),
        TUNING._replace(rate=0.2): Row((30, 40), (0.0, 0.0)),
        TUNING._replace(rate=0.4): Row((20, 30), (0.0, 0.0)),
        TUNING._replace(rate=0.8, method="L2"): Row((1, 1), (0.0, 0.0)),
        CELL._replace(rate=0.7): Row((1, 1), (0.0, 0.0)),  # of the study, which chooses nothing
    }
    assert descent_table.best_rate(rows, CELL) == 0.4
    with pytest.raises(ValueError, match="rate: got a table without tuning of Adam"):
        descent_table.best_rate(rows, CELL._replace(optimiser="Adam"))


def test_the_methods_differ_by_the_boundary_alone():
    """A step that is next to sharp has the slope of autodiff on almost every sample: it is told by the boundary."""
    w, teacher = descents.starts(3, 0, 0, 1)[0], st.Network(np.eye(3))
    x = np.random.default_rng(0).normal(size=(64, 3))
    methods = ("L2", 0.0), ("H1 autodiff", 0.0), ("H1 boundary", 0.0), ("H1 smoothed", 1e-9)

    @jax.jit
    def gradients(w):
        found = [jax.grad(descents.sample_loss(*method))(w, x, teacher) for method in methods]
        return *found, st.training.boundary_term(st.Network(w), x, teacher).weights

    l2, autodiff, boundary, smoothed, term = gradients(w)
    np.testing.assert_allclose(smoothed, autodiff, atol=1e-12)
    np.testing.assert_allclose(boundary - autodiff, term, atol=1e-14)
    assert min(np.abs(l2 - autodiff).max(), np.abs(boundary - autodiff).max()) > 1e-2


def test_a_run_descends_on_every_lane_with_a_rate_that_falls_to_0():
    run = descents.descent(3, "SGD", "L2", 8, 100, 0)
    w = np.float32(descents.starts(3, 0, 0, 4))
    losses, training, end = run(w, np.float32([0.0, 0.1, 0.1, 0.1]), np.float32(0.0), jax.random.key(1, impl="rbg"))
    assert losses.shape == (3, 4)
    assert training == ()
    np.testing.assert_array_equal(end[0], w[0])
    assert np.all(losses[2, 1:] < losses[0, 1:])


def test_a_training_set_is_learnt_by_heart_where_it_is_small():
    """Three points of three inputs hold down a third of the weights: their loss falls to 0, the exact one not."""
    run = descents.descent(3, "SGD", "L2", 8, 1000, 3)
    w = np.float32(descents.starts(3, 0, 0, 4))
    losses, training, _ = run(w, np.full(4, 0.1, np.float32), np.float32(0.0), jax.random.key(1, impl="rbg"))
    assert np.all(training < 1e-3 * losses[-1])


def test_the_command_tunes_runs_resumes_and_refuses(tmp_path, monkeypatch, capsys):
    calls = []

    def followed(cell, w, rates, first):
        calls.append((cell.stream, first))
        assert w.shape == (descents.LANES, cell.teachers, cell.teachers)
        return [Row((100,), (1e-6,)) for _ in rates]

    monkeypatch.setattr(descents, "followed", followed)
    table = tmp_path / "t.csv"
    command = ["--teachers", "4", "5", "--optimisers", "SGD", "--methods", "L2", "H1 smoothed", "--table", str(table)]
    assert descents.main(command) == 0
    assert [stream for stream, _ in calls] == ["tuning"] * 2 + ["study"] * 4
    calls.clear()
    assert descents.main([*command, "--starts", "80"]) == 0
    assert calls == [("study", descents.LANES)] * 4
    rows = descent_table.read(table)
    assert [len(row.samples) for cell, row in rows.items() if cell.stream == "study"] == [80] * 4
    assert len({cell.rate for cell in rows if cell.stream == "study"}) == 1
    for wrong in (
        ["--starts", "30"],
        ["--widths", "0"],
        ["--points", "-1"],
        ["--steps", "70"],
        ["--table", str(tmp_path / "no" / "t")],
    ):
        with pytest.raises(SystemExit, match="2"):
            descents.main([*command, *wrong])
        assert wrong[0] in capsys.readouterr().err


def test_where_a_start_diverges_all_starts_take_the_next_lower_rate(monkeypatch):
    """Here the 50th start diverges at the rate that is best in tuning."""

    def followed(cell, w, rates, first):
        diverges = cell.stream == "study" and cell.rate == 0.4
        return [Row((100,), (np.inf if diverges and first + lane == 50 else 1e-6,)) for lane in range(len(rates))]

    monkeypatch.setattr(descents, "followed", followed)
    cell = CELL._replace(method="L2", rate=0.0)
    rows = {TUNING._replace(method="L2", rate=0.4): Row((1,), (0.0,))}
    for count, rate in ((40, 0.4), (80, 0.2), (120, 0.2)):
        *_, rows = descents.carried_out(rows, [cell], count)
        study = {at.rate: len(row.samples) for at, row in rows.items() if at.stream == "study"}
        assert study == {rate: count}


def test_the_table_in_the_repository_says_what_the_documentation_says(capsys):
    """The boundary term removes misses at every size, for SGD; and every method was tuned."""
    rows = {cell: row for cell, row in descent_table.read().items() if cell.optimiser == "SGD"}
    study = {(cell.teachers, cell.method): row for cell, row in rows.items() if cell.stream == "study"}
    sizes = {teachers for teachers, _ in study}
    assert sizes
    for teachers in sizes:
        autodiff, boundary = (study[teachers, method] for method in ("H1 autodiff", "H1 boundary"))
        assert descent_table.share(boundary).missed < descent_table.share(autodiff).missed
    assert descents.main(["--show"]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len([cell for cell in descent_table.read() if cell.stream == "study"])
