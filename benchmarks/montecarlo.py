"""The Monte-Carlo stream of gradients against what it cannot avoid: its random numbers and its matrix products."""

import jax
import jax.numpy as jnp

import sobolev_theory as st

from .timing import side_by_side


def stream_against_its_parts(
    neurons: int = 64, dimension: int = 1024, samples: int = 2**13, group: int = 2**8, seconds: float = 10.0
) -> dict:
    """Ratio of the H1 population gradient's stream to its normals and products alone, in the same groups.

    The products of a group of n samples x [n, d], with V the stacked 2K neurons and W the student's K:
    z = x V', then s V for the derivative in x, s W' for the output weights, and two of [K, n] by [n, d] for the
    weights. In the parts z itself stands for the activation's pattern s, so that nothing elementwise is left.
    """
    student, teacher = (st.Network(jax.random.normal(jax.random.key(i), (neurons, dimension))) for i in range(2))
    stacked = jnp.concatenate([student.weights, teacher.weights])
    key = jax.random.key(2)

    @jax.jit
    def parts(key, stacked):
        def step(total, index):
            x = jax.random.normal(jax.random.fold_in(key, index), (group, dimension))
            fields = x @ stacked.T
            slopes = fields @ stacked
            output = slopes @ stacked[:neurons].T
            pattern = fields[:, :neurons].T
            rows, output_sum = total
            return (rows + pattern @ x + pattern @ slopes, output_sum + jnp.sum(output, axis=0)), None

        zeros = jnp.zeros((neurons, dimension)), jnp.zeros(neurons)
        return jax.lax.scan(step, zeros, jnp.arange(samples // group))[0]

    def stream():
        estimate = st.montecarlo.population_gradient(
            student,
            teacher,
            key=key,
            samples=samples,
            batch=samples,
            group=group,
            method="independent",
            progress=False,
        )
        return estimate.mean

    ratio = side_by_side(stream, lambda: parts(key, stacked), seconds)
    return {
        "what": f"Monte-Carlo stream of H1 gradients / its random numbers and products, K = K* = {neurons}, "
        f"d = {dimension}, {samples} samples",
        **ratio._asdict(),
        "goal": "<= 1.5",
    }
