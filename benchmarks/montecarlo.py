"""The Monte-Carlo stream against what it cannot avoid, its random numbers and its matrix products; and its memory."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp

import sobolev_theory as st

from .timing import side_by_side


def stream_against_its_parts(
    neurons: int = 64,
    dimension: int = 1024,
    samples: int = 2**13,
    group: int = 2**8,
    dtype: str = "float64",
    impl: str = "threefry2x32",
    seconds: float = 10.0,
) -> dict:
    """Ratio of the H1 population gradient's stream to its normals and products alone, in the same groups.

    The products of a group of n samples x [n, d], with V the stacked 2K neurons and W the student's K:
    z = x V', then s V for the derivative in x, s W' for the output weights, and two of [K, n] by [n, d] for the
    weights. In the parts z itself stands for the activation's pattern s, so that nothing elementwise is left.
    """
    student, teacher = (
        st.Network(jax.random.normal(jax.random.key(i), (neurons, dimension), dtype)) for i in range(2)
    )
    stacked = jnp.concatenate([student.weights, teacher.weights])
    key = jax.random.key(2, impl=impl)

    @jax.jit
    def parts(key, stacked):
        def step(total, index):
            x = jax.random.normal(jax.random.fold_in(key, index), (group, dimension), dtype)
            fields = x @ stacked.T
            slopes = fields @ stacked
            output = slopes @ stacked[:neurons].T
            pattern = fields[:, :neurons].T
            rows, output_sum = total
            return (rows + pattern @ x + pattern @ slopes, output_sum + jnp.sum(output, axis=0)), None

        zeros = jnp.zeros((neurons, dimension), dtype), jnp.zeros(neurons, dtype)
        return jax.lax.scan(step, zeros, jnp.arange(samples // group))[0]

    def stream():
        estimate = st.montecarlo.population_gradient(
            student, teacher, key=key, method="independent", samples=samples, batch=samples, group=group
        )
        return estimate.mean

    ratio = side_by_side(stream, lambda: parts(key, stacked), seconds)
    return {
        "what": f"Monte-Carlo stream of H1 gradients / its random numbers and products, K = K* = {neurons}, "
        f"d = {dimension}, {dtype}, {impl}: {samples / ratio.first:.2g} samples per second",
        **ratio._asdict(),
        "goal": "<= 1.3",
    }


MEMORY = """
import json, resource, sys
import jax
import sobolev_theory as st
student, teacher = st.Network([[1.0]]), st.Network([[-0.5]])
options = {"key": jax.random.key(0), "samples": int(float(sys.argv[1])), "batch": 2**16, "group": 2**12}
estimate = st.montecarlo.population_loss(student, teacher, progress=False, **options)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([estimate.samples, peak / 1024, estimate.method]))
"""


def memory_over_samples(samples: tuple[float, ...] = (1e5, 1e7, 1e9)) -> dict:
    """Peak resident memory of a process that draws so many samples in one dimension, in MiB."""
    peaks = {}
    for count in samples:
        run = [sys.executable, "-c", MEMORY, str(count)]
        found = subprocess.run(run, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
        drawn, peak, _ = json.loads(found.stdout.splitlines()[-1])
        peaks[f"{drawn:.2g} samples"] = peak
    return {"what": "peak memory of a process that estimates a loss in d = 1 (MiB)", "values": peaks}
