"""What the ambient dimension costs: spectra against dense autodiff, and everything from d = 10^3 to 10^6."""

from functools import partial

import jax
import jax.numpy as jnp

import sobolev_theory as st

from .timing import seconds_of, side_by_side


def random_networks(neurons: int, dimension: int) -> tuple[st.Network, st.Network]:
    keys = jax.random.split(jax.random.key(neurons + dimension))
    student, teacher = (st.Network(jax.random.normal(key, (neurons, dimension)) / dimension**0.5) for key in keys)
    return student, teacher


def closed_loss(rows, teacher_rows):
    """The H1 loss in closed form, as one would write it without the library: for `jax.hessian`."""
    stacked = jnp.concatenate([rows, teacher_rows])
    signs = jnp.concatenate([jnp.ones(len(rows)), -jnp.ones(len(teacher_rows))])
    norms = jnp.linalg.norm(stacked, axis=1)
    cos = (stacked @ stacked.T) / jnp.outer(norms, norms)
    away = jnp.where(jnp.abs(cos) < 1 - 1e-12, cos, 0.0)  # the angle of a neuron to itself is 0
    theta = jnp.where(jnp.abs(cos) < 1 - 1e-12, jnp.arccos(away), 0.0)
    kernel = jnp.sin(theta) + 2 * (jnp.pi - theta) * jnp.cos(theta)
    return signs * norms @ kernel @ (signs * norms) / (4 * jnp.pi)


def spectrum_against_dense(neurons: int = 8, dimension: int = 256) -> dict:
    """jax.hessian of the closed loss, [K d, K d], and its eigvalsh, over `st.spectrum`."""
    student, teacher = random_networks(neurons, dimension)
    size = student.weights.size

    @jax.jit
    def dense(rows, teacher_rows):
        hessian = jax.hessian(closed_loss)(rows, teacher_rows)
        return jnp.linalg.eigvalsh(hessian.reshape(size, size))

    exact = jax.jit(lambda student, teacher: st.spectrum(student, teacher).values)
    ratio = side_by_side(lambda: dense(student.weights, teacher.weights), lambda: exact(student, teacher))
    return {
        "what": f"eigvalsh of the autodiff Hessian / spectrum, K = K* = {neurons}, d = {dimension}",
        **ratio._asdict(),
        "goal": ">= 100",
    }


def gradient_in(dimension: int, neurons: int = 8) -> dict:
    """Over the two products it cannot avoid and one read of the weights."""
    student, teacher = random_networks(neurons, dimension)
    stacked = jnp.concatenate([student.weights, teacher.weights])
    exact = jax.jit(lambda student, teacher: st.population_gradient(student, teacher).weights)
    products = jax.jit(lambda rows, stacked: ((rows @ stacked.T) @ stacked, jnp.sum(stacked, axis=1)))
    ratio = side_by_side(lambda: exact(student, teacher), lambda: products(student.weights, stacked))
    return {
        "what": f"exact H1 gradient / two matrix products and one read of the weights, K = K* = {neurons}, "
        f"d = {dimension:.0e}",
        **ratio._asdict(),
        "goal": "<= 1.5",
    }


def product_against_gradient(neurons: int = 64, dimension: int = 1024) -> dict:
    student, teacher = random_networks(neurons, dimension)
    product = jax.jit(lambda s, t: st.loss_hessian_product(s, t, t).weights)
    gradient = jax.jit(lambda s, t: st.loss_gradient(s, t).weights)
    ratio = side_by_side(lambda: product(student, teacher), lambda: gradient(student, teacher))
    return {
        "what": f"Hessian-vector product / loss gradient, K = K* = {neurons}, d = {dimension}",
        **ratio._asdict(),
        "goal": "<= 3",
    }


def spectrum_over_dimension(neurons: int = 8, dimensions: tuple[int, ...] = (10**3, 10**4, 10**5, 10**6)) -> dict:
    """Seconds of the reduction and of the spectrum of the reduced networks, compilation aside."""
    seconds = {}
    for dimension in dimensions:
        student, teacher = random_networks(neurons, dimension)
        rotate = jax.jit(lambda s, t: [st.reduction(s, t).reduce(n) for n in (s, t)])
        small = [st.Network(jnp.pad(n.weights, ((0, 0), (0, 1)))) for n in rotate(student, teacher)]
        values = jax.jit(lambda s, t: st.spectrum(s, t).values)
        calls = {"QR": partial(rotate, student, teacher), "after it": partial(values, *small)}
        for name, call in calls.items():
            jax.block_until_ready(call())
            seconds[f"{name} at d = {dimension:.0e}"] = min(seconds_of(call) for _ in range(5))
    return {"what": f"spectrum, K = K* = {neurons} (seconds)", "values": seconds}
