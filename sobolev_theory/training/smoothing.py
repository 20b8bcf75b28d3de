"""A ReLU whose derivative is a smoothed step, so that autodiff sees how its kink moves: any network, any data.

The derivative Phi(t/h) of the value max(0, t) is differentiable itself: to the normal density of deviation h. A
Sobolev loss differentiated by JAX then follows, in its slopes, the gradient of what it measures: with the boundary
term, up to a bias of order h, at a variance of order 1/h: `st.smoothed_step` has the theory.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..model.arguments import finite, real_array

Points = Float[Array, "*shape"]


def smoothed_relu(t: Points, width: float | Points) -> Points:
    """max(0, t), with the derivative Phi(t/width): the value stays ReLU, to the last bit.

    An activation for a user's own network: `functools.partial(st.training.smoothed_relu, width=0.05)`. Derivatives of
    higher orders are those of Phi(t/width): the second is the normal density of standard deviation `width`. Forward
    and reverse mode see it; Taylor mode knows no derivatives that are declared, and refuses it by name.

    What counts is the width over the standard deviation of the pre-activation, |w| for one neuron of isotropic input.
    Up to 0.05 of it most of the effect is there, from 0.3 on next to nothing (docs/which_gradient.md has the table);
    the variance of the gradient grows as 1/width.

    Args:
        t: pre-activations, of any shape.
        width: positive; a number, or an array that broadcasts to t, such as one per neuron. It may be traced, as
            with a schedule of optax, and is constant in derivatives.

    Returns:
        An array of t's shape and precision.

    Raises:
        TypeError, ValueError: a width that is no number, or not positive and finite, if it is known.

    Example:
        >>> import jax, jax.numpy as jnp, sobolev_theory as st
        >>> t = jnp.array([-1.0, 0.0, 0.1])
        >>> st.training.smoothed_relu(t, 0.1).tolist() == jax.nn.relu(t).tolist()
        True
        >>> slopes = jax.vmap(jax.grad(lambda t: st.training.smoothed_relu(t, 0.1)))(t)
        >>> [round(float(slope), 3) for slope in slopes]  # Phi(-10), Phi(0), Phi(1)
        [0.0, 0.5, 0.841]
    """
    t = real_array("t", t)
    if isinstance(width, jax.Array) or hasattr(width, "__array__"):
        width = real_array("width", width)
        if not isinstance(width, jax.core.Tracer) and not bool((width > 0).all()):
            raise ValueError(f"width: got {float(width.min())}; needs numbers > 0")
    else:
        width = jnp.asarray(finite("width", width, above=0.0))
    return _smoothed(t, jnp.broadcast_to(width.astype(t.dtype), t.shape))


@jax.custom_jvp
def _smoothed(t: Points, width: Points) -> Points:
    return jnp.where(t > 0, t, jnp.zeros_like(t))


@_smoothed.defjvp
def _slope(primals, tangents):
    t, width = primals
    return _smoothed(t, width), (0.5 + 0.5 * jax.lax.erf(t / (math.sqrt(2) * width))) * tangents[0]
