"""A call of every public function of the library, on the smallest inputs that take all of its ways.

CALLS maps "name" or "name: what is special" to a function without arguments. The table is run whole under settings
that a user's program may have: `python -m tests.helpers.public_calls SETTING=VALUE ...` prints what fails.
"""

import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

import sobolev_theory as st
from sobolev_theory.differentiation import adaptive, adaptive_grids, chebyshev, finite_differences, fourier

W = [[0.8, 0.3], [-0.2, 0.9]]
STUDENT = (W, [1.0, 0.5])
TEACHER = ([[1.0, 0.2]],)
COVARIANCES = {
    "matrix": [[2.0, 0.3], [0.3, 0.5]],
    "diagonal": [2.0, 0.5],
}
ACTIVATIONS: dict[str, Callable[[], st.Activation]] = {
    "AbsoluteValue": st.AbsoluteValue,
    "Cosine": lambda: st.Cosine(2.0, 0.3),
    "Elementwise": lambda: st.Elementwise(jnp.tanh),
    "Elementwise with a kink": lambda: st.Elementwise(jax.nn.relu, kinks=(0.0,)),
    "Erf": st.Erf,
    "GELU": st.GELU,
    "Gaussian": st.Gaussian,
    "Identity": st.Identity,
    "LeakyReLU": lambda: st.LeakyReLU(0.1),
    "Polynomial": lambda: st.Polynomial([1.0, 0.5, -0.2]),
    "ReLU": st.ReLU,
    "RePU": lambda: st.RePU(2),
    "Sine": lambda: st.Sine(2.0, 0.3),
}


def pair(activation: st.Activation | None = None, *, biased: bool = False) -> tuple[st.Network, st.Network]:
    student = st.Network(*STUDENT, biases=[0.1, -0.4] if biased else None, activation=activation)
    return student, st.Network(*TEACHER, biases=[0.2] if biased else None, activation=activation)


def _inputs(name: str) -> st.GaussianInput:
    covariance = st.LowRank([1.0, 2.0], [[0.5], [0.1]]) if name == "low rank" else COVARIANCES[name]
    return st.GaussianInput(covariance, mean=[0.1, 0.0])


def _population() -> dict[str, Callable[[], Any]]:
    """The functions of (student, teacher, loss, inputs): each once, two for every activation and input."""
    calls: dict[str, Callable[[], Any]] = {}
    for f in (st.population_loss, st.population_gradient, st.boundary_term, st.population_jacobian):
        calls[f.__name__] = lambda f=f: f(*pair())
    for f in (st.loss_gradient, st.loss_hessian, st.spectrum, st.condition_number):
        calls[f.__name__] = lambda f=f: f(*pair(biased=True))
    for name in ("matrix", "diagonal", "low rank"):
        calls[f"loss_gradient: {name}"] = lambda name=name: st.loss_gradient(*pair(), st.H1, _inputs(name))
    for name, activation in ACTIVATIONS.items():
        calls[f"population_loss: {name}, biased"] = lambda a=activation: st.population_loss(
            *pair(a(), biased=True), st.L2
        )
    for name in ("Elementwise with a kink", "GELU", "Sine"):
        calls[f"loss_gradient: {name}"] = lambda name=name: st.loss_gradient(*pair(ACTIVATIONS[name]()), st.L2)
    calls["loss_gradient: RePU, H2"] = lambda: st.loss_gradient(*pair(st.RePU(2)), st.H2)
    calls["loss_gradient: mixed"] = lambda: st.loss_gradient(*_mixed(), st.L2)
    for f in (st.population_jacobian_product, st.loss_hessian_product):
        calls[f.__name__] = lambda f=f: f(*pair(), pair()[0])
    return calls


def _mixed() -> tuple[st.Network, st.Network]:
    mixed = st.Network(*STUDENT, biases=[0.1, -0.4], activation=[st.Sine(2.0), st.RePU(2)])
    return mixed, st.Network(*TEACHER, activation=st.GELU())


def _dynamics() -> dict[str, Callable[[], Any]]:
    target = st.Network(jnp.eye(2))
    return {
        "reduction": lambda: st.reduction(*pair()),
        "extreme_eigenvalues": lambda: st.extreme_eigenvalues(*pair()),
        "condition_number: two_norm": lambda: st.condition_number(*pair(), of="population", definition="two_norm"),
        "condition_number: symmetric_part": lambda: st.condition_number(
            *pair(), of="population", definition="symmetric_part"
        ),
        "critical_point": lambda: st.critical_point(target, target, st.L2),
        "gradient_flow": lambda: st.gradient_flow(*pair(), t1=1.0),
        "gradient_flow: saveat": lambda: st.gradient_flow(*pair(), st.L2, t1=1.0, saveat=[0.5]),
        "gradient_flows": lambda: st.gradient_flows(jnp.asarray([W]), target, t1=1.0, of="population"),
        "descend": lambda: st.descend(*pair(), rates=[0.1, 0.2], steps=2),
        "descend: samples": lambda: st.descend(
            *pair(), of="sample", rates=0.1, steps=2, batch=4, key=jax.random.key(0), optimiser=optax.adam
        ),
        "largest_stable_step": lambda: st.largest_stable_step(target, target),
    }


def _closed_forms() -> dict[str, Callable[[], Any]]:
    w, w_star = jnp.array([0.8, 0.3]), jnp.array([0.2, 1.0])
    calls: dict[str, Callable[[], Any]] = {}
    for name in st.pair.__all__:
        calls[f"pair.{name}"] = lambda name=name: getattr(st.pair, name)(w, w_star)
    for name in st.single_neuron.__all__:
        f = getattr(st.single_neuron, name)
        if name in ("population_eigenvalues", "loss_hessian_eigenvalues"):
            calls[f"single_neuron.{name}"] = lambda f=f, more=(0.3, 0.2)[: 1 + (name[0] == "l")]: f(
                (1.0, 1.0), 0.5, *more
            )
        elif name in ("flow", "rate"):
            calls[f"single_neuron.{name}"] = lambda f=f: f((1.0, 1.0), 0.5, 0.3, boundary=True)
        elif name.endswith(("_eigenvalues", "_flow")):
            calls[f"single_neuron.{name}"] = lambda f=f: f(jnp.array([0.5, 1.0]), 0.3)
        elif not isinstance(f, type):
            calls[f"single_neuron.{name}"] = lambda f=f: f(w, w_star)
    return calls | {
        "dual": lambda: st.dual(st.RePU(2), 2, 1.0, 1.0, angle=0.3),
        "dual: biased": lambda: st.dual(st.ReLU(), 0, 1.0, 1.0, angle=0.3),
        "orthonormal.student": lambda: st.orthonormal.student(1.0, 0.2, 3),
        "orthonormal.population_loss": lambda: st.orthonormal.population_loss(jnp.array([1.0, 0.5]), 0.2, 3),
        "orthonormal.velocity": lambda: st.orthonormal.velocity(1.0, jnp.array([0.2]), 3),
        "orthonormal.fixed_points": lambda: st.orthonormal.fixed_points(3),
    }


def _montecarlo() -> dict[str, Callable[[], Any]]:
    run = {"key": jax.random.key(0), "samples": 2**9, "batch": 2**8, "progress": False}
    calls: dict[str, Callable[[], Any]] = {
        "montecarlo.expectation": lambda: st.montecarlo.expectation(lambda z: jnp.sum(z**2), 3, **run),
    }
    for name in ("population_loss", "population_gradient", "loss_gradient", "boundary_term", "population_jacobian"):
        f = getattr(st.montecarlo, name)
        calls[f"montecarlo.{name}"] = lambda f=f: f(*pair(), **run)
    f = st.montecarlo.population_gradient
    for name in ("matrix", "low rank"):
        calls[f"montecarlo.population_gradient: {name}"] = lambda name=name: f(
            *pair(biased=True), st.H1, _inputs(name), **run
        )
    calls["montecarlo.population_gradient: span, control"] = lambda: f(
        *pair(), sampling="span", control=st.L2, covariance=True, **run
    )
    return calls


def _differentiation() -> dict[str, Callable[[], Any]]:
    rows, images = jnp.ones((3, 9)), jnp.ones((2, 8, 8))
    return {
        "differentiation.adaptive.derivative": lambda: adaptive.derivative(jnp.sin, jnp.array([0.3, 0.5])),
        "differentiation.adaptive_grids.derivative": lambda: adaptive_grids.derivative(
            jnp.sin(finite_differences.grid(65, (0.0, 1.0))), interval=(0.0, 1.0)
        ),
        "differentiation.chebyshev.nodes": lambda: chebyshev.nodes(8),
        "differentiation.chebyshev.matrix": lambda: chebyshev.matrix(8, 2),
        "differentiation.chebyshev.derivative": lambda: chebyshev.derivative(jnp.ones((3, 8)), axis=1),
        "differentiation.chebyshev.derivative: axis 0": lambda: chebyshev.derivative(
            jnp.ones((300, 2)), 2, axis=0, interval=(0.0, 3.0)
        ),
        "differentiation.chebyshev.transform": lambda: chebyshev.transform(jnp.ones((2, 8))),
        "differentiation.chebyshev.inverse_transform": lambda: chebyshev.inverse_transform(jnp.ones((2, 8))),
        "differentiation.finite_differences.grid": lambda: finite_differences.grid(8, (0.0, 1.0)),
        "differentiation.finite_differences.weights": lambda: finite_differences.weights([0, 1, 2], 1),
        "differentiation.finite_differences.derivative": lambda: finite_differences.derivative(
            rows, axis=1, interval=(0.0, 1.0)
        ),
        "differentiation.fourier.wavenumbers": lambda: fourier.wavenumbers(8, 1.0),
        "differentiation.fourier.derivative": lambda: fourier.derivative(rows, 2, axis=1, length=1.0),
        "differentiation.fourier.multiplier": lambda: fourier.multiplier(images, 1.0),
        "differentiation.fourier.sobolev_mean_square": lambda: fourier.sobolev_mean_square(images, 1.0),
        "differentiation.fourier.sobolev_norm_squared": lambda: fourier.sobolev_norm_squared(images, 1.0),
    }


def _training() -> dict[str, Callable[[], Any]]:
    x = jnp.array([[0.3, 0.5], [0.1, 0.2], [0.7, -0.4]])

    def f(x):
        return jnp.tanh(x[0]) * x[1]

    def vectors(x):
        return jnp.stack([x[0] * x[1], jnp.sin(x[0])])

    def objective(w, key):
        return jnp.mean((w["a"] * x[:, 0] + w["b"] @ x[0]) ** 2)

    starts = {"a": jnp.array([0.5, 2.0]), "b": jnp.ones((2, 2))}
    keys = jax.random.split(jax.random.key(0), 2)
    stages = [st.training.Stage(optax.adam(0.02), 2), st.training.Stage(optax.lbfgs(), 2)]
    key = jax.random.key(1)
    return {
        "training.derivatives": lambda: st.training.derivatives(f, x, 2),
        "training.derivatives: forward": lambda: st.training.derivatives(f, x, 3, method="forward"),
        "training.derivatives: taylor": lambda: st.training.derivatives(f, x, 3, method="taylor"),
        "training.derivatives: reverse": lambda: st.training.derivatives(vectors, x, 2, method="reverse"),
        "training.sobolev_loss": lambda: st.training.sobolev_loss(vectors, x, f_pair(vectors, x), st.H1),
        "training.sobolev_loss: H2": lambda: st.training.sobolev_loss(f, x, lambda x: x[0], st.H2),
        "training.projected_loss": lambda: st.training.projected_loss(f, x, key, lambda x: x[0], st.H2),
        "training.fit": lambda: st.training.fit(starts, objective, keys=keys, stages=stages, every=1),
    }


def f_pair(f, x):
    return jax.vmap(f)(x), jax.vmap(jax.jacfwd(f))(x)


def _sweeps() -> dict[str, Callable[[], Any]]:
    def swept():
        with tempfile.TemporaryDirectory() as folder:
            grid = {"a": [0.5, 1.0], "b": [1.0, 2.0, 3.0]}
            st.sweep(lambda a, b: {"sum": a + b}, grid, f"{folder}/x.parquet", progress=False)
            return st.sweeps.opened(f"{folder}/x.parquet").columns("sum")

    return {"sweep": swept, "sweeps.opened": swept}


CALLS: dict[str, Callable[[], Any]] = (
    _population() | _dynamics() | _closed_forms() | _montecarlo() | _differentiation() | _training() | _sweeps()
)


def failures(names=None) -> dict[str, str]:
    """The calls that raise, and what."""
    found = {}
    for name in CALLS if names is None else names:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                jax.block_until_ready(CALLS[name]())
        except Exception as error:
            found[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return found


if __name__ == "__main__":
    for setting in sys.argv[1:]:
        name, value = setting.split("=")
        jax.config.update(name, {"True": True, "False": False}.get(value, value))
    for name, message in failures().items():
        print(f"{name} | {message}")
