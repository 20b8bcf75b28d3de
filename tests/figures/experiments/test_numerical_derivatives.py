"""The experiment on Ackley's function: the target and its slopes, fair starts, findings that follow the numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.experiments import numerical_derivatives
from figures.experiments.numerical_derivatives import RUNS, TOLERANCES, Setting
from figures.problems import ackley, published_ackley
from tests.figures.helpers import assert_within_the_page

SMALL = Setting(points=22, seeds=2, width=4, depth=1, adam=20, rate=0.03, lbfgs=2, every=10, sides=(22,))


@pytest.fixture(scope="module")
def data():
    return numerical_derivatives.data(setting=SMALL)


def made_up(halving, seeds=6, last=2000):
    """Errors that halve every so many steps of each run, a little faster from seed to seed."""
    step = np.arange(0.0, last + 1, 50.0)
    speed = np.linspace(1.0, 1.2, seeds)[:, None]
    return {
        "step": step,
        "adam": np.array(1500),
        "runs": np.array(list(RUNS)),
        "error": np.stack([2.0 ** (-step * speed / half) for half in halving]),
        "seconds": np.outer([1, 1, 3, 3, 3, 3], step / 100),
        "points": np.array(32),
        "side": np.array([32, 64]),
        "slope_error": np.full((3, 2, 2), 0.01),
    }


def test_ackley_has_the_slope_of_its_formula_and_none_at_the_tip():
    x = jnp.array([[0.3, -1.2], [2.0, 0.5], [0.0, 1e-3]])
    r = jnp.sqrt(jnp.mean(x**2, axis=1, keepdims=True))
    bumps = jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x), axis=1, keepdims=True))
    slope = 2 * x / r * jnp.exp(-0.2 * r) + jnp.pi * jnp.sin(2 * jnp.pi * x) * bumps
    # Ten operations or so on numbers up to 20.
    np.testing.assert_allclose(ackley.exact(x[None])[0], slope, atol=1e-14)
    assert abs(ackley.ackley(jnp.zeros(2))) < 1e-14  # differences of numbers of size 20
    np.testing.assert_array_equal(jax.grad(ackley.ackley)(jnp.zeros(2)), 0.0)
    assert ackley.ackley(jnp.array([1.0, 1.0])) == pytest.approx(20 - 20 * np.exp(-0.2), rel=1e-14)


def test_differences_have_their_order_away_from_the_tip():
    coarse, fine = (ackley.slope_errors(RUNS["H1 differences"], n)[1] for n in (100, 199))
    # 4 inside. A root mean square over the rows at the border, a share of h of all points, falls as h^4.5; a quarter
    # and an eighth, 2 pi h, are what the next terms are relative to these.
    assert 3.9 < np.log2(coarse / fine) < 4.7


def test_schemes_of_higher_order_are_better_away_from_the_tip_and_err_like_any_other_around_it():
    errors = {name: ackley.slope_errors(RUNS[name], 64) for name in numerical_derivatives.SCHEMES}
    away = {name: error[1] for name, error in errors.items()}
    assert away["H1 Chebyshev"] < away["H1 adaptive"] < away["H1 differences"] / 2
    assert all(1e-3 < error[0] < 2e-2 for error in errors.values())


def test_the_error_of_slopes_is_relative():
    x = ackley.grid(22, "uniform")
    exact = ackley.exact(x)
    assert ackley.relative_error(exact, x) == 0
    assert ackley.relative_error(0 * exact, x) == pytest.approx(1, rel=1e-15)
    assert ackley.relative_error(1.5 * exact, x, beyond=1.0) == pytest.approx(0.5)


def test_test_points_are_none_of_the_training_points_and_have_the_tip_among_them():
    test, values = ackley.test_data(22)
    trained = ackley.training_data(RUNS["L2"], 22)[0]
    distances = jnp.linalg.norm(test[:, None] - trained, axis=-1)
    half = 2 / 21  # of a spacing
    assert distances.min() == pytest.approx(half * 2**0.5)
    assert jnp.linalg.norm(test, axis=1).min() < 1e-12
    np.testing.assert_allclose(values, jax.vmap(ackley.ackley)(test), atol=1e-14)


def test_slopes_of_every_run_belong_to_its_points():
    for name, run in RUNS.items():
        x, values, slopes = ackley.training_data(run, 64)
        np.testing.assert_allclose(values, jax.vmap(ackley.ackley)(x), atol=1e-14)
        if run.loss == "H1":
            wanted = jax.vmap(jax.grad(ackley.ackley))(x)
            assert jnp.linalg.norm(slopes - wanted) < 0.02 * jnp.linalg.norm(wanted), name
        else:
            assert slopes is None


def test_all_runs_start_from_the_same_networks_and_then_part(data):
    assert data["error"].shape == (len(RUNS), 2, 4)
    np.testing.assert_array_equal(data["step"], [0, 10, 20, 22])
    # Sums of 441 squares in single precision may be taken in another order.
    np.testing.assert_allclose(data["error"][:, :, 0], np.broadcast_to(data["error"][0, :, 0], (6, 2)), rtol=1e-5)
    assert len(np.unique(data["error"][:, 0, -1])) == len(RUNS)
    assert data["error"][0, 0, 0] != data["error"][0, 1, 0]


def test_each_cell_is_of_one_loss_and_all_runs_are_in_their_order():
    cells = numerical_derivatives.CELLS
    assert [name for names in cells for name in names] == list(RUNS)
    assert all(len({RUNS[name].loss for name in names}) == 1 for names in cells)


def test_training_lowers_the_error(data):
    assert np.all(data["error"][..., -1] < data["error"][..., 0])
    assert np.all(np.diff(data["seconds"], axis=1) > 0)


def test_time_counts_the_least_per_step_of_each_optimiser():
    step, seconds = np.array([0, 10, 20, 22, 24]), np.array([0.0, 5.0, 6.0, 10.0, 11.0])
    found = published_ackley.quiet_seconds(step, seconds, adam=20)
    np.testing.assert_allclose(found, [0.0, 1.0, 2.0, 3.0, 4.0], rtol=1e-14)


def test_half_the_steps_are_found_as_a_factor_of_2_and_three_times_the_time_a_step_as_2_thirds():
    lines = numerical_derivatives.finding(made_up([100, 100, 50, 50, 50, 50]))
    factors = [line for line in lines if "steps to error" in line and " L2 over H1 exact" in line]
    assert len(factors) == len(TOLERANCES)
    for line in factors:
        factor = float(line.split(" is ")[1].split()[0])
        assert line.startswith("supported")
        assert factor == pytest.approx(2, rel=0.11)  # records are 50 steps apart, of 500 or more
        assert "not reached" not in line
    (time,) = (line for line in lines if "time to error" in line and " L2 over H1 exact" in line)
    assert time.startswith("not supported, the opposite is seen")
    assert float(time.split(" is ")[-1].split()[0]) == pytest.approx(2 / 3, rel=0.11)


def test_what_is_not_reached_is_said_and_counts_as_the_last_step():
    lines = numerical_derivatives.finding(made_up([1000, 1000, 100, 1000, 100, 100]))
    (bound,) = (line for line in lines if "steps to error 0.001 " in line and "H1 exact" in line)
    assert bound.startswith("supported")
    assert "counted as 2000 where not reached" in bound
    assert bound.endswith("reached by 0 and 6 of 6 seeds")
    assert float(bound.split(" is ")[1].split()[0]) == pytest.approx(2000 / 950, rel=0.06)  # 1000 or less, by 50
    (never,) = (line for line in lines if "error 0.001, L2 and H1 differences" in line)
    assert never.startswith("not reached in 2000 steps")
    assert not any("time to error" in line for line in lines)


@pytest.mark.parametrize("halving", [[100, 100, 50, 50, 50, 50], [1000, 1000, 100, 1000, 100, 100]])
def test_it_is_drawn_within_the_page_also_where_tolerances_are_not_reached(halving):
    assert_within_the_page(numerical_derivatives.draw(made_up(halving)))


def test_what_was_computed_is_drawn(data):
    assert_within_the_page(numerical_derivatives.draw(data))


def test_grids_too_small_for_the_schemes_are_named():
    with pytest.raises(ValueError, match="points, sides: got 16 points a side; needs at least 22"):
        numerical_derivatives.data(setting=Setting(sides=(32, 16)))
