"""The gradient of every family of activations against that of ReLU, of the same networks, and its two products."""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

import sobolev_theory as st

from .timing import side_by_side

FAMILIES: dict[str, tuple[st.Activation, st.SobolevLoss]] = {
    "RePU(2), H2": (st.RePU(2), st.H2),
    "RePU(4), H1": (st.RePU(4), st.H1),
    "RePU(8), H1": (st.RePU(8), st.H1),
    "leaky ReLU": (st.LeakyReLU(0.1), st.H1),
    "absolute value": (st.AbsoluteValue(), st.H1),
    "cubic": (st.Polynomial((0.0, 1.0, 0.5, 0.1)), st.H1),
    "identity": (st.Identity(), st.H1),
    "sine": (st.Sine(), st.H1),
    "cosine": (st.Cosine(), st.H1),
    "erf": (st.Erf(), st.H1),
    "Gaussian": (st.Gaussian(), st.H1),
    "GELU": (st.GELU(), st.H1),
}


def family_against_relu(name: str, neurons: int = 64, dimension: int = 1024) -> dict:
    activation, loss = FAMILIES[name]
    return _ratio(name, activation, loss, None, neurons, dimension, "<= 3")


def biases_against_relu(neurons: int = 64, dimension: int = 1024) -> dict:
    """ReLU with biases over ReLU without."""
    biases = jax.random.normal(jax.random.key(2), (2, neurons))
    return _ratio("ReLU with biases", st.ReLU(), st.H1, biases, neurons, dimension, "<= 15")


def memory_over_pairs(few: int = 128, many: int = 512, dimension: int = 64) -> dict:
    """Temporary bytes of the compiled gradient per pair of neurons, of which there are K (K + K*).

    The same for few and for many neurons: the memory is linear in the pairs.
    """
    per_pair = {}
    for name, kind in _every_kind().items():
        for neurons in (few, many):
            per_pair[f"{name}, K = {neurons}"] = _temporary_bytes(*kind, neurons, dimension) / (2 * neurons**2)
    return {"what": f"temporary bytes per pair of neurons, K = K*, d = {dimension}", "values": per_pair}


def _every_kind() -> dict[str, tuple[st.Activation, st.SobolevLoss, bool]]:
    tanh = st.Elementwise(jnp.tanh)
    return {
        **{name: (activation, loss, False) for name, (activation, loss) in FAMILIES.items()},
        "ReLU with biases": (st.ReLU(), st.H1, True),
        "GELU with biases": (st.GELU(), st.H1, True),
        "tanh by quadrature": (tanh, st.H1, False),
    }


def _temporary_bytes(activation, loss, biased: bool, neurons: int, dimension: int) -> int:
    rows = jax.ShapeDtypeStruct((2, neurons, dimension), jnp.float64)
    biases = jax.ShapeDtypeStruct((2, neurons), jnp.float64) if biased else None
    compiled = jax.jit(partial(_gradient, activation, loss)).lower(rows, biases).compile()
    analysis = compiled.memory_analysis()
    if analysis is None:
        raise RuntimeError("memory: got no analysis from this backend; needs one that reports temporary memory")
    return analysis.temp_size_in_bytes


def _ratio(name: str, activation: st.Activation, loss: st.SobolevLoss, biases, neurons, dimension, goal: str) -> dict:
    rows = jax.random.normal(jax.random.key(0), (2, neurons, dimension)) / math.sqrt(dimension)
    gradient = jax.jit(partial(_gradient, activation, loss))
    relu = jax.jit(partial(_gradient, st.ReLU(), st.H1))
    products = jax.jit(_products)
    ratio = side_by_side(lambda: gradient(rows, biases), lambda: relu(rows, None))
    least = _milliseconds(lambda: products(rows))
    return {
        "what": f"gradient of {name}, loss of order {loss.order} / of ReLU, H1, without biases, K = K* = {neurons}, "
        f"d = {dimension} ({1e3 * ratio.first / least:.2g} times its two products)",
        **ratio._asdict(),
        "goal": goal,
    }


def _gradient(activation: st.Activation, loss: st.SobolevLoss, rows, biases) -> st.Network:
    ours, theirs = (None, None) if biases is None else biases
    student, teacher = (
        st.Network(w, biases=b, activation=activation) for w, b in zip(rows, (ours, theirs), strict=True)
    )
    return st.population_gradient(student, teacher, loss)


def _products(rows):
    stacked = rows.reshape(-1, rows.shape[-1])
    return (rows[0] @ stacked.T) @ stacked


def _milliseconds(run: Callable[[], object]) -> float:
    return 1e3 * side_by_side(run, run, seconds=0.5).first
