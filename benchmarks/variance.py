"""What every way of drawing a group divides the variance by, at equal samples and at equal time."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

import sobolev_theory as st
from sobolev_theory.montecarlo.options import Options

from .timing import side_by_side

METHODS: dict[str, Options] = {
    "antithetic": {"method": "antithetic"},
    "sobol": {"method": "sobol"},
    "control L2": {"method": "independent", "control": st.L2},
    "sobol, control L2": {"method": "sobol", "control": st.L2},
    "span": {"method": "independent", "sampling": "span"},
    "sobol in the span": {"method": "sobol", "sampling": "span"},
}


def networks(neurons: int, teachers: int, dimension: int, distance: float | None = None):
    """Random rows of norm about 1, the student's at that distance from the teacher's if it is given."""
    rng = np.random.default_rng(0)
    teacher = rng.normal(size=(teachers, dimension)) / np.sqrt(dimension)
    student = rng.normal(size=(neurons, dimension)) / np.sqrt(dimension)
    if distance is not None:
        student = teacher + distance * student
    return st.Network(student), st.Network(teacher)


def of_methods(
    name: str, neurons: int, teachers: int, dimension: int, distance: float | None = None, samples: int = 2**18
) -> dict:
    """Factors against independent samples: sums over components of the variances, and times side by side."""
    problem = networks(neurons, teachers, dimension, distance)

    estimator, key = getattr(st.montecarlo, name), jax.random.key(0)

    def run(method: Options) -> st.montecarlo.Estimate:
        return estimator(*problem, key=key, samples=samples, progress=False, **method)

    independent: Options = {"method": "independent"}
    reference, factors = variance(run(independent)), {}
    for label, method in METHODS.items():
        if method.get("sampling") == "span" and neurons + teachers >= dimension:
            continue
        factor = reference / variance(run(method))
        time = side_by_side(partial(run, method), partial(run, independent), 1.0)
        factors[label] = f"{factor:.3g} ({factor / time.median:.3g})"
    where = "" if distance is None else f", student within {distance:g} of its teacher"
    return {
        "what": f"variance of H1's {name.replace('_', ' ')} with independent samples / with a method, at equal "
        f"samples (at equal time), K = {neurons}, K* = {teachers}, d = {dimension}{where}, {samples} samples",
        "values": factors,
    }


def variance(estimate: st.montecarlo.Estimate) -> float:
    """Of all components together, of the mean of as many samples as the estimate has."""
    return float(jnp.sum(ravel_pytree(estimate.standard_error)[0] ** 2))


def of_hyperplanes(step: float, samples: int = 2**17) -> dict:
    """Samples on the neurons' hyperplanes against samples that meet them by chance.

    The naive estimate of the boundary term is the central difference quotient of the sample loss minus its gradient,
    all at the same x: a hyperplane that moves by `step` passes over few samples, whose loss jumps. Its variance grows
    like 1 / step; its bias, computed in closed form, falls like step^2.
    """
    student, teacher = networks(2, 1, 4)
    rows, group = student.weights, 2**8
    moves = step * jnp.eye(rows.size).reshape(-1, *rows.shape)

    def quotients(loss: Callable[[st.Network], Float[Array, ""]]) -> Float[Array, " D"]:
        def quotient(move):
            ends = (loss(st.Network(rows + sign * move, student.output_weights)) for sign in (1, -1))
            return (next(ends) - next(ends)) / (2 * step)

        return jax.vmap(quotient)(moves)

    @jax.jit
    def naive(key) -> Float[Array, " D"]:
        x = jax.random.normal(key, (group, rows.shape[1]))

        def mean_loss(network):
            def sample(y):
                (value, slope), (value_, slope_) = (jax.value_and_grad(f)(y) for f in (network, teacher))
                return ((value - value_) ** 2 + jnp.sum((slope - slope_) ** 2)) / 2

            return jnp.mean(jax.vmap(sample)(x))

        return quotients(mean_loss) - jax.grad(mean_loss)(student).weights.ravel()

    means = jax.lax.map(naive, jax.random.split(jax.random.key(0), samples // group))
    by_chance = float(jnp.sum(jnp.var(means, axis=0, ddof=1)) / len(means))
    exact, gradient = st.boundary_term(student, teacher), st.population_gradient(student, teacher).weights
    bias = quotients(lambda network: st.population_loss(network, teacher)) - (gradient + exact).ravel()
    options: Options = {"samples": samples, "group": group, "method": "independent", "progress": False}
    ours = st.montecarlo.boundary_term(student, teacher, key=jax.random.key(0), **options)
    relative = float(jnp.linalg.norm(bias) / jnp.linalg.norm(exact))
    return {
        "what": f"variance of H1's boundary term by difference quotients of step {step:g} / by samples on the "
        f"hyperplanes, K = 2, K* = 1, d = 4, {samples} independent samples each",
        "values": {"factor": by_chance / variance(ours), "relative bias of the quotients": relative},
    }
