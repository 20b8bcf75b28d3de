"""Runs of `fit`: steps of optax, seed by seed; what is recorded; resuming to the same bits; refused checkpoints."""

import doctest
import importlib
import subprocess
import sys
from operator import itemgetter

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import sobolev_theory as st
from sobolev_theory import training
from sobolev_theory.training import Stage

SEEDS = 2
KEYS = jax.random.split(jax.random.key(0), SEEDS)
STARTS = {"a": jnp.array([[2.0, -1.0], [0.5, 1.5]]), "b": jnp.array([1.0, 3.0])}
MIXED = [Stage(optax.adam(0.1), 5), Stage(optax.lbfgs(), 4)]
SIMPLE = [Stage(optax.adam(0.1), 5), Stage(optax.sgd(0.1), 4)]  # quick to compile


def noisy(network, key):
    """Of another function at every step: the key moves its minimum."""
    centre = jax.random.normal(key, (2,))
    return jnp.sum(jnp.cosh(network["a"] - centre)) + (network["b"] - 1) ** 2


def fixed(network, key):
    return jnp.sum(jnp.cosh(network["a"] - 1)) + (network["b"] - network["a"][0]) ** 2


def looped(objective):
    """The same for each seed, as optax's documentation has it."""
    networks, step = [jax.tree.map(itemgetter(seed), STARTS) for seed in range(SEEDS)], 0
    for stage in MIXED:
        rule = optax.with_extra_args_support(stage.optimiser)
        memories = [rule.init(network) for network in networks]

        @jax.jit
        def advance(network, memory, key, rule=rule):
            value, gradient = jax.value_and_grad(objective)(network, key)
            update, memory = rule.update(
                gradient, memory, network, value=value, grad=gradient, value_fn=lambda n: objective(n, key)
            )
            return optax.apply_updates(network, update), memory

        for number in range(step, step + stage.steps):
            for seed in range(SEEDS):
                key = jax.random.fold_in(KEYS[seed], number)
                networks[seed], memories[seed] = advance(networks[seed], memories[seed], key)
        step += stage.steps
    return networks


@pytest.mark.parametrize("objective", [noisy, fixed])
def test_steps_are_those_of_optax_with_the_key_of_each_seed_and_step(objective):
    run = training.fit(STARTS, objective, keys=KEYS, stages=MIXED, every=3)
    for seed, expected in enumerate(looped(objective)):
        for name in STARTS:
            # Rounding of 9 steps, which L-BFGS enlarges in its differences of gradients.
            np.testing.assert_allclose(run.networks[name][seed], expected[name], rtol=1e-9)


@pytest.mark.parametrize("seeds_at_once", [1, 2])
def test_fewer_seeds_at_once_are_trained_as_all_together(seeds_at_once):
    starts, keys = jax.tree.map(lambda x: jnp.concatenate([x, x[:1] + 1]), STARTS), jax.random.split(KEYS[0], 3)
    together, apart = (
        training.fit(starts, noisy, keys=keys, stages=SIMPLE, measure=lambda n: n, every=5, seeds_at_once=count)
        for count in (None, seeds_at_once)
    )
    for a, b in zip(
        *(jax.tree.leaves((run.networks, run.loss, run.measures)) for run in (together, apart)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-13)  # rounding of 9 steps


def test_records_are_multiples_of_every_and_the_ends_of_stages():
    run = training.fit(STARTS, fixed, keys=KEYS, stages=SIMPLE, measure=lambda n: {"twice": 2 * n["a"]}, every=3)
    assert run.step.tolist() == [0, 3, 5, 6, 9]
    assert run.loss.shape == (SEEDS, 5)
    assert np.all(np.diff(run.seconds) > 0)
    np.testing.assert_array_equal(run.measures["twice"][:, 0], 2 * STARTS["a"])
    np.testing.assert_array_equal(run.measures["twice"][:, -1], 2 * run.networks["a"])
    np.testing.assert_allclose(run.loss[:, -1], jax.vmap(fixed)(run.networks, KEYS), rtol=1e-14)


def test_the_objective_is_traced_no_more_often_for_more_records():
    def traces(every: int) -> int:
        count = 0

        def counted(network, key):
            nonlocal count
            count += 1
            return fixed(network, key)

        training.fit(STARTS, counted, keys=KEYS, stages=[Stage(optax.sgd(0.1), 6)], every=every)
        return count

    assert traces(every=1) == traces(every=6)


class Buffered(eqx.Module):
    weight: jax.Array
    frequency: jax.Array
    number: jax.Array
    nonlinearity: object = jnp.tanh


def test_whole_numbers_and_stopped_gradients_stay():
    def objective(network, key):
        phase = jax.lax.stop_gradient(network.frequency) * network.number
        return (network.nonlinearity(network.weight * phase) - 0.5) ** 2

    start = Buffered(jnp.array([0.1, 0.2]), jnp.array([2.0, 3.0]), jnp.array([1, 2]))
    run = training.fit(start, objective, keys=KEYS, stages=[Stage(optax.adam(0.01), 3)])
    np.testing.assert_array_equal(run.networks.frequency, start.frequency)
    np.testing.assert_array_equal(run.networks.number, start.number)
    assert np.all(run.networks.weight != start.weight)


def test_single_precision_stays_single_beside_data_in_double():
    starts = jax.tree.map(lambda x: x.astype(jnp.float32), STARTS)
    data = jnp.array([0.3, 0.4], jnp.float64)
    run = training.fit(
        starts, lambda n, key: jnp.sum((n["a"] - data) ** 2) + n["b"] ** 2, keys=KEYS, stages=MIXED, every=9
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(run.networks)} == {np.dtype("f4")}
    np.testing.assert_allclose(run.networks["a"], np.broadcast_to(data, (SEEDS, 2)), atol=1e-3)  # after a few steps


def test_an_overflow_is_recorded_as_infinite():
    run = training.fit(STARTS, fixed, keys=KEYS, stages=[Stage(optax.sgd(1e6), 4)], every=2)
    assert np.all(np.isinf(run.loss[:, -1]))


class StoppedError(Exception):
    pass


def stopping_after(count: int):
    def track(stretches):
        for done, stretch in enumerate(stretches):
            if done == count:
                raise StoppedError
            yield stretch

    return track


def run_with(checkpoint, *, objective=noisy, stages=SIMPLE, keys=KEYS, every=3, track=iter):
    def measure(network):
        return {"a": network["a"]}

    return training.fit(
        STARTS, objective, keys=keys, stages=stages, measure=measure, every=every, checkpoint=checkpoint, track=track
    )


@pytest.fixture(scope="module")
def checkpoint_of_a_stopped_run(tmp_path_factory):
    path = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.raises(StoppedError):
        run_with(path, track=stopping_after(1))
    return path.read_bytes()


@pytest.fixture
def stopped(tmp_path, checkpoint_of_a_stopped_run):
    path = tmp_path / "run"
    path.write_bytes(checkpoint_of_a_stopped_run)
    return path


def test_a_run_resumed_within_and_between_stages_ends_in_the_same_bits(tmp_path):
    uninterrupted = run_with(None, stages=MIXED)
    path = tmp_path / "run"
    for _ in range(3):  # of 4 stretches: within Adam's stage, between the stages, within that of L-BFGS
        with pytest.raises(StoppedError):
            run_with(path, stages=MIXED, track=stopping_after(1))
    taken = []
    resumed = run_with(path, stages=MIXED, track=lambda stretches: taken.extend(stretches) or iter(stretches))
    assert len(taken) == 1
    for name in ("networks", "step", "loss", "measures"):
        for a, b in zip(*(jax.tree.leaves(getattr(run, name)) for run in (resumed, uninterrupted)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def test_a_finished_run_is_read_back(tmp_path):
    finished = run_with(tmp_path / "run")
    again = run_with(tmp_path / "run", track=stopping_after(0))
    np.testing.assert_array_equal(again.seconds, finished.seconds)
    np.testing.assert_array_equal(again.networks["a"], finished.networks["a"])


OTHER = {
    "objective": {"objective": lambda network, key: 2 * noisy(network, key)},
    "data": {"objective": lambda network, key: noisy(network, key) + jnp.sum(network["a"] * jnp.array([1e-9, 0]))},
    "keys": {"keys": KEYS[::-1]},
    "rate": {"stages": [Stage(optax.adam(0.2), 5), SIMPLE[1]]},
    "steps": {"stages": [SIMPLE[0], Stage(optax.sgd(0.1), 5)]},
    "every": {"every": 2},
}


@pytest.mark.parametrize("name", OTHER)
def test_a_checkpoint_of_another_problem_is_refused_by_name(stopped, name):
    with pytest.raises(ValueError, match=f"checkpoint: got {stopped}, which belongs to another problem"):
        run_with(stopped, **OTHER[name])


def test_data_of_other_values_and_the_same_shape_is_another_problem(tmp_path):
    def run(data):
        return training.fit(
            {"a": jnp.ones(SEEDS)},
            lambda network, key: jnp.sum((network["a"] - data) ** 2),
            keys=KEYS,
            stages=[Stage(optax.sgd(0.1), 2)],
            checkpoint=tmp_path / "run",
        )

    run(jnp.arange(5.0))
    with pytest.raises(ValueError, match="belongs to another problem"):
        run(jnp.arange(5.0).at[3].add(1e-12))


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-100], lambda c: c[:-50] + bytes([c[-50] ^ 1]) + c[-49:], lambda c: c[:40]]
)
def test_a_damaged_checkpoint_is_refused_by_name(stopped, damage):
    stopped.write_bytes(damage(stopped.read_bytes()))
    with pytest.raises(ValueError, match=f"checkpoint: got {stopped}, which is truncated or corrupted"):
        run_with(stopped)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 something else"])
def test_a_file_that_is_no_checkpoint_is_refused_by_name(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"checkpoint: got {path}, which is no checkpoint"):
        run_with(path)
    assert path.read_bytes() == content


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(stopped, monkeypatch):
    before = stopped.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run_with(stopped)
    assert stopped.read_bytes() == before
    assert list(stopped.parent.iterdir()) == [stopped]


@pytest.mark.parametrize("numbers", [jnp.ones(SEEDS) * 1j, jnp.ones((SEEDS, 2), jnp.complex64)])
def test_complex_parameters_are_refused(numbers):
    def objective(network, key):
        return jnp.sum(jnp.abs(network["z"] - (1 + 2j)) ** 2) + network["b"] ** 2

    with pytest.raises(TypeError, match=r"networks: got complex numbers at \['z'\]; needs real and imaginary part"):
        training.fit(STARTS | {"z": numbers}, objective, keys=KEYS, stages=SIMPLE)


def test_keys_of_either_style_are_not_used_up():
    """Under JAX's checker of reuse; with a line search, which calls the objective again and again."""
    old = jax.random.PRNGKey(0)  # whose data are those of jax.random.key(0)
    with jax.debug_key_reuse(True):
        new = jax.random.split(jax.random.key(0), SEEDS)
        run = training.fit(STARTS, noisy, keys=new, stages=MIXED, every=4)
        jax.random.normal(new[0])  # still unused
    again = training.fit(STARTS, noisy, keys=jax.random.split(old, SEEDS), stages=MIXED, every=4)
    np.testing.assert_array_equal(run.loss, again.loss)


def test_settings_of_promotion_are_met():
    """Those of users are for their own code: optax promotes."""
    x = jnp.linspace(-1.0, 1.0, 6).reshape(3, 2)

    def objective(network, key):
        noise = 0.1 * jax.random.normal(key, x.shape)
        return training.sobolev_loss(lambda u: jnp.tanh(network["a"] @ u) + network["b"], x + noise, target, st.H2)

    def target(u):
        return u[0] * u[1]

    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        derived = training.derivatives(target, x, 2)
        key = jax.random.key(0)
        assert np.isfinite(training.projected_loss(target, x, key, derived, st.H1, directions=2))
        run = training.fit(STARTS, objective, keys=KEYS, stages=MIXED)
    np.testing.assert_array_equal(run.loss, training.fit(STARTS, objective, keys=KEYS, stages=MIXED).loss)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"networks": {"a": jnp.ones((3, 2))}},
            r"networks: got shape \(3, 2\) at \['a'\]; needs a leading axis of 2",
        ),
        ({"networks": {"a": jnp.ones(2, int)}}, "networks: got no floating-point arrays"),
        ({"keys": KEYS[0]}, "keys: got shape"),
        ({"keys": [1, 2]}, r"keys: got \[1, 2\]"),
        ({"keys": jnp.ones((2, 2))}, r"keys: got shape \(2, 2\) of float64"),
        ({"stages": []}, r"stages: got \[\]"),
        ({"stages": SIMPLE[0]}, r"stages: got Stage"),
        ({"every": 0}, "every: got 0"),
        ({"seeds_at_once": 0}, "seeds_at_once: got 0"),
        ({"objective": lambda network, key: network["a"]}, "objective: got .*; needs to return a real scalar"),
        ({"checkpoint": "/nowhere/at/all"}, "checkpoint: got /nowhere/at/all; needs the name of a file in a folder"),
    ],
)
def test_bad_arguments_are_named(changed, message):
    arguments = {"networks": STARTS, "objective": fixed, "keys": KEYS, "stages": SIMPLE} | changed
    networks, objective = arguments.pop("networks"), arguments.pop("objective")
    with pytest.raises(ValueError, match=message):
        training.fit(networks, objective, **arguments)


def test_bad_stages_are_named():
    with pytest.raises(ValueError, match="steps: got 0"):
        Stage(optax.sgd(0.1), 0)
    with pytest.raises(TypeError, match="optimiser: got 'adam'"):
        Stage("adam", 10)


@pytest.mark.parametrize("name", ["fitting", "input_derivatives", "objectives", "projections"])
def test_examples_in_docstrings_are_right_in_single_precision(name):
    module = importlib.import_module(f"sobolev_theory.training.{name}")
    with jax.enable_x64(False):
        result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_public_functions_say_what_they_return():
    for name in ("derivatives", "fit", "projected_loss", "sobolev_loss"):
        assert "\n    Returns:\n" in getattr(training, name).__doc__


def test_without_standard_error_a_run_goes_on(tmp_path):
    code = f"""
import jax, optax, sobolev_theory as st
keys, starts = jax.random.split(jax.random.key(0), 2), {{"a": jax.numpy.ones(2)}}
stages = [st.training.Stage(optax.sgd(0.5), 2)]
path = {str(tmp_path / "run")!r}
run = st.training.fit(starts, lambda n, key: n["a"] ** 2, keys=keys, stages=stages, checkpoint=path)
print(run.loss.tolist())
"""
    shell = ["sh", "-c", '"$0" -c "$1" 2>&-', sys.executable, code]
    found = subprocess.run(shell, check=True, timeout=300, stdout=subprocess.PIPE, text=True)
    assert found.stdout == "[[1.0, 0.0], [1.0, 0.0]]\n"
    assert (tmp_path / "run").exists()
