"""Single precision keeps its digits on accelerators, which multiply matrices in fewer unless they are told."""

import jax
import jax.numpy as jnp
import pytest

import sobolev_theory as st

STUDENT, TEACHER = jnp.eye(2, 3), jnp.ones((2, 3)) + jnp.eye(2, 3)
KINDS = {"ReLU": st.ReLU(), "sine": st.Sine()}


def products(jaxpr) -> list:
    """All matrix products of a program, also those within loops, branches and calls."""
    found = [e for e in jaxpr.eqns if e.primitive.name == "dot_general"]
    for equation in jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda x: hasattr(x, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            found += products(inner) if hasattr(inner, "eqns") else []
    return found


FUNCTIONS = {
    "loss": lambda s, t: st.population_loss(s, t),
    "its derivative": lambda s, t: jax.grad(lambda s: st.population_loss(s, t))(s),
    "gradient": lambda s, t: st.population_gradient(s, t),
    "boundary term": lambda s, t: st.boundary_term(s, t),
    "Hessian": lambda s, t: st.loss_hessian(s, t),
    "product": lambda s, t: st.population_jacobian_product(s, t, s),
    "span": lambda s, t: st.reduction(s, t).lift(st.reduction(s, t).reduce(s)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_matrix_product_is_asked_for_in_full_precision(name, kind):
    def of_rows(w, v):
        return FUNCTIONS[name](*(st.Network(rows, activation=KINDS[kind]) for rows in (w, v)))

    found = products(jax.make_jaxpr(of_rows)(STUDENT, TEACHER).jaxpr)
    assert found or kind == "sine"
    highest = (jax.lax.Precision.HIGHEST,) * 2
    assert [e.params["precision"] for e in found] == [highest] * len(found)
