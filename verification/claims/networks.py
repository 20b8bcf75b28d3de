"""Networks of several neurons with output weights of any sign: loss, gradients, Jacobians and their products."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st
from sobolev_theory import pair as closed_forms

from .. import definitions as by_definition
from ..checks import Check, Differences, Quadrature
from ..claim import Claim, Formula
from . import network_placement as symbolic
from .domains import NETWORKS, Networks
from .network_methods import (
    ORDERS,
    along_direction,
    boundary_at,
    boundary_by_differences,
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
    weights_only,
)
from .sources import NETWORK_PAPER as PAPER
from .sources import TIAN
from .twins import minus

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


def _claim(name: str, statement: str, source: str, formula: Formula, checks: tuple, twins: dict) -> Claim:
    return Claim(f"networks/{name}", statement, source, NETWORKS, formula, checks, twins)


def _loss_claim(name: str, statement: str, loss: str) -> Claim:
    formula = exact(st.population_loss, loss)
    checks = (
        symbolic.loss(ORDERS[loss]),
        Quadrature(partial(loss_at, loss)),
        sampled("population_loss", loss),
    )
    return _claim(name, statement, PAPER, formula, checks, _opposite_teacher(formula))


def _gradient_claim(name: str, statement: str, source: str, loss: str, twins: dict) -> Claim:
    formula = exact(st.population_gradient, loss, flat)
    checks: list[Check] = [
        symbolic.gradient(ORDERS[loss]),
        Quadrature(partial(population_gradient, loss)),
        sampled("population_gradient", loss, flat_mean),
    ]
    if loss == "L":
        checks.append(Differences(partial(gradient_by_differences, loss)))
    return _claim(name, statement, source, formula, tuple(checks), {**_opposite_teacher(formula), **twins})


def _jacobian_claim(name: str, statement: str, loss: str, twins: dict) -> Claim:
    formula = exact(st.population_jacobian, loss)
    checks = (
        symbolic.jacobian(ORDERS[loss]),
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
    _loss_claim("l2-loss", r"L = \tfrac12\sum_{ij}c_ic_j\kappa_0(v_i, v_j), c = (a, -a^*)", "L"),
    _loss_claim("h1-loss", r"H = \tfrac12\sum_{ij}c_ic_j(\kappa_0 + \kappa_1)(v_i, v_j)", "H"),
    _gradient_claim(
        "l2-gradient",
        r"G_{L,k} = a_k\sum_jc_j\partial_w\kappa_0(w_k, v_j), \partial L/\partial a_k = \sum_jc_j\kappa_0(w_k, v_j)",
        TIAN,
        "L",
        {"that of H1": h1_gradient},
    ),
    _gradient_claim(
        "h1-population-gradient",
        r"G_{H,k} = a_k\sum_jc_j[2P(\theta_{kj})v_j + \tfrac{1}{2\pi}|v_j|\sin\theta_{kj}w_k/|w_k|]",
        PAPER,
        "H",
        {"boundary term added": h1_loss_gradient},
    ),
    _claim(
        "h1-boundary-term",
        r"\nabla_{w_k}H - G_{H,k} = a_k\sum_jc_j(w_k\cdot v_j)\nabla_{w_k}P(\theta_{kj})",
        "derived here",
        boundary_term,
        (
            symbolic.boundary(),
            Quadrature(partial(boundary_at, "H")),
            Differences(partial(boundary_by_differences, "H")),
            sampled("boundary_term", "H"),
        ),
        {"sign": minus(boundary_term), **_opposite_teacher(boundary_term)},
    ),
    _claim(
        "h1-loss-gradient",
        r"\nabla H = G_H + \text{boundary term}",
        "derived here",
        h1_loss_gradient,
        (
            symbolic.loss_gradient(),
            Quadrature(partial(loss_gradient, "H")),
            Differences(partial(gradient_by_differences, "H")),
            sampled("loss_gradient", "H", flat_mean),
        ),
        {"boundary term dropped": h1_gradient, **_opposite_teacher(h1_loss_gradient)},
    ),
    _jacobian_claim(
        "l2-jacobian",
        r"\partial G_{L,k}/\partial w_n \text{ from } \partial^2_{ww}\kappa_0, \partial^2_{wv}\kappa_0",
        "L",
        {},
    ),
    _jacobian_claim(
        "h1-population-jacobian",
        r"\partial G_{H,k}/\partial w_n; \text{ not symmetric}",
        "H",
        {"the loss's Hessian": h1_hessian, **_transposed(h1_jacobian)},
    ),
    _claim(
        "h1-loss-hessian",
        r"\nabla^2H, \text{ symmetric}",
        "derived here",
        h1_hessian,
        (
            symbolic.hessian(ORDERS["H"]),
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
        r"DG_H[t] = \tfrac{d}{ds}G_H(W + st)",
        "derived here",
        jacobian_product,
        (
            Differences(partial(along_direction, by_definition.population_gradient)),
            product_on_a_segment("population_gradient"),
        ),
        {"the loss's": hessian_product},
    ),
    _claim(
        "h1-loss-hessian-product",
        r"\nabla^2H[t] = \tfrac{d}{ds}\nabla H(W + st)",
        "derived here",
        hessian_product,
        (Differences(partial(along_direction, by_definition.loss_gradient)), product_on_a_segment("loss_gradient")),
        {"the population gradient's": jacobian_product},
    ),
    _claim(
        "h1-loss-as-pair-sum",
        r"H = \tfrac12\sum_{ij}c_ic_j(\kappa_0 + \kappa_1)(v_i, v_j), \text{ from the closed forms of pairs}",
        PAPER,
        pair_sum_loss,
        (symbolic.loss(ORDERS["H"]), Quadrature(partial(loss_at, "H")), sampled("population_loss", "H")),
        _opposite_teacher(pair_sum_loss),
    ),
    _claim(
        "h1-gradient-as-two-products",
        r"G_H = a \odot [2(P \odot c)V + \operatorname{diag}(\tfrac{1}{2\pi|w_k|}\sum_jc_j|v_j|\sin\theta_{kj})W]",
        PAPER,
        pair_sum_gradient,
        (
            symbolic.gradient_in_weights(ORDERS["H"]),
            Quadrature(partial(_rows, "H")),
            sampled("population_gradient", "H", _sampled_rows),
        ),
        {"one derivative too few": partial(pair_sum_gradient, strength=1.0), **_opposite_teacher(pair_sum_gradient)},
    ),
)
