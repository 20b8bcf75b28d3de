"""The exact H1 population gradient against the products it cannot avoid, and against sampling it."""

from functools import partial

import jax
import jax.numpy as jnp

import sobolev_theory as st

from .timing import seconds_of, side_by_side


def against_its_products(neurons: int, dimension: int, displacement: float | None, goal: float) -> dict:
    """Ratio to (W @ V.T) @ V, V the stacked 2K neurons.

    With a displacement the student is that far from the teacher, and the sums are taken as differences.
    """
    keys = jax.random.split(jax.random.key(0))
    rows, teacher_rows = (jax.random.normal(key, (neurons, dimension)) for key in keys)
    if displacement is not None:
        rows = teacher_rows + displacement * rows
    stacked = jnp.concatenate([rows, teacher_rows])
    exact = jax.jit(lambda rows, others: st.population_gradient(st.Network(rows), st.Network(others)))
    products = jax.jit(lambda rows, stacked: (rows @ stacked.T) @ stacked)
    ratio = side_by_side(lambda: exact(rows, teacher_rows), lambda: products(rows, stacked))
    where = "random student" if displacement is None else f"student within {displacement:g} of its teacher"
    return {
        "what": f"exact H1 gradient / two matrix products, K = K* = {neurons}, d = {dimension}, {where}",
        **ratio._asdict(),
        "goal": f"<= {goal}" if displacement is None else "",
    }


def against_sampling(neurons: int = 64, dimension: int = 1024, samples: int = 4096, error: float = 1e-3) -> dict:
    """Time of jax.grad over the samples that a relative error of 1e-3 needs, over the exact gradient's.

    One batch is timed; its groups give the variance of one sample, hence the number of samples needed.
    """
    keys = jax.random.split(jax.random.key(1), 3)
    student, teacher = (st.Network(jax.random.normal(key, (neurons, dimension))) for key in keys[:2])
    exact = jax.jit(lambda student, teacher: st.population_gradient(student, teacher).weights)
    truth = exact(student, teacher)

    def mean_loss(student, teacher, inputs):
        def sample(x):
            values = [jax.value_and_grad(network)(x) for network in (student, teacher)]
            (value, slope), (value_, slope_) = values
            return ((value - value_) ** 2 + jnp.sum((slope - slope_) ** 2)) / 2

        return jnp.mean(jax.vmap(sample)(inputs))

    inputs = jax.random.normal(keys[2], (samples, dimension))
    batch = jax.jit(lambda student, inputs: jax.grad(mean_loss)(student, teacher, inputs).weights)
    groups = inputs.reshape(16, -1, dimension)
    means = jnp.stack([batch(student, group) for group in groups])
    one_sample = jnp.sum(jnp.var(means, axis=0, ddof=1)) * groups.shape[1]
    needed = float(one_sample / (error**2 * jnp.sum(truth**2)))
    ratio = side_by_side(lambda: batch(student, inputs), lambda: exact(student, teacher))
    scaled = {name: value * needed / samples for name, value in ratio._asdict().items() if name != "second"}
    return {
        "what": f"jax.grad on the {needed:.2g} samples for a relative error of {error:g} / exact gradient, "
        f"K = K* = {neurons}, d = {dimension} (one batch of {samples} timed, scaled)",
        **scaled,
        "second": ratio.second,
        "goal": ">= 1e6",
    }


def compile_times(neurons: int = 64, dimension: int = 1024) -> dict:
    """Seconds of the first call, compilation included, of loss, gradients and product."""
    student, teacher = (st.Network(jax.random.normal(jax.random.key(i), (neurons, dimension + 1))) for i in range(2))
    functions = (st.population_loss, st.population_gradient, st.loss_gradient)
    seconds = {function.__name__: seconds_of(partial(function, student, teacher)) for function in functions}
    product = partial(st.loss_hessian_product, student, teacher, student)
    return {
        "what": f"first call, compilation included, K = K* = {neurons}, d = {dimension + 1} (seconds)",
        "values": {**seconds, "loss_hessian_product": seconds_of(product)},
    }
