"""Time of the Monte-Carlo stream against the number of processes, beside a model of what it costs.

For N samples of the H1 gradient of K neurons against a teacher of K*, in d dimensions, in batches of B on each of P
devices, with D = K (d + 1) + 1 components,

    T = R (B (g d + f F) + G) + P R M,    R = N / (B P) rounds,    F = 4 d (K + K*) + 6 d K products,

where g is the time of one normal number, f of one floating-point operation in a product, G(P) of one gather of the
2 D + 1 moments of every device, and M of one merge of a batch's moments on the host, in 64 bit: every process merges
those of all devices, so that its share does not fall with P. Hence an efficiency of 1 / (1 + (G + P M) / b) with
b = B (g d + f F): to lose less than a tenth, a batch on a device must take ten times G + P M. Each of these times is
measured apart from the stream. The products are those of `benchmarks.montecarlo`; what the stream does element by
element is not in the model, which is therefore a bound from below.

With 256 hosts, K = K* = 64, d = 1024 and M of 1 ms, P M is a quarter of a second, and G, which brings 255 times
0.5 MB in single precision, another tenth at 10 Gbit/s: a batch of 2**19 samples or more is needed, which at a
microsecond each takes half a second. Memory is that of a group whatever the batch; a checkpoint has 16 D bytes.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory.montecarlo.moments import Moments, merge

ROOT = Path(__file__).resolve().parents[1]


class Size(NamedTuple):
    neurons: int = 64
    dimension: int = 256
    group: int = 2**8
    batch: int = 2**12
    batches: int = 16


class Costs(NamedTuple):
    """Seconds: of the normals and the products of a batch, of a gather, and of a merge."""

    normals: float
    products: float
    gather: float
    merge: float


def model(costs: Costs, batches: int, devices: int, cores: int) -> float:
    """T of the module's formula; devices that share cores wait for each other."""
    rounds = -(-batches // devices)
    sharing = max(1.0, devices / cores)
    return rounds * sharing * (costs.normals + costs.products) + rounds * costs.gather + batches * costs.merge


def processes(counts: tuple[int, ...] = (1, 2, 4), size: Size = Size()) -> dict:  # noqa: B008 - immutable
    """Seconds of the same estimate by one and so many processes of a thread each, and what the model says."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    seconds, alone = {}, None  # costs of one process that has a core for itself; of more only the gather
    for count in sorted({1, *counts}):
        measured, costs = _measured(count, size)
        alone = costs if alone is None else alone._replace(gather=costs.gather)
        seconds[f"{count} process{'es' * (count > 1)}"] = measured
        seconds[f"{count} by the model"] = model(alone, size.batches, count, cores)
    return {
        "what": f"Monte-Carlo stream of H1 gradients, {cores} cores, K = K* = {size.neurons}, d = {size.dimension}, "
        f"{size.batches} batches of {size.batch}",
        "values": seconds,
    }


def _measured(count: int, size: Size) -> tuple[float, Costs]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    flags = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "benchmarks.scaling"]
    running = [
        subprocess.Popen(
            [*command, json.dumps([count, number, port, size])],
            cwd=ROOT,
            env=os.environ | flags,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    try:
        outputs = [process.communicate(timeout=600)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    if any(process.returncode for process in running):
        raise RuntimeError("a process of the benchmark ended with an error; its message is above")
    every = [json.loads(output.splitlines()[-1]) for output in outputs]
    return max(seconds for seconds, _ in every), Costs(*np.max([costs for _, costs in every], axis=0).tolist())


def _worker(count: int, number: int, port: int, size: Size) -> None:
    jax.config.update("jax_enable_x64", True)
    if count > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(f"localhost:{port}", count, number)
    mesh = jax.make_mesh((count,), ("samples",))
    student, teacher = (
        st.Network(jax.random.normal(jax.random.key(i), (size.neurons, size.dimension))) for i in range(2)
    )

    def stream():
        return st.montecarlo.population_gradient(
            student,
            teacher,
            key=jax.random.key(2),
            samples=size.batch * size.batches,
            batch=size.batch,
            group=size.group,
            mesh=mesh,
            progress=False,
        )

    print(json.dumps([_best(stream, 5), _costs(student.weights, teacher.weights, mesh, size)]))
    if count > 1:
        jax.distributed.shutdown()


def _costs(rows: jax.Array, others: jax.Array, mesh: jax.sharding.Mesh, size: Size) -> Costs:
    stacked, groups = jnp.concatenate([rows, others]), size.batch // size.group

    @jax.jit
    def normals(key):
        def step(total, index):
            return total + jax.random.normal(jax.random.fold_in(key, index), (size.group, size.dimension)), None

        return jax.lax.scan(step, jnp.zeros((size.group, size.dimension)), jnp.arange(groups))[0]

    @jax.jit
    def products(x, stacked):
        def step(x, _):
            fields = x @ stacked.T
            slopes = fields @ stacked
            output = slopes @ rows.T
            pattern = fields[:, : len(rows)].T
            total = pattern @ x + pattern @ slopes
            return x + 1e-30 * (jnp.sum(total) + jnp.sum(output)), None

        return jax.lax.scan(step, x, None, length=groups)[0]

    x, components = jnp.ones((size.group, size.dimension)), rows.size + len(rows)
    everywhere = jax.sharding.PartitionSpec()

    @jax.jit
    def gather(values):
        def on_one_device(values):
            return jax.lax.all_gather((values, values), mesh.axis_names)

        return jax.shard_map(on_one_device, mesh=mesh, in_specs=everywhere, out_specs=everywhere, check_vma=False)(
            values
        )

    sharding = jax.sharding.NamedSharding(mesh, everywhere)
    values = np.ones(components)
    shared = jax.make_array_from_callback(values.shape, sharding, lambda index: values[index])
    moments = Moments(np.float64(size.batch // size.group), values, values, None)
    return Costs(
        _best(lambda: normals(jax.random.key(0)), 7),
        _best(lambda: products(x, stacked), 7),
        _best(lambda: [np.asarray(part) for part in gather(shared)], 20),
        _best(lambda: merge(moments, moments), 20),
    )


def _best(run: Callable[[], object], repeats: int) -> float:
    """The quickest of some runs, which other work on the machine has disturbed the least; the first one compiles."""

    def seconds() -> float:
        start = time.perf_counter()
        jax.block_until_ready(run())
        return time.perf_counter() - start

    seconds()
    return min(seconds() for _ in range(repeats))


if __name__ == "__main__":
    count, number, port, size = json.loads(sys.argv[1])
    _worker(count, number, port, Size(*size))
