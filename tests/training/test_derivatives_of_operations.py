"""What `derivatives` chooses by itself gives what nested differentiation gives, for all kinds of JAX's operations.

References are nested jax.jvp in the same precision, so that conventions at kinks are the same.
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

NAMES = {  # of functions of a number, and where they are taken
    "jnp": """sin cos tan arctan sinh cosh tanh arcsinh exp exp2 expm1 square positive negative deg2rad sinc
        abs sign floor ceil trunc rint i0""",
    "jax.nn": """relu relu6 sigmoid softplus sparse_plus soft_sign silu mish log_sigmoid leaky_relu hard_sigmoid
        hard_silu hard_tanh elu celu selu gelu squareplus sparse_sigmoid identity""",
    "jax.scipy.special": "erf erfc ndtr log_ndtr expit",
}
MODULES = {"jnp": jnp, "jax.nn": jax.nn, "jax.scipy.special": jax.scipy.special}
ELSEWHERE = {
    **dict.fromkeys((jnp.log, jnp.log2, jnp.log10, jnp.log1p, jnp.sqrt, jnp.reciprocal), POSITIVE),
    **dict.fromkeys((jnp.arcsin, jnp.arccos, jnp.arctanh, jax.scipy.special.erfinv), INSIDE),
    **dict.fromkeys((jax.scipy.special.gammaln, jax.scipy.special.digamma), POSITIVE),
    jnp.arccosh: (1.2, 3.0),
    jnp.cbrt: (-1.3, 0.7),
    jax.scipy.special.logit: (0.2, 0.7),
}
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
    **{
        f"{m}.{name}": (getattr(MODULES[m], name), EVERYWHERE) for m, names in NAMES.items() for name in names.split()
    },
    **{function.__name__: (function, at) for function, at in ELSEWHERE.items()},
    **HERE,
}
SOME = ("jnp.tanh", "jnp.exp", "log", "jnp.abs", "jax.nn.relu", "jax.scipy.special.erfc")


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


@pytest.mark.parametrize("name", [*HERE, *SOME])
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


X = jnp.array([[0.3, -1.2, 0.7], [-0.4, 0.9, 2.0]])
SEVERAL = {
    "sort": jnp.sort,
    "argsort": lambda x: x[jnp.argsort(x**2)],
    "sort with a payload": lambda x: lax.sort((x, x**2, jnp.arange(3)), num_keys=1)[1],
    "top_k": lambda x: lax.top_k(x**2, 2)[0],
    "median": lambda x: jnp.median(x**3),
    "max": lambda x: jnp.max(x**2, keepdims=True),
    "min of a tie": lambda x: jnp.min(jnp.stack([x[0] ** 2, x[0] ** 2, x[1] + 9])),
    "cumsum": lambda x: jnp.cumsum(x**2),
    "cumprod": jnp.cumprod,
    "cummax": lambda x: lax.cummax(x**2),
    "cumlogsumexp": lax.cumlogsumexp,
    "prod": jnp.prod,
    "norm": jnp.linalg.norm,
    "var": jnp.var,
    "softmax": jax.nn.softmax,
    "logsumexp": jax.nn.logsumexp,
    "matrix": lambda x: jnp.outer(x, x) @ jnp.sin(x),
    "einsum": lambda x: jnp.einsum("i,j,k->", x, x, x),
    "inverse": lambda x: jnp.linalg.solve(jnp.eye(3) * 4 + jnp.outer(x, x), x),
    "convolve": lambda x: jnp.convolve(x**2, x),
    "fft": lambda x: jnp.abs(jnp.fft.fft(x)) ** 2,
    "gather": lambda x: x[jnp.array([2, 0, 0])] ** 2,
    "gather beyond the end": lambda x: jnp.take(x**2, jnp.array([1, 7]), mode="fill", fill_value=5.0),
    "dynamic slice": lambda x: lax.dynamic_slice(x**2, (jnp.argmax(x),), (1,)),
    "set": lambda x: x.at[1].set(x[0] ** 2) * x,
    "add at": lambda x: jnp.zeros(2).at[jnp.array([0, 0, 1])].add(x**2),
    "max at": lambda x: jnp.zeros(2).at[jnp.array([0, 0, 1])].max(x**2),
    "concatenate": lambda x: jnp.concatenate([x**2, jnp.ones(1), x[::-1]]) ** 2,
    "pad": lambda x: jnp.pad(x**2, 1, constant_values=2.0) * 3,
    "roll and diff": lambda x: jnp.diff(jnp.roll(x, 1)) ** 3,
    "interp": lambda x: jnp.interp(x[0], jnp.array([-1.0, 0.0, 1.0]), x),
    "scan": lambda x: lax.scan(lambda s, u: (jnp.sin(s * u), s), 1.0, x)[0],
    "fori_loop": lambda x: lax.fori_loop(0, 3, lambda i, s: s * jnp.cos(s), x),
    "while_loop": lambda x: lax.while_loop(lambda s: jnp.sum(s) < 20, lambda s: s * s + 1, x),
    "cond": lambda x: lax.cond(x[0] > 0, jnp.sin, jnp.cos, x),
    "switch": lambda x: lax.switch(jnp.argmax(x), [jnp.sin, jnp.cos, jnp.exp], x),
    "map": lambda x: lax.map(jnp.tanh, x),
    "checkpoint": jax.checkpoint(lambda x: jnp.sin(x) * x[0]),
    "jit in jit": jax.jit(lambda x: jax.jit(lambda y: y**2.0)(x) * x[0]),
    "relu in jit": jax.jit(lambda x: jax.nn.relu(x) ** 2),
    "gradient inside": jax.grad(lambda x: jnp.sum(jnp.sin(x) * x**2.0)),
    "vmap inside": jax.vmap(lambda u: u**2.5 * jnp.sign(u)),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_functions_of_several_numbers(name):
    function = SEVERAL[name]

    @jax.jit
    def both(x):
        expected = [function, jax.jacfwd(function), jax.jacfwd(jax.jacfwd(function))]
        return training.derivatives(function, x, 2), [jax.vmap(f)(x) for f in expected]

    assert_same(*both(X), jnp.float64)


def test_powers_of_negative_numbers_have_their_derivatives():
    """x^2.0 through logarithms, as jax.experimental.jet has it, is NaN."""
    for order, method in ((2, "auto"), (2, "taylor"), (2, "reverse")):
        _, slope, curvature = training.derivatives(lambda x: jnp.sum(x**2.0), [[-1.0, 0.5]], order, method)
        np.testing.assert_allclose(slope, [[-2.0, 1.0]], rtol=1e-15)
        np.testing.assert_allclose(curvature, [2 * np.eye(2)], atol=1e-14)
    found = training.derivatives(lambda x: x**2.0, [-1.0], 4)
    np.testing.assert_allclose(np.ravel(found), [1, -2, 2, 0, 0], atol=1e-14)


def test_series_keep_the_digits_of_small_numbers():
    """tanh through logistic functions, as jax.experimental.jet has it, keeps one digit of 1e-6 here."""
    x = jnp.array([1e-6], jnp.float32)
    value, slope, curvature = training.derivatives(jnp.tanh, x, 2, "taylor")
    np.testing.assert_allclose([value[0], slope[0], curvature[0]], [1e-6, 1, -2e-6], rtol=1e-6)


@jax.custom_jvp
def straight_through(x):
    return jnp.round(x)


straight_through.defjvp(lambda x, v: (jnp.round(x[0]), v[0]))


@jax.custom_vjp
def reverse_cube(x):
    return x**3


reverse_cube.defvjp(lambda x: (x**3, x), lambda x, g: (-3 * g * x**2,))


def test_rules_of_their_own_are_obeyed_and_known_to_no_series():
    x = jnp.array([0.3, 0.9])
    for function, slope in ((straight_through, np.ones(2)), (reverse_cube, -3 * x**2)):
        for order in (1, 2, 4):
            np.testing.assert_allclose(training.derivatives(function, x, order)[1], slope, rtol=1e-15)
        with pytest.raises(NotImplementedError, match="method: got 'taylor', which knows no series of custom_"):
            training.derivatives(function, x, 4, "taylor")


def test_of_many_inputs_a_loop_of_unknown_length_is_differentiated_forwards():
    def doubled(x):
        return jnp.sum(lax.while_loop(lambda s: jnp.sum(s) < 20, lambda s: 2 * s, x))

    np.testing.assert_array_equal(training.derivatives(doubled, jnp.ones((1, 5)), 1)[1], 4 * np.ones((1, 5)))
