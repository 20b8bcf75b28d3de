"""What the figure of one neuron's flows shows: true times to tolerance, and where the neuron vanishes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from figures.theory import one_neuron_flows
from sobolev_theory import single_neuron
from tests.figures.helpers import assert_within_the_page

pytestmark = pytest.mark.xdist_group("flows")
TOLERANCE = 1e-3
PLANAR = {"l2": single_neuron.l2_flow, "h1_population": single_neuron.h1_population_flow}


@pytest.fixture(scope="module")
def data():
    return one_neuron_flows.data(norms=3, angles=8, tolerance=TOLERANCE, samples=41)


@pytest.mark.parametrize("name", PLANAR)
def test_times_are_those_of_the_planar_equations(data, name):
    velocity = jax.jit(lambda y: jnp.stack(PLANAR[name](y[0], y[1])))

    def near(_, y):
        return np.hypot(y[0] * np.cos(y[1]) - 1, y[0] * np.sin(y[1])) - TOLERANCE

    near.terminal = True
    for i, j in ((0, 1), (1, 4), (2, 7)):
        start = [data["norm"][i], data["angle"][j]]
        path = solve_ivp(lambda _, y: np.asarray(velocity(y)), (0, 100), start, events=near, rtol=1e-10, atol=1e-12)
        # The distance is taken to one per cent, and falls at a rate of at least 0.4.
        np.testing.assert_allclose(data[f"{name}_time"][i, j], path.t_events[0][0], atol=0.01 / 0.4)


def test_under_the_loss_of_h1_neurons_vanish_exactly_beyond_the_angle_that_does_not_turn(data):
    edge = brentq(lambda theta: 2 * (np.pi - theta) * np.sin(theta) + np.cos(theta), 2.0, 3.0)
    np.testing.assert_array_equal(np.isinf(data["h1_loss_time"]), np.broadcast_to(data["angle"] > edge, (3, 8)))
    assert np.all(np.isfinite(data["l2_time"]))
    assert np.all(np.isfinite(data["h1_population_time"]))


def test_curves_keep_the_proved_bounds(data):
    l2, loss = data["l2_distance"], data["h1_loss_distance"]
    known = np.isfinite(l2)
    assert np.all(l2[known] >= l2[0] * np.exp(-data["time"][known] / 2) * (1 - 1e-9))
    inside = np.flatnonzero(loss <= 0.5)
    first = inside[0]
    assert np.all(loss[inside] <= loss[first] * np.exp(-(data["time"][inside] - data["time"][first])) * (1 + 1e-9))


def test_it_is_drawn_within_the_page(data):
    assert_within_the_page(one_neuron_flows.draw(data))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"norms": 1}, "norms, angles: got 1, 32"), ({"tolerance": 0.0}, "tolerance: got 0.0")],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        one_neuron_flows.data(**arguments)
