"""The experiment on architectures: its networks and targets, fair starts, and findings that follow the numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.experiments import architectures
from figures.experiments.architectures import ARCHITECTURES, LOSSES, TARGETS, Setting
from figures.kept import Keep
from figures.networks import fields
from sobolev_theory import training
from tests.figures.helpers import assert_within_the_page

SMALL = Setting(seeds=2, width=6, depth=1, points=16, adam=30, lbfgs=2, every=16)


def cell(architecture: str, loss: str):
    return architectures._train(SMALL, architecture, loss, Keep(), f"{architecture}-{loss}")


@pytest.fixture(scope="module")
def of_h1():
    return cell("fourier", "H1")


def made_up(a: int, loss: int, seeds: int = 6):
    """Errors of a cell [F S, T]; with H1 half of those of L2 for the first architecture and twice for the others."""
    factor = [1.0, 0.5 if a == 0 else 2.0, 4.0][loss]
    targets = np.repeat([1.0, 10.0, 100.0], seeds)
    error = factor * targets[:, None] * np.array([1.0, 0.1, 0.01])
    seconds = np.array([0.0, 1.0, 3.0]) * (1 + loss)
    return {"step": np.array([0, 1600, 1800]), "seconds": seconds, "error": error, "slope_error": error / factor}


@pytest.fixture
def of_made_up(monkeypatch):
    names = list(ARCHITECTURES), list(LOSSES)
    monkeypatch.setattr(
        architectures, "_train", lambda _, a, loss, *rest: made_up(names[0].index(a), names[1].index(loss))
    )
    return architectures.data()


def test_targets_are_those_of_the_paper():
    x = np.array([-0.7, 0.2, 0.9])
    _, slope = training.derivatives(lambda x: jnp.stack([f(x) for f in TARGETS.values()]), x, 1)
    expected = [
        2 * np.pi * np.cos(2 * np.pi * x) + 20 * np.pi * np.cos(20 * np.pi * x),
        1 + 8 * np.pi * x**3 * np.cos(2 * np.pi * x**4),
        np.exp(x) * (np.sin(20 * x) + 20 * np.cos(20 * x)),
    ]
    np.testing.assert_allclose(slope.T, expected, rtol=1e-12)  # rounding of arguments up to 20 pi


def test_siren_starts_with_unit_variance_before_each_sine():
    """Section 3.2 of Sitzmann et al.: sines of wide layers are arcsine distributed, their sums normal."""
    siren = fields.Siren(1024, 2, key=jax.random.key(0))
    x = jnp.linspace(-1.0, 1.0, 201)[:, None]
    hidden = jnp.sin(30 * jax.vmap(siren.layers[0])(x))
    before = 30 * hidden @ siren.layers[1].weight.T
    assert np.var(before) == pytest.approx(1.0, rel=0.1)  # standard error of some 5 per cent at this width
    rest = jnp.sin(30 * jax.vmap(siren.layers[1])(hidden))
    np.testing.assert_allclose(jax.vmap(siren)(x[:, 0]), jax.vmap(siren.layers[2])(rest)[:, 0], atol=1e-12)


def test_frequencies_of_fourier_features_are_not_trained():
    network = fields.FourierFeatures(8, 1, key=jax.random.key(0))
    gradient = eqx.filter_grad(lambda network: network(jnp.array(0.3)))(network)
    np.testing.assert_array_equal(gradient.frequencies, 0.0)
    assert np.all(np.asarray(gradient.network.layers[0].weight) != 0)


def test_every_loss_and_target_starts_from_the_network_of_the_seed(of_h1):
    between = jnp.linspace(-1.0, 1.0, 31)[1::2]
    wanted = architectures._stacked(lambda target: (jax.vmap(target)(between),))[0]
    for seed, key in enumerate(jax.random.split(jax.random.key(0), SMALL.seeds)):
        error = jax.vmap(ARCHITECTURES["fourier"](SMALL.width, SMALL.depth, key=key))(between) - wanted
        expected = np.sqrt(np.mean(error**2, axis=1) / np.mean(wanted**2, axis=1))
        # Single precision of phases up to some 50.
        np.testing.assert_allclose(of_h1["error"][seed :: SMALL.seeds, 0], expected, rtol=1e-4)


def test_a_cell_has_records_of_both_stages_and_learns_the_slopes(of_h1):
    assert of_h1["step"].tolist() == [0, 16, 30, 32]
    assert of_h1["error"].shape == of_h1["slope_error"].shape == (len(TARGETS) * SMALL.seeds, 4)
    assert np.all(of_h1["slope_error"][:, -1] < of_h1["slope_error"][:, 0])


def test_data_is_by_architecture_loss_target_and_seed(of_made_up):
    assert of_made_up["error"].shape == (3, 3, 3, 6, 3)
    np.testing.assert_allclose(of_made_up["error"][0, 1, 2, :, 0], 50.0)
    np.testing.assert_allclose(of_made_up["error"][2, 1, 0, :, 1], 0.2)
    np.testing.assert_allclose(of_made_up["seconds"][1, 2], [0.0, 3.0, 9.0])


def test_findings_count_fits_with_lower_and_higher_error(of_made_up):
    lines = architectures.finding(of_made_up)
    assert "each takes 2 times as long: error lower in 3 of 9 fits, higher in 6, no effect seen in 0" in lines[0]
    assert "error of slopes lower in 0 of 9 fits, higher in 0, no effect seen in 9" in lines[0]
    assert lines[1].startswith("  supported: f1, tanh network: error of L2 over that of H1 is 2 ")
    assert lines[2].startswith(
        "  not supported, the opposite is seen: f1, Fourier features: error of L2 over that of H1"
    )
    assert "each takes 3 times as long: error lower in 0 of 9 fits, higher in 9" in lines[10]
    assert len(lines) == 20


def test_it_is_drawn_within_the_page(of_made_up):
    assert_within_the_page(architectures.draw(of_made_up))
