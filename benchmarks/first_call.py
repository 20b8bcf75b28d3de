"""The first call: ours over the plain closed form, traced and compiled side by side in one process; and its size.

Plain is the formula as one would write it down, with angles by arctan2 and no care for digits. Ratios are of seconds
of first calls, each from empty caches; equations are those of the traced program, loops and branches entered once,
and programs are those that were compiled. Counts do not depend on the machine: a test keeps them from growing.
"""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st

from .timing import seconds_of

REPEATS = 5


def plain_loss(rows, teacher_rows, lambdas=(1.0, 1.0)):
    """1/2 sum_ij rho_i rho_j K(theta_ij) over student and teacher neurons."""
    stacked = jnp.concatenate([rows, teacher_rows])
    signs = jnp.concatenate([jnp.ones(len(rows)), -jnp.ones(len(teacher_rows))])
    norms = jnp.linalg.norm(stacked, axis=1)
    u = stacked / norms[:, None]
    chord, sum_ = (jnp.sum((u[:, None] + sign * u) ** 2, axis=-1) for sign in (-1.0, 1.0))
    itself = jnp.eye(len(stacked), dtype=bool)
    theta = 2 * jnp.arctan2(jnp.sqrt(jnp.where(itself, 1.0, chord)), jnp.sqrt(sum_))
    theta = jnp.where(itself, 0.0, theta)
    turn = (jnp.pi - theta) * jnp.cos(theta)
    kernel = lambdas[0] * (jnp.sin(theta) + turn) + lambdas[1] * turn
    return signs * norms @ kernel @ (signs * norms) / (4 * jnp.pi)


def networks(neurons: int = 2, dimension: int = 3, biases: bool = False) -> tuple[st.Network, st.Network]:
    rows = np.random.default_rng(neurons + dimension).normal(size=(2, neurons, dimension))
    return tuple(st.Network(w, biases=0.1 * w[:, 0] if biases else None) for w in rows)  # type: ignore[return-value]


def equations(function: Callable, *arguments) -> int:
    """Of the traced program and everything inside it; what is called twice counts twice."""
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(jaxpr) -> int:
    total = 0
    for equation in jaxpr.eqns:
        inner = [sub for value in equation.params.values() for sub in _jaxprs(value)]
        total += sum(map(_count, inner)) if inner else 1
    return total


def _jaxprs(value) -> list:
    if isinstance(value, tuple | list):
        return [found for one in value for found in _jaxprs(one)]
    inner = getattr(value, "jaxpr", value)
    return [inner] if hasattr(inner, "eqns") else []


def programs(run: Callable[[], object], anew: bool = True) -> int:
    """How many programs are compiled by a call, from empty caches if `anew`."""
    compiled = []

    def count(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event.endswith("backend_compile_duration"):
            compiled.append(duration_secs)

    if anew:
        jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(count)
    try:
        jax.block_until_ready(run())
    finally:
        jax.monitoring.unregister_event_duration_listener(count)
    return len(compiled)


def _first(run: Callable[[], object]) -> float:
    jax.clear_caches()
    return seconds_of(run)


def _row(what: str, ours: Callable[[], object], plain: Callable[[], object], goal: float, repeats: int) -> dict:
    """In turn, from empty caches; the first pair warms up what is no compilation."""
    pairs = np.array([(_first(ours), _first(plain)) for _ in range(repeats + 1)])[1:]
    lower, median, upper = np.quantile(pairs[:, 0] / pairs[:, 1], [0.25, 0.5, 0.75])
    first, second = np.median(pairs, axis=0)
    ratio = {"first": first, "second": second, "median": median, "lower": lower, "upper": upper}
    return {"what": what, **ratio, "goal": f"<= {goal:g}"}


FUNCTIONS: dict[str, tuple[Callable, Callable, bool, float]] = {
    "loss": (st.population_loss, plain_loss, False, 4.0),
    "gradient": (st.population_gradient, jax.grad(plain_loss), False, 2.5),
    "hessian": (st.loss_hessian, jax.hessian(plain_loss), False, 1.5),
    "gradient-with-biases": (st.population_gradient, jax.grad(plain_loss), True, 10.0),
}


def of_function(name: str, repeats: int = REPEATS) -> dict:
    function, plain, biases, goal = FUNCTIONS[name]
    student, teacher = networks(biases=biases)
    ours, compiled = partial(function, student, teacher), jax.jit(plain)
    size = f"{equations(function, student, teacher)} equations, {programs(ours)} programs"
    what = f"first {function.__name__}, H1, K = K* = 2, d = 3{', biases' if biases else ''}, / plain: {size}"
    return _row(what, ours, lambda: compiled(student.weights, teacher.weights), goal, repeats)


FLOWS = {"L2": st.L2, "H1": st.H1}


def flow_equations(loss: str) -> int:
    """Of the one program that follows a flow."""
    from sobolev_theory.dynamics import flow_pieces

    follow = flow_pieces.follow
    caught = []

    def catch(*arguments):
        caught.append(arguments)
        raise InterruptedError

    with mock.patch.object(flow_pieces, "follow", catch), suppress(InterruptedError):
        st.gradient_flow(*networks(), FLOWS[loss], t1=5.0, saveat=[5.0])
    ((integrator, *arguments),) = caught
    return equations(partial(follow, integrator), *arguments)


def of_flow(loss: str, goal: float, repeats: int = 3) -> dict:
    """Against diffrax's flow of the plain L2 loss, by the same solver to the same tolerance."""
    import diffrax

    student, teacher = networks()
    options: dict[str, Any] = {"t1": 5.0, "saveat": [5.0], "solver": "dopri8", "rtol": 1e-9}
    ours = partial(st.gradient_flow, student, teacher, FLOWS[loss], **options)
    velocity = jax.grad(partial(plain_loss, lambdas=(1.0, 0.0)))

    @jax.jit
    def plain(rows, teacher_rows):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, w, args: -velocity(w, teacher_rows)),
            diffrax.Dopri8(),
            0.0,
            5.0,
            1e-2,
            rows,
            stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-15),
            max_steps=20_000,
        ).ys

    size = f"{flow_equations(loss)} equations, {programs(ours)} programs"
    what = f"first gradient_flow of the {loss} loss / plain diffrax flow of L2, dopri8: {size}"
    return _row(what, ours, lambda: plain(student.weights, teacher.weights), goal, repeats)


def of_another_flow(repeats: int = 3) -> dict:
    """A flow of other numbers of neurons and inputs in a process that has made one."""
    first, other = networks(), networks(3, 5)

    def run(student: st.Network, teacher: st.Network) -> st.Flow:
        return st.gradient_flow(student, teacher, st.H1, t1=5.0, saveat=[5.0])

    times = []
    for _ in range(repeats):
        once = _first(lambda: run(*first))
        times.append((seconds_of(lambda: run(*other)), once))
    ratios = np.array(times)[:, 0] / np.array(times)[:, 1]
    lower, median, upper = np.quantile(ratios, [0.25, 0.5, 0.75])
    seconds = np.median(times, axis=0)
    return {
        "what": "first H1 flow of K = K* = 3, d = 5 / that of K = K* = 2, d = 3 before it",
        **{"first": seconds[0], "second": seconds[1], "median": median, "lower": lower, "upper": upper},
        "goal": "<= 0.1",
    }


IMPORT = """
import time
start = time.perf_counter()
import jax, jax.numpy
between = time.perf_counter()
import sobolev_theory
print((time.perf_counter() - between) / (between - start))
"""


def of_import(repeats: int = 11) -> dict:
    runs = [subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True) for _ in range(repeats)]
    lower, median, upper = np.quantile([float(run.stdout) for run in runs], [0.25, 0.5, 0.75])
    ratio = {"first": np.nan, "second": np.nan, "median": median, "lower": lower, "upper": upper}
    return {"what": "import of sobolev_theory beyond JAX / import of JAX", **ratio, "goal": "<= 0.6"}


BENCHMARKS: dict[str, Callable[[], dict]] = {
    **{f"first-call-{name}": partial(of_function, name) for name in FUNCTIONS},
    "first-call-flow-L2": partial(of_flow, "L2", 2.0),
    "first-call-flow-H1": partial(of_flow, "H1", 4.0),
    "first-call-another-flow": of_another_flow,
    "first-call-import": of_import,
}
