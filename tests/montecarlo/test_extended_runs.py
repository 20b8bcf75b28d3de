"""Finished runs that go on to more samples, or to a smaller error; meshes that cannot share a checkpoint."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.montecarlo import control_variates, network_estimates
from sobolev_theory.runs import first_process

BATCH, GROUP = 2**6, 2**2
STUDENT, TEACHER = map(st.Network, np.random.default_rng(3).normal(size=(2, 2, 3)))


def run(batches: int, path=None, **options) -> st.montecarlo.Estimate:
    options = {"batch": BATCH, "group": GROUP, "covariance": True, "samples": batches * BATCH} | options
    return st.montecarlo.population_gradient(STUDENT, TEACHER, key=jax.random.key(1), checkpoint=path, **options)


def assert_same_bits(found, expected):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


def test_a_finished_run_goes_on_to_more_samples_as_if_they_had_been_asked_for_at_once(path):
    short, whole = run(3, path), run(7)
    assert_same_bits(short, run(3))
    assert_same_bits(run(7, path), whole)
    assert not np.array_equal(short.mean.weights, whole.mean.weights)


def test_a_run_that_reached_its_target_goes_on_to_a_smaller_one(path):
    loose, tight = (float(factor * np.max(run(3).standard_error.weights)) for factor in (1.0, 0.5))
    first = run(200, path, standard_error=loose)
    second = run(200, path, standard_error=tight)
    assert first.samples < second.samples < 200 * BATCH
    assert np.max(second.standard_error.weights) <= tight
    assert_same_bits(second, run(200, standard_error=tight))
    assert_same_bits(run(200, path, standard_error=loose), second)  # what it has is better
    whole = second.samples // BATCH + 1
    assert_same_bits(run(whole, path), run(whole))


def test_fewer_samples_than_there_are_are_refused_and_nothing_is_lost(path):
    run(3, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"samples: got 128 in whole batches; needs at least the 192 in {path}"):
        run(2, path)
    assert path.read_bytes() == before


def test_other_portions_are_another_problem(path):
    run(3, path)
    for other in ({"batch": 2 * BATCH}, {"group": 2 * GROUP}):
        with pytest.raises(ValueError, match=r"another problem \(other .*, batch and group"):
            run(4, path, **other)


def test_a_control_goes_on_where_its_slope_is_that_of_the_longer_run(path, monkeypatch):
    """The pilot has one group for 16 of the stream: 32 of 3 and of 32 batches of 16, 34 of 34."""
    run(3, path, control=st.L2)
    assert_same_bits(run(5, path, control=st.L2), run(5, control=st.L2))
    with pytest.raises(ValueError, match="another problem"):
        run(34, path, control=st.L2)


def test_a_mesh_of_some_processes_is_refused_before_the_pilot(path, monkeypatch):
    mesh = SimpleNamespace(devices=np.array([SimpleNamespace(process_index=i) for i in (0, 1)]))
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    monkeypatch.setattr(network_estimates, "mesh_of", lambda options: mesh)
    monkeypatch.setattr(control_variates, "best_slopes", None)
    with pytest.raises(ValueError, match="mesh: got devices of 2 of 3 processes; needs those of one or of all"):
        run(3, path, control=st.L2)
    assert not path.exists()
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    assert first_process.joined(mesh, "checkpoint")
