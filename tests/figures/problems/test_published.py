"""The setting of the public code: networks, starts, losses and grids, against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.networks.published import KINDS, Field
from figures.problems import ackley, published_ackley, published_fits

SEEDS, WIDTH, POINTS = 2, 4, 24


@pytest.fixture(scope="module")
def lanes():
    return published_fits.lanes(SEEDS, WIDTH)


@pytest.fixture(scope="module")
def field():
    """The first network of each kind, as NumPy arrays, and its value at 0.3."""

    @jax.jit
    @jax.vmap
    def of(kind):
        network = Field(kind, WIDTH, key=jax.random.key(1))
        return network.layers, network(jnp.float32(0.3))

    layers, values = of(jnp.arange(len(KINDS)))
    return [
        ([(np.asarray(w[kind], float), np.asarray(b[kind], float)) for w, b in layers], float(values[kind]))
        for kind in range(len(KINDS))
    ]


def by_numpy(kind: int, layers, x: float) -> float:
    (weight, bias), *inner, (last, offset) = layers
    z = weight[:, 0] * x + bias
    hidden = [np.tanh, lambda z: np.sin(2 * np.pi * z), np.sin][kind](z)
    for weight, bias in inner:
        hidden = [np.tanh, np.tanh, np.sin][kind](weight @ hidden + bias)
    return float((last @ hidden + offset)[0])


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_field_is_that_of_its_kind(kind, field):
    layers, value = field[kind]
    assert value == pytest.approx(by_numpy(kind, layers, 0.3), abs=1e-5)


def test_starts_are_kaimings_for_tanh_and_siren_and_xaviers_behind_normal_features():
    started = jax.jit(jax.vmap(lambda kind: Field(kind, 64, key=jax.random.key(0)).layers))(jnp.arange(len(KINDS)))
    layers = [[np.asarray(weight[kind]) for weight, _ in started] for kind in range(len(KINDS))]
    for kind, gain in ((0, 6 / 64), (1, 6 / 128), (2, 6 / 64)):
        for weight in layers[kind][1:3]:
            assert 0.98 * gain**0.5 < np.abs(weight).max() < gain**0.5  # of 4096 uniform numbers
    assert np.abs(layers[0][0]).max() < 6**0.5
    assert 0.7 < layers[1][0].std() < 1.3  # 64 normal numbers, within 3 standard errors
    np.testing.assert_array_equal(layers[0][1], layers[2][1])


def test_every_target_starts_from_the_same_networks(lanes):
    x = np.asarray(lanes[0].x).reshape(len(KINDS), 3, SEEDS, -1)
    np.testing.assert_array_equal(x[:, 0], x[:, 2])
    assert np.all(x[:, 0, 0, -2] != x[:, 0, 1, -2])
    assert lanes[0].kind.tolist() == np.repeat([0, 1, 2], 3 * SEEDS).tolist()


def test_losses_are_sums_of_mean_squares_without_a_half(lanes):
    at, network = lanes
    fits = published_fits.fits("L2", network, POINTS)
    lane = 2 * SEEDS  # tanh, f3
    layers = [(np.asarray(w, float), np.asarray(b, float)) for w, b in network(at.x[lane], at.kind[lane]).layers]
    x = np.linspace(-1, 1, POINTS)
    error = np.array([by_numpy(0, layers, point) for point in x]) - np.exp(x) * np.sin(20 * x)
    # Single precision.
    found = jax.jit(fits.objective)(at.x[lane], at.kind[lane], at.target[lane])
    assert float(found) == pytest.approx(np.mean(error**2), rel=1e-4)
    assert published_fits.loss_of(2).lambdas == (2.0, 2.0, 2.0)


def test_points_that_fill_up_the_smaller_grid_count_nothing():
    """22 x 22 equidistant points among 23 x 23."""
    fits = published_ackley.fits(("L2", "L2 equidistant"), 1, points=22, width=4)
    values = [
        ackley.training_data(published_ackley.RUNS[name], n)[1] for name, n in (("L2", 23), ("L2 equidistant", 22))
    ]
    objective = jax.jit(fits.objective)
    zero = jnp.zeros_like(fits.starts[0])  # a network that is 0 everywhere
    for run, wanted in enumerate(values):
        loss, square = objective(zero, jnp.asarray(run))
        assert loss == square == pytest.approx(np.mean(np.asarray(wanted) ** 2), rel=1e-5)
