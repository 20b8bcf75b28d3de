"""Estimates over several devices and several processes: those of one device, also in batches that do not divide."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import sobolev_theory as st

OPTIONS = {"samples": 11 * 2**8, "batch": 2**8, "group": 2**5}  # 11 batches: for no number of devices here a multiple


def networks():
    rows = np.random.default_rng(3).normal(size=(3, 4))
    return st.Network(rows[:2], [1.0, -0.7]), st.Network(rows[2:], [1.2])


def estimates(mesh=None, controlled: bool = False) -> np.ndarray:
    """Gradient with its errors, and a loss that stops at a target, with how many samples that took.

    Or the loss by nets with a control variate, which has a pilot.
    """
    if controlled:
        options = OPTIONS | {"method": "sobol", "control": st.L2}
        loss = st.montecarlo.population_loss(*networks(), key=jax.random.key(1), mesh=mesh, **options)
        return np.asarray(ravel_pytree(loss[:2])[0])
    gradient = st.montecarlo.loss_gradient(*networks(), key=jax.random.key(1), mesh=mesh, **OPTIONS)
    stopped = st.montecarlo.population_loss(
        *networks(), key=jax.random.key(1), mesh=mesh, standard_error=0.1, **OPTIONS
    )
    return np.asarray(ravel_pytree((gradient[:2], stopped[:2], float(gradient.samples), float(stopped.samples)))[0])


PROGRAM = """
import sys
import jax
jax.config.update("jax_enable_x64", True)
processes, process, port = map(int, sys.argv[1:])
if processes > 1:
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"localhost:{port}", processes, process)
from tests.montecarlo import test_devices as t
mesh = jax.make_mesh((jax.device_count(),), ("samples",))
found = t.estimates(mesh).tolist() + (t.estimates(mesh, controlled=True).tolist() if processes == 1 else [])
print(*(x.hex() for x in found), jax.device_count())
"""


def of_processes(processes: int, devices: int) -> list[tuple[np.ndarray, int]]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    flags = {
        "XLA_FLAGS": f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(processes), str(process), str(port)],
            cwd=Path(__file__).resolve().parents[2],
            env=os.environ | flags,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in range(processes)
    ]
    found = []
    try:
        for process in running:
            out, error = process.communicate(timeout=200)
            assert process.returncode == 0, error
            *values, count = out.splitlines()[-1].split()  # gloo prints lines of its own before
            found.append((np.array([float.fromhex(value) for value in values]), int(count)))
    finally:
        for process in running:
            process.kill()
    return found


# Each process imports and compiles for seconds; what two of one device do, `test_stream_checkpoints` sees.
@pytest.mark.parametrize(("processes", "devices"), [(1, 8), (2, 2)])
def test_the_estimate_does_not_depend_on_devices_and_processes(processes, devices):
    expected = np.concatenate([estimates()] + ([estimates(controlled=True)] if processes == 1 else []))
    for values, count in of_processes(processes, devices):
        assert count == processes * devices
        # The same group means, compiled into another program: rounding of some hundred terms near 1.
        np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-13)


def test_a_mesh_of_another_kind_is_refused_by_name():
    with pytest.raises(TypeError, match=r"mesh: got 4; needs a jax\.sharding\.Mesh"):
        st.montecarlo.population_loss(*networks(), key=jax.random.key(1), mesh=4)


def test_more_devices_than_exist_are_refused():
    with pytest.raises(ValueError, match="Number of devices"):
        jax.make_mesh((10**4,), ("samples",))
