"""What the figure of value functions shows: errors of what was learnt, against exact ones, over paired seeds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.experiments import value_functions
from figures.kept import Keep
from figures.problems import control
from tests.figures.helpers import assert_within_the_page

SETTING = {"seeds": 6, "steps": 300, "width": 16, "rate": 1e-2, "samples": {"pendulum": (24,)}}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return Keep(tmp_path_factory.mktemp("cells"), "a" * 16)


@pytest.fixture(scope="module")
def data(kept):
    return value_functions.data(**SETTING, keep=kept)


@pytest.fixture(scope="module")
def tasks():
    return value_functions.tasks()


def test_gradients_reduce_the_error_of_the_feedback_for_every_seed(data):
    # By a factor near 3 in the median of these short runs; seeds are paired.
    assert np.all(data["pendulum_H1_feedback"] < data["pendulum_L2_feedback"])


def test_the_judge_finds_no_error_in_the_true_value_and_a_fifth_where_it_is_a_fifth_too_large(tasks):
    task = tasks["chain"]
    P = control.riccati(task.problem)
    unit = np.sqrt(np.mean(value_functions._test(task).value ** 2))
    found = value_functions._judge(task)(Quadratic(jnp.stack([P, 1.2 * P]) / unit))
    for quantity in value_functions.QUANTITIES:
        # Rounding of P, and Runge-Kutta's error in closed loop.
        assert abs(float(found[quantity][0])) < value_functions.RESOLUTION
    np.testing.assert_allclose([found["value"][1], found["feedback"][1]], 0.2, rtol=1e-9)
    assert found["excess"][1] > 1e-3


class Quadratic(eqx.Module):
    P: jax.Array

    def __call__(self, x):
        return x @ self.P @ x


def test_pendulum_samples_are_uniform_in_area(tasks):
    region = control.pendulum_values()
    even = np.sum(region.share[..., None] * region.values.state**2, axis=(0, 1))
    drawn = np.concatenate([tasks["pendulum"].draw(np.random.default_rng(seed), 256).state for seed in range(40)])
    # 10,240 squares of relative variance below 2 have a mean right to 1.4 per cent; with equal chances for all points
    # of the grid it would be 14 and 10 per cent off.
    np.testing.assert_allclose(np.mean(drawn**2, axis=0), even, rtol=0.05)


def made_up(problem, samples, inputs, l2, h1):
    """Errors l2 and h1 of the first number of samples, falling as 1/N, the same for 6 seeds."""
    counts = np.array(samples)
    found = {f"{problem}_samples": counts, f"{problem}_inputs": np.array(inputs)}
    for loss, first in (("L2", l2), ("H1", h1)):
        for quantity in value_functions.QUANTITIES:
            found[f"{problem}_{loss}_{quantity}"] = np.outer(first * samples[0] / counts, np.ones(6))
    return found


def test_at_equal_numbers_of_samples_the_factor_is_that_of_the_errors():
    lines = value_functions.finding(made_up("pendulum", (8, 16, 32, 64), 2, 1.0, 0.1))
    assert lines[1].startswith("supported: pendulum, 16 samples: error of the feedback of L2 over that of H1 is 10 (")
    assert lines[3] == "pendulum, 8 16 32 64 samples: the factors for the feedback are 10 10 10 10"


def test_at_as_many_numbers_l2_has_more_samples():
    """A value and 8 derivatives at each of 8 samples are 72 numbers, where an error like 1/N has fallen by 9."""
    last = value_functions.finding(made_up("chain", (8, 16, 64, 128), 8, 1.0, 0.2))[-1]
    assert "L2 with 72 samples over that of H1 with 8, as many numbers, is 0.556 (" in last
    assert last.startswith("not supported")


def test_what_diverged_counts_as_infinite_and_is_drawn_beside_the_rest():
    diverged = made_up("pendulum", (8, 16, 32, 64), 2, 1.0, 0.1) | made_up("chain", (16, 32), 8, 1.0, 0.1)
    diverged["pendulum_L2_excess"][1, :4] = np.nan
    assert "excess cost in closed loop of L2 over that of H1 is inf" in value_functions.finding(diverged)[2]
    assert_within_the_page(value_functions.draw(diverged))


def test_finished_cells_are_not_computed_again(data, kept, monkeypatch):
    monkeypatch.setattr(value_functions, "_learnt", lambda *_: pytest.fail("computed again"))
    again = value_functions.data(**SETTING, keep=kept)
    for name, array in data.items():
        np.testing.assert_array_equal(again[name], array)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"seeds": -1}, "seeds: got -1"), ({"samples": {"chain": (0,)}}, "samples of chain: got 0")],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        value_functions.data(**arguments)
