"""Estimators under settings, precisions and environments that are the user's: they work, to the same estimate."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import sobolev_theory as st
from sobolev_theory.montecarlo import plan
from tests.helpers.settings import strictest
from tests.montecarlo.test_estimators import FUNCTIONS

W, V = np.random.default_rng(3).normal(size=(2, 2, 3))
SMALL = {"samples": 2**9, "batch": 2**8}
BIASED = st.Network(W, [1.0, -0.7], [0.1, 0.2]), st.Network(V, [1.2, 0.4])
PLAIN = st.Network(W, [1.0, -0.7]), st.Network(V, [1.2, 0.4])
STRETCHED = st.GaussianInput(st.LowRank([1.0, 2.0, 1.0], [[1.0], [0.0], [1.0]]), [0.1, 0.2, 0.3], "mahalanobis")
IN_THE_SPAN = {"sampling": "span", "control": st.L2, "method": "sobol", "covariance": True}


def flat(tree) -> np.ndarray:
    return np.asarray(ravel_pytree(tree)[0], np.float64)


# Settings.


@pytest.fixture
def strict():
    with strictest():
        yield


@pytest.mark.parametrize("name", FUNCTIONS)
def test_estimators_work_without_promotion_and_with_keys_that_are_watched(name, strict):
    estimator = getattr(st.montecarlo, name)
    found = estimator(*BIASED, inputs=STRETCHED, key=jax.random.key(1), **SMALL)
    assert np.all(np.isfinite(flat(found.standard_error)))


@pytest.mark.parametrize("method", ["independent", "antithetic", "sobol"])
def test_means_of_functions_do_so_too(method, strict):
    found = st.montecarlo.expectation(jnp.max, 2, key=jax.random.key(1), method=method, covariance=True, **SMALL)
    assert np.isfinite(found.standard_error)


def test_controls_and_spans_do_so_too(strict):
    found = st.montecarlo.loss_gradient(*PLAIN, key=jax.random.key(1), **IN_THE_SPAN, **SMALL)
    assert np.all(np.isfinite(flat(found.standard_error)))


# Precisions.


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_networks_of_16_bit_are_sampled_in_32(dtype):
    """Of 2048 groups: a count in bfloat16 ends at 256, and its normal numbers are off by more than an error bar."""
    networks = [st.Network(jnp.asarray(rows, dtype)) for rows in (W, V)]
    same = [st.Network(network.weights.astype(jnp.float32)) for network in networks]
    options = {"samples": 2**14, "group": 2**3, "key": jax.random.key(2)}
    found, expected = (st.montecarlo.population_loss(*pair, **options) for pair in (networks, same))
    assert (found.mean.dtype, found.groups) == (jnp.float32, 2**11)
    assert (found.mean, found.standard_error) == (expected.mean, expected.standard_error)


@pytest.mark.parametrize("method", ["independent", "sobol"])
def test_a_function_of_16_bit_numbers_gets_normal_ones(method):
    options = {"samples": 2**15, "group": 2**6, "method": method, "key": jax.random.key(3)}
    found = st.montecarlo.expectation(lambda z: z[0] * z[0], 1, dtype=jnp.bfloat16, **options)
    assert (found.mean.dtype, found.groups) == (jnp.float32, 2**9)
    # Squares are rounded to 8 bits, some up and some down.
    assert abs(float(found.mean) - 1) < 5 * float(found.standard_error) + 2**-9


WHOLE = [np.int8, np.uint8, np.int64, np.asarray, jnp.int32, jnp.asarray]


@pytest.mark.parametrize("of", WHOLE)
def test_whole_numbers_of_every_kind_are_options(of):
    made, _ = plan.plan_of({"samples": of(100), "batch": of(64), "group": of(2)}, 2)
    assert made[:3] == (2, 32, 2)


@pytest.mark.parametrize("of", [np.float32, np.float64, np.asarray, jnp.float32, jnp.asarray])
def test_real_numbers_of_every_kind_are_options(of):
    made, _ = plan.plan_of({"standard_error": of(0.5), "covariance": np.bool_(True), "progress": np.False_}, 2)
    assert made[3:] == (0.5, True, False)


NO_NUMBERS = [True, np.True_, 1.5, np.float64(2), "2", b"2", None, 1j, np.ones(1, int), jnp.ones(()), [2], np.nan]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("name", ["samples", "batch", "dimension"])
def test_what_is_no_whole_number_is_refused_by_name(name, value):
    with pytest.raises(TypeError, match=rf"{name}: got .*; needs a whole number"):
        st.montecarlo.expectation(jnp.max, **{"dimension": 2, "key": jax.random.key(0)} | SMALL | {name: value})


@pytest.mark.parametrize("value", [True, np.True_, "2", 1j, np.ones(1), [2]], ids=repr)
@pytest.mark.parametrize("name", ["standard_error", "checkpoint_every"])
def test_what_is_no_number_is_refused_by_name(name, value):
    with pytest.raises(TypeError, match=rf"{name}: got .*; needs a finite number"):
        st.montecarlo.expectation(jnp.max, 2, key=jax.random.key(0), **{name: value})


def test_more_groups_than_keys_are_refused_before_the_first_sample():
    """Group 2^32 would be drawn from the key of group 0."""
    with pytest.raises(ValueError, match="samples: got 4294967296; needs at most 4294967295 in groups of 1"):
        st.montecarlo.expectation(jnp.max, 2, key=jax.random.key(0), samples=2**32, group=1)
    with pytest.raises(ValueError, match=f"samples: got {10**30}; needs at most"):
        st.montecarlo.expectation(jnp.max, 2, key=jax.random.key(0), samples=10**30)
    made, _ = plan.plan_of({"samples": 2**40}, 2)  # of nets
    assert made.batch * made.batches == 2**40


def test_traced_keys_and_functions_of_traced_numbers_are_refused_by_name():
    def of_key(key):
        return st.montecarlo.expectation(jnp.max, 2, key=key, **SMALL).mean

    key = jax.random.key(0)  # one that is made under jit is traced too

    def of_number(t):
        return st.montecarlo.expectation(lambda z: t * z[0], 2, key=key, **SMALL).mean

    for function, argument, name in ((of_key, key, "key"), (of_number, 1.0, "function")):
        with pytest.raises(TypeError, match=f"{name}: got .*traced.*; needs .*runs outside jit, vmap and grad"):
            jax.jit(function)(argument)


# Special networks: none of the sizes is more than 1, or none of the neurons is there.


# In the span two functions are enough: an array that stays as it is, and one that gets a block for the complement.
OF_ONE = {  # the loss of a relu(w x) is a^2 w^2 / 2, half of it by values; here a = 1, w = 2
    "population_loss": np.array(2.0),
    "population_gradient": st.Network([[2.0]], [4.0]),
    "loss_gradient": st.Network([[2.0]], [4.0]),
    "boundary_term": np.array([[0.0]]),
    "population_jacobian": np.array([[[[1.0]]]]),
}
ONE = [(name, "ambient") for name in FUNCTIONS] + [("boundary_term", "span"), ("population_jacobian", "span")]


@pytest.mark.parametrize(("name", "sampling"), ONE)
def test_one_neuron_in_one_dimension_without_a_teacher_is_estimated(name, sampling):
    """Half of the samples count, each with what it would have without a kink: a mean that is known."""
    student, teacher = st.Network([[2.0]]), st.Network([[0.0]])
    options = {"sampling": sampling, "key": jax.random.key(4), "samples": 2**12, "method": "antithetic"}
    found = getattr(st.montecarlo, name)(student, teacher, **options)
    step = flat(found.mean) - flat(OF_ONE[name])
    assert np.all(np.abs(step) <= 5 * flat(found.standard_error) + 1e-12)


@pytest.mark.parametrize(("name", "sampling"), [("population_loss", "span"), ("population_gradient", "ambient")])
def test_networks_of_zero_neurons_alone_have_no_loss_and_no_gradient(name, sampling):
    zero = st.Network([[0.0, 0.0]])
    found = getattr(st.montecarlo, name)(zero, zero, sampling=sampling, key=jax.random.key(5), control=st.L2, **SMALL)
    assert not np.any(flat(found.mean))


# Environments.


class Bare:
    """What some programs put in the place of a stream: it takes words and knows nothing else."""

    def write(self, text):
        return len(text)


def stream(encoding: str) -> io.TextIOWrapper:
    wrapped = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    wrapped.isatty = lambda: True  # type: ignore[method-assign]
    return wrapped


def closed() -> io.StringIO:
    there = io.StringIO()
    there.close()
    return there


STREAMS = {"none": lambda: None, "closed": closed, "bare": Bare} | {
    name: (lambda name=name: stream(name)) for name in ("ascii", "latin-1", "utf-8")
}
VARIABLES = {
    "none": {},
    "columns": {"COLUMNS": "0", "LINES": "0"},
    "one column": {"COLUMNS": "1"},
    "no columns": {"COLUMNS": "many", "LINES": "-1"},
    "dumb": {"TERM": "dumb"},
    "no colour": {"NO_COLOR": "1", "TERM": ""},
}


@pytest.mark.parametrize("progress", [None, True])
@pytest.mark.parametrize("environment", VARIABLES)
@pytest.mark.parametrize("name", STREAMS)
def test_the_estimate_is_the_same_whatever_the_stream_and_the_environment(name, environment, progress, monkeypatch):
    def mean():
        return float(st.montecarlo.expectation(jnp.max, 2, key=jax.random.key(0), progress=progress, **SMALL).mean)

    expected = mean()
    for variable in ("CI", "COLUMNS", "LINES", "TERM", "NO_COLOR", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in VARIABLES[environment].items():
        monkeypatch.setenv(variable, value)
    with contextlib.redirect_stderr(STREAMS[name]()):
        found = mean()
    assert found == expected


PROGRAM = """
import jax, sobolev_theory as st
print(st.montecarlo.expectation(jax.numpy.max, 2, key=jax.random.key(0), samples=2**6, checkpoint="state").samples)
print(st.sweep(lambda theta: 2 * theta, {"theta": [1.0, 2.0]}, "swept", progress=True).rows)
"""


def test_estimates_and_sweeps_are_made_without_streams_home_and_words_beyond_ascii(tmp_path):
    line = f"exec \"{sys.executable}\" -c '{PROGRAM}' <&- 2>&-"
    root = Path(__file__).parents[2]
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    environment = kept | {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "COLUMNS": "0", "PYTHONPATH": str(root)}
    found = subprocess.run(["sh", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert (found.returncode, found.stdout.split(), found.stderr) == (0, ["64", "2"], "")
