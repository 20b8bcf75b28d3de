"""Second moments of every component of a sample's gradient, for ReLU: exact standard errors of averages.

With D = g - g* and V_k = E[D^2 1(u_k > 0)], a function of the neurons in D and of the one that switches, Stein's
lemma E[x_a^2 F] = E[F] + E[x_a dF/dx_a], where x_a d/dx_a is the derivative in the scale of the a-th weight of all
neurons, gives
  E[g_ka^2] = a_k^2 {lambda_0^2 (V_k + scale_a V_k + sigma^2 / 2) + lambda_0 lambda_1 scale'_a V_k
                     + lambda_1^2 E[(dD/dx_a)^2 1(u_k > 0)]},
scale' in D alone. In the parts S and A of `relu`, V_k = L_0 + E[S A s_k] / 4 and the last mean is
{S_a^2 + E[A_a^2] + 2 S_a E[A_a s_k]} / 8, S_a = sum_i c_i v_ia and A_a = sum_i c_i v_ia s_i. The sum over a is
E|g_k|^2, here from sums that cancel near an optimum.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...geometry.angles import angles_between, direction, polar
from ...model.precision import full_products
from .moments import Noisy, signed_neurons


@full_products
def component_moments(p: Noisy) -> Float[Array, "K d"]:
    """E[g_ka^2]."""
    v, c = signed_neurons(p)
    w, students = p.student.weights, p.student.neurons
    value, slope = p.lambdas
    moments, pullback = jax.vjp(lambda w, v: _of_values(w, v, c), w, v)
    by_switch, by_difference = jax.vmap(pullback)(jnp.eye(students, dtype=p.dtype))
    scale_of_difference = jnp.sum(by_difference * v[None], axis=1)
    scale = scale_of_difference + jnp.einsum("kka,ka->ka", by_switch, w)

    signs = _signs(v, v)
    linear = c @ v
    own = jnp.einsum("ia,ij,ja->a", c[:, None] * v, signs, c[:, None] * v)
    turned = signs[:students] @ (c[:, None] * v)
    of_slopes = ((linear**2 + own)[None] + 2 * linear[None] * turned) / 8

    of_values = moments[:, None] + scale + p.label_variance / 2
    found = value**2 * of_values + value * slope * scale_of_difference + slope**2 * of_slopes
    alive = jnp.any(w != 0, axis=1)[:, None]
    return jnp.where(alive, p.student.output_weights[:, None] ** 2 * found, 0.0)


def _of_values(w: Float[Array, "K d"], v: Float[Array, "m d"], c: Float[Array, " m"]) -> Float[Array, " K"]:
    """V_k, w being where neurons switch, and v what is in D."""
    switching, neurons = polar(w), polar(v)
    sizes, linear = c * neurons.norm, c @ v
    own = angles_between(neurons, neurons, jnp.eye(len(v), dtype=bool))
    loss = sizes @ (own.sin + own.supplement * own.cos) @ sizes / (4 * math.pi)
    angles = angles_between(switching, neurons)
    turned = ((angles.supplement - angles.theta) / math.pi) @ (c * (v @ linear))
    bent = (angles.sin @ sizes) * (direction(switching) @ linear)
    return loss + (turned + (2 / math.pi) * bent) / 4


def _signs(w: Float[Array, "n d"], v: Float[Array, "m d"]) -> Float[Array, "n m"]:
    """E[s_i s_j]."""
    angles = angles_between(polar(w), polar(v), jnp.eye(len(w), dtype=bool))
    return (angles.supplement - angles.theta) / math.pi
