"""The closed forms of the library are the derived ones, name by name, at a pair that lies in its own frame."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from sobolev_theory import pair, single_neuron
from sobolev_theory.symbolic import as_function, r, r_star, rho, theta
from sobolev_theory.symbolic import pair as derived_pair
from sobolev_theory.symbolic import single_neuron as derived

NORMS = (0.7, 1.9)
ANGLES = (0.4, 1.3, 2.9)
ROUNDING = 1e-14  # a few roundings of 1e-16, times 1/sin(2.9)^2 = 17 in e e'
OF_VECTORS = [
    *(
        (single_neuron, derived, name)
        for name in vars(single_neuron)
        if name.split("_")[0] in ("l2", "h1", "seminorm")
    ),
    *((pair, derived_pair, name) for name in vars(pair) if name.split("_")[0] in ("value", "slope")),
]


def _closed_form(function, angle):
    w, w_star = jnp.array([NORMS[0], 0.0, 0.0]), NORMS[1] * jnp.array([jnp.cos(angle), jnp.sin(angle), 0.0])
    by_name = {"w": w, "w_star": w_star, "v": w_star, "rho": NORMS[1] / NORMS[0], "theta": angle}
    by_name |= {"norm": NORMS[0], "angle": angle, "teacher_norm": NORMS[1]}
    arguments = [jnp.asarray(by_name[name]) for name in inspect.signature(function).parameters]
    return jnp.stack(found) if isinstance(found := jax.jit(function)(*arguments), tuple) else found


@pytest.mark.parametrize(("module", "twin", "name"), OF_VECTORS, ids=lambda x: x if isinstance(x, str) else "")
def test_closed_form_is_the_derived_one(module, twin, name):
    quantity = getattr(twin, name)()
    entries = list(quantity) if isinstance(quantity, tuple | list) else [quantity]
    matrix = quantity if isinstance(quantity, sp.MatrixBase) else sp.Matrix(entries)
    function = as_function(matrix, [r, r_star, rho, theta])
    for angle in ANGLES:
        stated = np.asarray(_closed_form(getattr(module, name), angle))
        expected = np.asarray(function(*NORMS, NORMS[1] / NORMS[0], angle), dtype=float).reshape(stated.shape)
        np.testing.assert_allclose(stated, expected, rtol=0, atol=ROUNDING)
