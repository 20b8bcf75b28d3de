"""An activation of a user's whose slope and curvature jump at one point."""

import jax.numpy as jnp

import sobolev_theory as st


class Bent(st.Activation):
    """max(0, t) + max(0, t)^2 / 2."""

    kinks = (0.0,)

    def __call__(self, t):
        return jnp.maximum(t, 0) + jnp.maximum(t, 0) ** 2 / 2

    @property
    def terms(self):
        return ((1.0, st.activation_terms.truncated_power(1)), (0.5, st.activation_terms.truncated_power(2)))
