"""Networks of several neurons with output weights of any sign: loss, gradients, Jacobians and their products."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

import sobolev_theory as st
from sobolev_theory import pair as closed_forms

from ... import definitions as by_definition
from ...checks import Check, Differences, Quadrature, derivative
from ...claim import Claim, Formula
from ...statements import Statement
from ...statements import networks as stated
from ...statements.evaluation import FLOATS, Environment, evaluate
from ...twins import minus
from ..common.domains import NETWORKS, Networks
from ..common.sources import NETWORK_PAPER as PAPER
from ..common.sources import TIAN
from .methods import (
    STEP,
    along_direction,
    boundary_at,
    boundary_by_differences,
    direction,
    exact,
    flat,
    flat_mean,
    gradient_by_differences,
    jacobian_at,
    loss_at,
    loss_gradient,
    population_gradient,
    problem,
    product_of,
    product_on_a_segment,
    rows_by_differences,
    sampled,
    segment,
    shifted,
    weights_only,
)
from .places import place, symbolic

# Section 5: every sum over pairs.


def pair_sum_loss(networks: Networks):
    """1/2 sum_ij c_i c_j (kappa_0 + kappa_1)."""
    v, c = _stacked(networks)
    return c @ _kernels(v, v) @ c / 2


@jax.jit
def _kernels(v, u):
    """kappa_0 + kappa_1 of all pairs."""
    kernel = lambda a, b: closed_forms.value_kernel(a, b) + closed_forms.slope_kernel(a, b)  # noqa: E731
    return jax.vmap(jax.vmap(kernel, (None, 0)), (0, None))(v, u)


def pair_sum_gradient(networks: Networks, strength: float = 2.0):
    """G_H,k = a_k sum_j c_j [2 P(theta_kj) v_j + |v_j| sin(theta_kj) w_k / (2 pi |w_k|)]: two matrix products."""
    v, c = _stacked(networks)
    w, a = networks.student.weights, networks.student.output_weights
    norms, own = jnp.linalg.norm(v, axis=1), jnp.linalg.norm(w, axis=1)
    u, u_ = (w / own[:, None])[:, None], (v / norms[:, None])[None]
    theta = 2 * jnp.arctan2(jnp.linalg.norm(u - u_, axis=-1), jnp.linalg.norm(u + u_, axis=-1))
    both = (jnp.pi - theta) / (2 * jnp.pi)
    radial = jnp.sin(theta) @ (c * norms) / (2 * jnp.pi * own)
    return a[:, None] * (strength * (both * c) @ v + radial[:, None] * w)


def _stacked(networks: Networks):
    student, teacher = networks
    rows = jnp.concatenate([student.weights, teacher.weights])
    return rows, jnp.concatenate([student.output_weights, -teacher.output_weights])


def _rows(loss: str, networks: Networks) -> np.ndarray:
    return by_definition.population_gradient(problem(networks, loss))[0]


def _sampled_rows(_: Networks, mean: st.Network) -> np.ndarray:
    return np.asarray(mean.weights)


def _opposite_teacher(formula: Formula) -> dict[str, Formula]:
    """The teacher's output weights with the wrong sign."""

    def twin(networks: Networks):
        teacher = networks.teacher
        return formula(Networks(networks.student, st.Network(teacher.weights, -teacher.output_weights)))

    return {"teacher with the wrong sign": twin}


def _transposed(formula: Formula) -> dict[str, Formula]:
    return {"transposed": lambda networks: jnp.transpose(formula(networks), (2, 3, 0, 1))}


def _claim(
    name: str,
    statement: Statement,
    source: str,
    formula: Formula,
    checks: tuple,
    twins: dict,
    evaluated: Callable | None = None,
) -> Claim:
    return Claim(f"networks/{name}", statement, source, NETWORKS, formula, checks, twins, stated=evaluated)


WRITTEN_OUT = (stated.d_kappa_0, stated.d_kappa_1)


def _along(gradient: Statement, statement: Statement, networks: Networks) -> np.ndarray:
    """The statement's right side: the derivative of the stated gradient along the direction of the product."""

    def moved(s: np.ndarray) -> np.ndarray:
        return place(gradient, shifted(networks, direction(networks), float(s))).astype(float)

    (product,) = sp.sympify(statement.right).atoms(stated.Along)
    return evaluate(statement.right, Environment(FLOATS, values={product: derivative(moved, np.zeros(()), STEP)}))


def _loss_claim(name: str, statement: Statement, loss: str) -> Claim:
    formula = exact(st.population_loss, loss)
    checks = (
        symbolic(statement),
        Quadrature(partial(loss_at, loss)),
        sampled("population_loss", loss),
    )
    return _claim(name, statement, PAPER, formula, checks, _opposite_teacher(formula))


def _gradient_claim(
    name: str, statement: Statement, source: str, loss: str, written_out: tuple, twins: dict
) -> Claim:
    formula = exact(st.population_gradient, loss, flat)
    checks: list[Check] = [
        symbolic(statement, place, *written_out),
        Quadrature(partial(population_gradient, loss)),
        sampled("population_gradient", loss, flat_mean),
    ]
    if loss == "L":
        checks.append(Differences(partial(gradient_by_differences, loss)))
    return _claim(name, statement, source, formula, tuple(checks), {**_opposite_teacher(formula), **twins})


def _jacobian_claim(name: str, statement: Statement, loss: str, twins: dict) -> Claim:
    formula = exact(st.population_jacobian, loss)
    checks = (
        symbolic(statement),
        Quadrature(partial(jacobian_at, loss)),
        Differences(partial(rows_by_differences, by_definition.population_gradient, loss)),
        sampled("population_jacobian", loss),
    )
    return _claim(name, statement, PAPER, formula, checks, {**_opposite_teacher(formula), **twins})


h1_gradient = exact(st.population_gradient, "H", flat)
h1_loss_gradient = exact(st.loss_gradient, "H", flat)
boundary_term = exact(st.boundary_term, "H")
h1_jacobian = exact(st.population_jacobian, "H")
h1_hessian = exact(st.loss_hessian, "H")
jacobian_product = partial(product_of, st.population_jacobian_product)
hessian_product = partial(product_of, st.loss_hessian_product)

CLAIMS = (
    _loss_claim("l2-loss", stated.L2_LOSS, "L"),
    _loss_claim("h1-loss", stated.H1_LOSS, "H"),
    _gradient_claim(
        "l2-gradient",
        stated.L2_GRADIENT,
        TIAN,
        "L",
        (),
        {"that of H1": h1_gradient},
    ),
    _gradient_claim(
        "h1-population-gradient",
        stated.H1_POPULATION_GRADIENT,
        PAPER,
        "H",
        WRITTEN_OUT,
        {"boundary term added": h1_loss_gradient},
    ),
    _claim(
        "h1-boundary-term",
        stated.H1_BOUNDARY,
        "derived here",
        boundary_term,
        (
            symbolic(stated.H1_BOUNDARY, place, stated.d_boundary),
            Quadrature(partial(boundary_at, "H")),
            Differences(partial(boundary_by_differences, "H")),
            sampled("boundary_term", "H"),
        ),
        {"sign": minus(boundary_term), **_opposite_teacher(boundary_term)},
    ),
    _claim(
        "h1-loss-gradient",
        stated.H1_LOSS_GRADIENT,
        "derived here",
        h1_loss_gradient,
        (
            symbolic(stated.H1_LOSS_GRADIENT),
            Quadrature(partial(loss_gradient, "H")),
            Differences(partial(gradient_by_differences, "H")),
            sampled("loss_gradient", "H", flat_mean),
        ),
        {"boundary term dropped": h1_gradient, **_opposite_teacher(h1_loss_gradient)},
    ),
    _jacobian_claim(
        "l2-jacobian",
        stated.L2_JACOBIAN,
        "L",
        {},
    ),
    _jacobian_claim(
        "h1-population-jacobian",
        stated.H1_POPULATION_JACOBIAN,
        "H",
        {"the loss's Hessian": h1_hessian, **_transposed(h1_jacobian)},
    ),
    _claim(
        "h1-loss-hessian",
        stated.H1_LOSS_HESSIAN,
        "derived here",
        h1_hessian,
        (
            symbolic(stated.H1_LOSS_HESSIAN),
            Differences(partial(rows_by_differences, by_definition.loss_gradient, "H")),
            segment(
                "loss_gradient",
                lambda networks: [weights_only(networks, 1), weights_only(networks, 2)],
                lambda blocks, tangent: np.einsum("kinj,nj->ki", blocks, tangent.weights),
                lambda mean: mean.weights,
                effort=0.8,
            ),
        ),
        {"boundary term dropped": h1_jacobian, **_opposite_teacher(h1_hessian)},
    ),
    _claim(
        "h1-population-jacobian-product",
        stated.JACOBIAN_PRODUCT,
        "derived here",
        jacobian_product,
        (
            Differences(partial(along_direction, by_definition.population_gradient)),
            product_on_a_segment("population_gradient"),
        ),
        {"the loss's": hessian_product},
        partial(_along, stated.H1_POPULATION_GRADIENT),
    ),
    _claim(
        "h1-loss-hessian-product",
        stated.HESSIAN_PRODUCT,
        "derived here",
        hessian_product,
        (Differences(partial(along_direction, by_definition.loss_gradient)), product_on_a_segment("loss_gradient")),
        {"the population gradient's": jacobian_product},
        partial(_along, stated.H1_LOSS_GRADIENT),
    ),
    _claim(
        "h1-loss-as-pair-sum",
        stated.H1_LOSS,
        PAPER,
        pair_sum_loss,
        (symbolic(stated.H1_LOSS), Quadrature(partial(loss_at, "H")), sampled("population_loss", "H")),
        _opposite_teacher(pair_sum_loss),
    ),
    _claim(
        "h1-gradient-as-two-products",
        stated.H1_ROWS,
        PAPER,
        pair_sum_gradient,
        (
            symbolic(stated.H1_ROWS, place, *WRITTEN_OUT),
            Quadrature(partial(_rows, "H")),
            sampled("population_gradient", "H", _sampled_rows),
        ),
        {"one derivative too few": partial(pair_sum_gradient, strength=1.0), **_opposite_teacher(pair_sum_gradient)},
    ),
)
