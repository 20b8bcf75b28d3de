"""Every method of `derivatives` gives what nested jax.grad gives, for all kinds of JAX's operations.

References are nested jax.grad in the same precision, so that conventions at kinks are the same; `mpmath` and closed
forms stand where JAX itself might err.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from sobolev_theory import training

EVERYWHERE = (-1.3, -0.4, 0.0, 0.7, 2.1)
POSITIVE = (0.2, 0.7, 1.0, 2.3)
INSIDE = (-0.6, 0.0, 0.3)

ELEMENTWISE = {
    **dict.fromkeys(
        "sin cos tan arctan sinh cosh tanh arcsinh exp exp2 expm1 square positive negative deg2rad sinc "
        "cbrt abs sign floor ceil trunc rint i0".split(),
        EVERYWHERE,
    ),
    **dict.fromkeys("log log2 log10 log1p sqrt reciprocal".split(), POSITIVE),
    **dict.fromkeys("arcsin arccos arctanh".split(), INSIDE),
    "arccosh": (1.2, 3.0),
}
ACTIVATIONS = (
    "relu relu6 sigmoid softplus sparse_plus soft_sign silu mish log_sigmoid leaky_relu hard_sigmoid hard_silu "
    "hard_tanh elu celu selu gelu squareplus sparse_sigmoid identity"
).split()
SPECIAL = {"erf": EVERYWHERE, "erfc": EVERYWHERE, "erfinv": INSIDE, "gammaln": POSITIVE, "digamma": POSITIVE}
SPECIAL |= {"ndtr": EVERYWHERE, "log_ndtr": EVERYWHERE, "expit": EVERYWHERE, "logit": (0.2, 0.7), "xlogy": None}
HERE = {
    "x ** 2.0": (lambda x: x**2.0, EVERYWHERE),
    "x ** 3": (lambda x: x**3, EVERYWHERE),
    "x ** -2": (lambda x: x**-2, (-1.3, 0.7)),
    "x ** 0": (lambda x: x**0, EVERYWHERE),
    "x ** 0.5": (lambda x: x**0.5, POSITIVE),
    "x ** [3.0]": (lambda x: x ** jnp.asarray(3.0, x.dtype), EVERYWHERE),
    "power 3.0": (lambda x: jnp.float_power(x, 3.0).astype(x.dtype), EVERYWHERE),
    "2 ** x": (lambda x: 2.0**x, EVERYWHERE),
    "x ** x": (lambda x: x**x, POSITIVE),
    "x ** (1 + x * x)": (lambda x: jnp.abs(x) ** (1 + x * x), (-1.3, 0.7)),
    "1 / (2 + x)": (lambda x: 1 / (2 + x), EVERYWHERE),
    "x / (2 + x * x)": (lambda x: x / (2 + x * x), EVERYWHERE),
    "tanh / exp": (lambda x: jnp.tanh(x) / jnp.exp(x), EVERYWHERE),
    "int32 cast": (lambda x: x * x.astype(jnp.int32), EVERYWHERE),
    "int32 and back": (lambda x: x.astype(jnp.int32).astype(x.dtype), EVERYWHERE),
    "bool cast": (lambda x: x * x.astype(bool), EVERYWHERE),
    "comparison": (lambda x: x * (x > 0.5), EVERYWHERE),
    "x % 1": (lambda x: x % 0.9, (-1.3, -0.4, 0.7, 2.1)),
    "rem": (lambda x: lax.rem(x, jnp.asarray(0.9, x.dtype)), (-1.3, -0.4, 0.7, 2.1)),
    "fmod of x": (lambda x: jnp.fmod(jnp.asarray(5.0, x.dtype), x), POSITIVE),
    "divmod": (lambda x: sum(jnp.divmod(x * x, 0.9)), (-1.3, -0.4, 0.7, 2.1)),
    "where": (lambda x: jnp.where(x > 0.5, x**2, jnp.sin(x)), EVERYWHERE),
    "where and NaN": (lambda x: jnp.where(x > 0.5, jnp.sqrt(jnp.where(x > 0.5, x, 1.0)), 0.0), EVERYWHERE),
    "clip": (lambda x: jnp.clip(x**3, -1.0, 0.343), EVERYWHERE),
    "clamp": (lambda x: lax.clamp(jnp.asarray(0.0, x.dtype), jnp.sin(x), jnp.asarray(0.5, x.dtype)), EVERYWHERE),
    "maximum at a tie": (lambda x: jnp.maximum(x**2, x), (0.0, 0.5, 1.0)),
    "minimum at a tie": (lambda x: jnp.minimum(x**3, 1.0), (0.0, 0.5, 1.0)),
    "abs of a square": (lambda x: jnp.abs(x) * x, EVERYWHERE),
    "heaviside": (lambda x: x * jnp.heaviside(x, 0.5), EVERYWHERE),
    "hypot": (lambda x: jnp.hypot(x, 1.0), EVERYWHERE),
    "arctan2": (lambda x: jnp.arctan2(x, 1.0), EVERYWHERE),
    "arctan2 of 0": (lambda x: jnp.arctan2(x, jnp.zeros_like(x)), (-1.3, 0.7)),
    "arctan2 of both": (lambda x: jnp.arctan2(jnp.sin(x), jnp.cos(x)), EVERYWHERE),
    "logaddexp": (lambda x: jnp.logaddexp(x, 0.3), EVERYWHERE),
    "stop_gradient": (lambda x: x * lax.stop_gradient(x**2), EVERYWHERE),
    "complex": (lambda x: jnp.abs(jnp.exp(1j * x) + x) ** 2, EVERYWHERE),
    "real of complex": (lambda x: jnp.real(jnp.exp(1j * x)), EVERYWHERE),
    "constant": (lambda x: 1.0, EVERYWHERE),
    "polygamma": (lambda x: jax.scipy.special.polygamma(1, x), POSITIVE),
    "bfloat16 and back": (lambda x: 3 * x.astype(jnp.bfloat16).astype(x.dtype), EVERYWHERE),
}
FUNCTIONS = {
    **{f"jnp.{name}": (getattr(jnp, name), at) for name, at in ELEMENTWISE.items()},
    **{f"jax.nn.{name}": (getattr(jax.nn, name), EVERYWHERE) for name in ACTIVATIONS},
    **{f"special.{name}": (getattr(jax.scipy.special, name), at) for name, at in SPECIAL.items() if at},
    **HERE,
}


def nested(function, order: int):
    """[function, first derivative, ...] of a function of a number."""
    orders = [function]
    for _ in range(order):
        orders.append(lambda x, f=orders[-1]: jax.jvp(f, (x,), (jnp.ones_like(x),))[1])
    return orders


def assert_same(found, expected, dtype):
    """But for rounding of some hundreds of operations, of numbers as large as the largest derivative."""
    scale = max(1.0, *(float(np.max(np.abs(e), initial=0.0, where=np.isfinite(e))) for e in expected))
    unit = 500 * float(jnp.finfo(dtype).eps)
    for m, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(ours, theirs, rtol=unit, atol=unit * scale, err_msg=f"order {m}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_a_number_to_order_4(name):
    function, at = FUNCTIONS[name]

    @jax.jit
    def both(x):
        def real(x):
            return jnp.asarray(function(x), x.dtype)

        return training.derivatives(real, x, 4), [jax.vmap(f)(x) for f in nested(real, 4)]

    assert_same(*both(jnp.asarray(at)), jnp.float64)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_two_numbers_to_order_2_in_single_precision(name):
    function, at = FUNCTIONS[name]

    @jax.jit
    def both(x):
        def real(x):
            return jnp.asarray(function(x), x.dtype)

        def of_two(x):
            return real(x[0]) * x[1]

        value, slope, curvature = (jax.vmap(f)(x) for f in nested(real, 2))
        expected = value * 2, jnp.stack([slope * 2, value], -1), jnp.stack([curvature * 2, slope], -1)
        found = training.derivatives(of_two, jnp.stack([x, jnp.full_like(x, 2)], -1), 2)
        return (*found[:2], found[2][:, 0]), expected

    assert_same(*both(jnp.asarray(at, jnp.float32)), jnp.float32)
