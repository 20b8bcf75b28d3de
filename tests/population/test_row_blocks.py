"""Blocks of neurons and several devices give what one block on one device gives."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sobolev_theory as st
from sobolev_theory.population import row_blocks
from tests.helpers.cases import EPS
from tests.helpers.reference import Problem, combine

NEURONS, TEACHERS, DIMENSION = 7, 5, 4
# Sums of 12 terms of size up to 20, in another order; near a teacher those of products carry 1/sin(theta) = 1e3.
ROUNDING = 12 * 20 * EPS

STUDENTS = {"far": 1.0, "near": 1e-3}
EVERY_FUNCTION = {
    "population_loss": lambda s, t, **on: st.population_loss(s, t, **on),
    "loss_hessian_product": lambda s, t, **on: st.loss_hessian_product(s, t, s, **on),
    "loss_gradient and its reverse product": lambda s, t, **on: gradient_and_product(s, t, **on),
}


def gradient_and_product(student, teacher, **on):
    @jax.jit
    def both(student, teacher):
        gradient, product = jax.vjp(lambda s: st.loss_gradient(s, teacher, **on), student)
        return gradient, product(student)

    return both(student, teacher)


def networks(name: str) -> tuple[st.Network, st.Network]:
    """A student near its teacher has two neurons more than there are teachers."""
    random = np.random.default_rng(3)
    teacher = random.normal(size=(TEACHERS, DIMENSION))
    step = STUDENTS[name] * random.normal(size=(NEURONS, DIMENSION))
    weights = step if name == "far" else step + np.concatenate([teacher[::-1], step[:2] / STUDENTS[name]])
    output = random.uniform(0.5, 1.5, NEURONS)
    return st.Network(weights, output), st.Network(teacher)


def close(found, expected, near: bool):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=ROUNDING * (1e6 if near else 1))


@pytest.fixture
def blocks_of_two(monkeypatch):
    """Seven students in blocks of two: the last one is filled up."""
    jax.clear_caches()
    monkeypatch.setattr(row_blocks, "PAIRS", 2 * (NEURONS + TEACHERS))
    yield
    jax.clear_caches()


@pytest.fixture(scope="module")
def in_one_block():
    return {(f, s): EVERY_FUNCTION[f](*networks(s)) for f in EVERY_FUNCTION for s in STUDENTS}


def test_blocks_give_what_one_block_gives(in_one_block, blocks_of_two):
    for (function, student), expected in in_one_block.items():
        close(EVERY_FUNCTION[function](*networks(student)), expected, student == "near")


def test_no_array_holds_all_pairs(monkeypatch):
    """All temporary arrays of 256 x 512 pairs together take less than half of what one of them would."""
    monkeypatch.setattr(row_blocks, "PAIRS", 4 * 512)
    student = st.Network(np.random.default_rng(0).normal(size=(256, 4)))
    for function in EVERY_FUNCTION:
        compiled = jax.jit(EVERY_FUNCTION[function]).lower(student, student).compile()
        assert compiled.memory_analysis().temp_size_in_bytes < 256 * 512 * 8 / 2, function


def test_a_matching_found_in_blocks_is_the_whole_one(blocks_of_two):
    """Near a teacher plain sums would lose six digits of the gradient."""
    random = np.random.default_rng(5)
    teacher, ones = random.normal(size=(TEACHERS, DIMENSION)), np.ones(TEACHERS)
    student = (teacher + 1e-9 * random.normal(size=teacher.shape))[random.permutation(TEACHERS)]
    gradient = st.population_gradient(st.Network(student), st.Network(teacher), st.L2).weights
    exact = combine((1.0,), Problem(student, ones, teacher, ones).population_gradient)
    np.testing.assert_allclose(gradient, exact, rtol=0, atol=64 * EPS * np.max(np.abs(exact)))


ON_DEVICES = """
import pickle
import sys
import jax
jax.config.update("jax_enable_x64", True)
from tests.population import test_row_blocks as t
from jax.sharding import AxisType, NamedSharding, PartitionSpec
assert len(jax.devices()) == 8
expected = pickle.load(sys.stdin.buffer)
meshes = [jax.make_mesh((8,), ("neurons",)), jax.make_mesh((2, 2), ("a", "b"), axis_types=2 * (AxisType.Auto,))]
for (function, name), value in expected.items():
    student, teacher = t.networks(name)
    if name == "near":
        t.close(t.EVERY_FUNCTION[function](student, teacher, mesh=meshes[1]), value, True)
        continue
    spread = NamedSharding(meshes[0], PartitionSpec(None, None))
    student = t.st.Network(jax.device_put(student.weights, spread), student.output_weights)
    found = t.st.loss_gradient(student, teacher, mesh=meshes[0])
    t.close(found, value[0], False)
    assert len(found.weights.sharding.device_set) == 8
print("equal")
"""


def test_several_devices_give_what_one_gives(in_one_block):
    chosen = [
        ("loss_gradient and its reverse product", "far"),
        ("population_loss", "near"),
        ("loss_hessian_product", "near"),
    ]
    flags = {
        "XLA_FLAGS": f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, "-c", ON_DEVICES],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | flags,
        input=pickle.dumps({key: jax.tree.map(np.asarray, in_one_block[key]) for key in chosen}),
        capture_output=True,
        timeout=300,
    )
    assert done.stdout.decode().strip() == "equal", done.stderr.decode()


def test_a_mesh_of_another_kind_is_refused_by_name():
    student, teacher = networks("far")
    with pytest.raises(TypeError, match=r"mesh: got 4; needs a jax\.sharding\.Mesh"):
        st.population_gradient(student, teacher, mesh=4)


def test_blocks_keep_single_precision(blocks_of_two):
    student, teacher = (st.Network(jnp.asarray(n.weights, jnp.float32)) for n in networks("far"))
    assert st.population_gradient(student, teacher).weights.dtype == jnp.float32
