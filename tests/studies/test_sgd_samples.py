"""The study of samples: SGD by definition, its loss, the time to a level, and what the kept table says."""

import csv

import numpy as np
import pytest

from studies import sgd_samples
from studies.sgd_in_span import sgd_in_span
from studies.sgd_samples import RUNS, START, TABLE, Row


def test_the_loss_of_gram_matrices_is_that_of_samples():
    x = np.random.default_rng(0).standard_normal((200_000, 4))
    rows = np.linalg.cholesky(np.block([[START.Q, START.R], [START.R.T, START.T]]))
    u = np.maximum(x @ rows.T, 0.0)
    squares = (u[:, :2].sum(1) - u[:, 2:].sum(1)) ** 2 / 2
    exact = sgd_samples.l2_loss((rows @ rows.T)[None])[0]
    assert abs(squares.mean() - exact) < 4 * squares.std() / np.sqrt(len(x))


def test_a_level_is_reached_where_the_logarithm_crosses_it():
    times = np.array([0.0, 1.0, 2.0, 3.0])
    assert sgd_samples.reached(times, 10.0 ** -np.array([0.0, 1.5, 2.5, 3.0])) == pytest.approx(1.5)
    assert sgd_samples.reached(times, np.ones(4)) == np.inf


@pytest.mark.parametrize("loss", ["L2", "H1"])
def test_runs_begin_at_the_given_overlaps_and_learn(loss):
    (_, first), *_, (end, last) = sgd_samples.sgd(loss, 0.5, 20, 4, 5.0)
    assert np.allclose(first, START.gram, atol=1e-12)
    assert end == 5.0
    assert sgd_samples.l2_loss(last).mean() < 0.6 * sgd_samples.l2_loss(first).mean()


@pytest.mark.parametrize(("loss", "slope"), [("L2", 0.0), ("H1", 1.0)])
def test_gram_matrices_alone_have_the_law_of_sgd(loss, slope):
    """Means and scatter of 400 runs at d = 12, where every term of a step counts."""
    runs, rate, d = 400, 0.8, 12
    *_, (_, plain) = sgd_samples.sgd(loss, rate, d, runs, 2.0)
    *_, (end, own) = sgd_in_span(START.gram, 2, np.full(runs, slope), np.full(runs, rate), d, 2.0, 1.0)
    assert end == 2.0
    at = np.triu_indices(4)
    plain, own = (x[:, *at][:, [0, 1, 2, 3, 4, 5, 6]] for x in (plain, own))  # what students are part of
    for of_each in (lambda x: x, lambda x: (x - x.mean(0)) ** 2):
        a, b = of_each(plain), of_each(own)
        error = np.sqrt((a.var(0) + b.var(0)) / runs)
        assert np.all(np.abs(a.mean(0) - b.mean(0)) < 4 * error)


def test_the_table_has_every_dimension_and_agrees_with_the_equation():
    with TABLE.open(newline="") as file:
        rows = [
            Row(row["loss"], *(float(row[name]) for name in Row._fields[1:]))  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]
    assert {(row.loss, row.d) for row in rows} == {(loss, d) for loss in ("L2", "H1") for d in RUNS}
    for row in rows:
        assert row.low - 0.15 * row.predicted < row.predicted < row.high + 0.15 * row.predicted
    for loss in ("L2", "H1"):
        seen = [(row.d, row.distance) for row in rows if row.loss == loss]
        slope = np.polyfit(*np.log(np.array(seen)).T, 1)[0]
        assert slope == pytest.approx(-0.5, abs=0.15)  # d^(-1/2), of few runs in many dimensions
