"""A call of every public function of the library, on the smallest inputs that take all of its ways.

TRACEABLE and EAGER map "name" or "name: what is special" to a function without arguments. The former work under jit,
the latter loop or decide in Python.
"""

import tempfile
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

import sobolev_theory as st
from sobolev_theory.differentiation import adaptive, adaptive_grids, chebyshev, finite_differences, fourier

Calls = dict[str, Callable[[], Any]]

W = [[0.8, 0.3], [-0.2, 0.9]]
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
INPUTS: dict[str, Callable[[], st.GaussianInput]] = {
    "matrix": lambda: st.GaussianInput([[2.0, 0.3], [0.3, 0.5]]),
    "diagonal": lambda: st.GaussianInput([2.0, 0.5], mean=[0.1, 0.0]),
    "low rank": lambda: st.GaussianInput(st.LowRank([1.0, 2.0], [[0.5], [0.1]]), metric="mahalanobis"),
}
MONTE_CARLO = ("population_loss", "population_gradient", "loss_gradient", "boundary_term", "population_jacobian")


def pair(activation: st.Activation | None = None, *, biased: bool = False) -> tuple[st.Network, st.Network]:
    student = st.Network(W, [1.0, 0.5], [0.1, -0.4] if biased else None, activation)
    return student, st.Network([[1.0, 0.2]], None, [0.2] if biased else None, activation)


def mixed() -> tuple[st.Network, st.Network]:
    student = st.Network(W, [1.0, 0.5], [0.1, -0.4], [st.Sine(2.0), st.RePU(2)])
    return student, st.Network([[1.0, 0.2]], activation=st.GELU())


def population() -> Calls:
    """The functions of student and teacher; the loss of every activation, the gradient for every input."""
    calls: Calls = {}
    for f in (st.population_loss, st.population_gradient, st.boundary_term, st.population_jacobian, st.spectrum):
        calls[f.__name__] = lambda f=f: f(*pair())
    for f in (st.loss_gradient, st.loss_hessian):
        calls[f.__name__] = lambda f=f: f(*pair(biased=True))
    for f in (st.population_jacobian_product, st.loss_hessian_product):
        calls[f.__name__] = lambda f=f: f(*pair(), pair()[0])
    for definition in ("eigenvalue_ratio", "two_norm", "symmetric_part"):
        calls[f"condition_number: {definition}"] = lambda definition=definition: st.condition_number(
            *pair(), of="population", definition=definition
        )
    for name, inputs in INPUTS.items():
        calls[f"loss_gradient: {name}"] = lambda inputs=inputs: st.loss_gradient(*pair(), st.H1, inputs())
    for name, activation in ACTIVATIONS.items():
        calls[f"population_loss: {name}"] = lambda a=activation: st.population_loss(*pair(a(), biased=True), st.L2)
    return calls | {
        "loss_gradient: RePU, H2": lambda: st.loss_gradient(*pair(st.RePU(2)), st.H2),
        "loss_gradient: GELU": lambda: st.loss_gradient(*pair(st.GELU())),
        "loss_gradient: mixed": lambda: st.loss_gradient(*mixed(), st.L2),
        "activation_terms.function_of": lambda: st.activation_terms.function_of(jnp.tanh),
        "activation_terms.power": lambda: st.activation_terms.power(2),
        "activation_terms.truncated_power": lambda: st.activation_terms.truncated_power(1, kink=0.5),
        "activation_terms.wave": lambda: st.activation_terms.wave(2.0, 0.3),
        "gradient_noise": lambda: _all_noise(st.gradient_noise(*pair(), label_noise=0.1)),
        "gradient_noise: components": lambda: st.gradient_noise(*pair()).standard_error(3),
        "gradient_noise: Polynomial": lambda: _all_noise(st.gradient_noise(*pair(st.Polynomial([0.1, 1.0, 0.3])))),
        "gradient_noise: Erf": lambda: _all_noise(st.gradient_noise(*pair(st.Erf()))),
        "dual": lambda: st.dual(st.RePU(2), 2, 1.0, 1.0, angle=0.3),
    }


def _all_noise(noise: st.GradientNoise) -> tuple[jax.Array, ...]:
    return noise.second_moments, noise.critical_batch, noise.mean_square_error(3), noise.samples_needed(0.1)


def closed_forms() -> Calls:
    w, w_star = jnp.array([0.8, 0.3]), jnp.array([0.2, 1.0])
    calls: Calls = {f"pair.{name}": lambda name=name: getattr(st.pair, name)(w, w_star) for name in st.pair.__all__}
    arguments: dict[str, tuple] = {
        "population_eigenvalues": ((1.0, 1.0), 0.5, 0.3),
        "loss_hessian_eigenvalues": ((1.0, 1.0), 0.5, 0.3, 0.2),
        "flow": ((1.0, 1.0), 0.5, 0.3),
        "rate": ((1.0, 1.0), 0.5, 0.3),
    }
    for name in st.single_neuron.__all__:
        f = getattr(st.single_neuron, name)
        scalars = name.endswith(("_eigenvalues", "_flow"))
        given = arguments.get(name, (jnp.array([0.5, 1.0]), 0.3) if scalars else (w, w_star))
        if not isinstance(f, type):
            calls[f"single_neuron.{name}"] = lambda f=f, given=given: f(*given)
    student, teacher = pair()
    return calls | {
        "smoothed_step.population_loss": lambda: st.smoothed_step.population_loss(student, teacher, 0.1),
        "smoothed_step.population_gradient": lambda: st.smoothed_step.population_gradient(student, teacher, 0.1),
        "smoothed_step.boundary_term": lambda: st.smoothed_step.boundary_term(student, teacher, 0.1),
        "smoothed_step.bias": lambda: st.smoothed_step.bias(student),
        "smoothed_step.variance": lambda: st.smoothed_step.variance(student, teacher),
        "smoothed_step.best_width": lambda: st.smoothed_step.best_width(student, teacher, 100),
        "orthonormal.student": lambda: st.orthonormal.student(1.0, 0.2, 3),
        "orthonormal.population_loss": lambda: st.orthonormal.population_loss(jnp.array([1.0, 0.5]), 0.2, 3),
        "orthonormal.velocity": lambda: st.orthonormal.velocity(1.0, jnp.array([0.2]), 3),
    }


def differentiation() -> Calls:
    unit = (0.0, 1.0)
    rows, images, samples = jnp.ones((3, 9)), jnp.ones((2, 8, 8)), jnp.sin(finite_differences.grid(65, unit))
    calls: Calls = {
        "adaptive.derivative": lambda: adaptive.derivative(jnp.sin, jnp.array([0.3, 0.5])),
        "adaptive_grids.derivative": lambda: adaptive_grids.derivative(samples, interval=unit),
        "chebyshev.nodes": lambda: chebyshev.nodes(8),
        "chebyshev.matrix": lambda: chebyshev.matrix(8, 2),
        "chebyshev.derivative": lambda: chebyshev.derivative(rows, axis=1),
        "chebyshev.derivative: axis 0": lambda: chebyshev.derivative(jnp.ones((300, 2)), 2, axis=0, interval=unit),
        "chebyshev.transform": lambda: chebyshev.transform(rows),
        "chebyshev.inverse_transform": lambda: chebyshev.inverse_transform(rows),
        "finite_differences.grid": lambda: finite_differences.grid(8, unit),
        "finite_differences.weights": lambda: finite_differences.weights([0, 1, 2], 1),
        "finite_differences.derivative": lambda: finite_differences.derivative(rows, axis=1, interval=unit),
        "fourier.wavenumbers": lambda: fourier.wavenumbers(8, 1.0),
        "fourier.derivative": lambda: fourier.derivative(rows, 2, axis=1, length=1.0),
        "fourier.multiplier": lambda: fourier.multiplier(images, 1.0),
        "fourier.sobolev_mean_square": lambda: fourier.sobolev_mean_square(images, 1.0),
        "fourier.sobolev_norm_squared": lambda: fourier.sobolev_norm_squared(images, 1.0),
    }
    return {f"differentiation.{name}": call for name, call in calls.items()}


def training() -> Calls:
    x, key = jnp.array([[0.3, 0.5], [0.1, 0.2], [0.7, -0.4]]), jax.random.key(1)

    def f(x):
        return jnp.tanh(x[0]) * x[1]

    def vectors(x):
        return jnp.stack([x[0] * x[1], jnp.sin(x[0])])

    def samples():
        return jax.vmap(vectors)(x), jax.vmap(jax.jacfwd(vectors))(x)

    student, teacher = pair(biased=True)
    correlated = st.GaussianInput([[2.0, 0.3], [0.3, 0.5]], mean=[0.1, 0.0])

    return {
        "training.boundary_term": lambda: st.training.boundary_term(student, x, teacher, st.H1, correlated),
        "training.boundary_term: density": lambda: st.training.boundary_term(
            student, x, f, log_density=lambda x: -jnp.sum(x**4)
        ),
        "training.loss_with_boundary": lambda: st.training.loss_with_boundary(student, x, teacher),
        "training.smoothed_relu": lambda: st.training.smoothed_relu(x, 0.1),
        "training.derivatives": lambda: st.training.derivatives(f, x, 2),
        "training.derivatives: forward": lambda: st.training.derivatives(f, x, 3, method="forward"),
        "training.derivatives: taylor": lambda: st.training.derivatives(f, x, 3, method="taylor"),
        "training.derivatives: reverse": lambda: st.training.derivatives(vectors, x, 2, method="reverse"),
        "training.sobolev_loss": lambda: st.training.sobolev_loss(vectors, x, samples(), st.H1),
        "training.sobolev_loss: H2": lambda: st.training.sobolev_loss(f, x, lambda x: x[0], st.H2),
        "training.projected_loss": lambda: st.training.projected_loss(f, x, key, lambda x: x[0], st.H2),
    }


def dynamics() -> Calls:
    student, teacher = pair()
    start, target = st.Network([0.0, 1.0]), st.Network([1.0, 0.0])
    options = {"rates": 0.1, "steps": 2}
    return {
        "reduction": lambda: st.reduction(student, teacher),
        "extreme_eigenvalues": lambda: st.extreme_eigenvalues(student, teacher),
        "critical_point": lambda: st.critical_point(target, target, st.L2),
        "gradient_flow": lambda: st.gradient_flow(start, target, t1=1.0),
        "gradient_flow: train": lambda: st.gradient_flow(
            start, target, st.L2, t1=1.0, train=("weights", "output_weights")
        ),
        "gradient_flows": lambda: st.gradient_flows(start.weights[None], target, t1=1.0),
        "descend": lambda: st.descend(student, teacher, rates=[0.1, 0.2], steps=2),
        "descend: samples": lambda: st.descend(
            student, teacher, of="sample", batch=4, key=jax.random.key(0), **options
        ),
        "overlaps": lambda: st.overlaps(student, teacher),
        "networks_from_overlaps": lambda: st.networks_from_overlaps(st.overlaps(student, teacher)),
        "online_sgd": lambda: st.online_sgd(start, target, learning_rate=0.1, t1=1.0),
        "hermite_coefficients": lambda: st.hermite_coefficients(st.GELU(), 3),
        "information_exponent": lambda: st.information_exponent(st.Elementwise(jnp.tanh), highest=2),
        "sobolev_factor": lambda: st.sobolev_factor(st.H1, 2),
        "largest_stable_step": lambda: st.largest_stable_step(target, target),
        "orthonormal.fixed_points": lambda: st.orthonormal.fixed_points(3),
    }


def monte_carlo() -> Calls:
    run: dict[str, Any] = {"key": jax.random.key(0), "samples": 2**9, "batch": 2**8, "progress": False}
    calls: Calls = {
        f"montecarlo.{name}": lambda name=name: getattr(st.montecarlo, name)(*pair(), **run) for name in MONTE_CARLO
    }
    gradient = st.montecarlo.population_gradient
    return calls | {
        "montecarlo.expectation": lambda: st.montecarlo.expectation(lambda z: jnp.sum(z**2), 3, **run),
        "montecarlo.population_gradient: low rank": lambda: gradient(
            *pair(biased=True), st.H1, INPUTS["low rank"](), **run
        ),
        "montecarlo.population_gradient: span, control": lambda: gradient(
            *pair(), sampling="span", control=st.L2, covariance=True, **run
        ),
    }


def runs() -> Calls:
    def objective(w, key):
        return jnp.mean((w["a"] * jnp.array([0.3, 0.1]) + w["b"]) ** 2)

    def swept():
        with tempfile.TemporaryDirectory() as folder:
            grid = {"a": [0.5, 1.0], "b": [1.0, 2.0, 3.0]}
            st.sweep(lambda a, b: {"sum": a + b}, grid, f"{folder}/sums.parquet")
            return st.sweeps.opened(f"{folder}/sums.parquet").columns("sum")

    starts = {"a": jnp.array([0.5, 2.0]), "b": jnp.ones((2, 2))}
    stages = [st.training.Stage(optax.adam(0.02), 2), st.training.Stage(optax.lbfgs(), 2)]
    keys = jax.random.split(jax.random.key(0), 2)
    return {
        "sweep": swept,
        "sweeps.opened": swept,
        "training.fit": lambda: st.training.fit(starts, objective, keys=keys, stages=stages, every=1),
    }


TRACEABLE: Calls = population() | closed_forms() | differentiation() | training()
EAGER: Calls = dynamics() | monte_carlo() | runs()
