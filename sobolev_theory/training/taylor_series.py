"""Taylor mode: truncated power series of a function along a line, carried through each of its operations.

A number is the list of its coefficients [u_0, u_1, ...] in u_0 + u_1 t + ...; those beyond the list are 0, so that
what does not move is a list of one. An operation that is linear, piecewise too, acts on each coefficient as its
derivative at u_0 does; products and quotients are recurrences; a function of one number is composed from its own
derivatives. All derivatives of operations are JAX's, so that series agree with the other modes also at kinks.
Operations that are in none of these families, and functions with rules of their own (jax.custom_jvp), are refused by
name.

Source: Griewank and Walther, Evaluating derivatives (2nd edition 2008), chapter 13.
"""

import math
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import zip_longest
from operator import add

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, subjaxprs
from jaxtyping import Array, Float

Series = list[Array]

CALLS = ("jit", "pjit")
PRODUCTS = ("mul", "dot_general", "conv_general_dilated")
_LINEAR = """
    neg add sub add_any reduce_sum cumsum reduce_window_sum convert_element_type copy copy_p device_put
    reshape broadcast_in_dim transpose squeeze expand_dims rev slice dynamic_slice gather split stack unstack
    concatenate pad dynamic_update_slice scatter scatter-add select_n
    abs max min clamp sort reduce_max reduce_min cummax cummin floor ceil round sign stop_gradient
"""
_ELEMENTWISE = """
    exp2 expm1 log log1p sqrt rsqrt cbrt square integer_pow pow sin cos tan asin acos atan atan2
    sinh cosh asinh acosh atanh erf erfc erf_inv lgamma digamma rem
"""
LINEAR, ELEMENTWISE = (frozenset(names.split()) for names in (_LINEAR, _ELEMENTWISE))


class UnknownSeriesError(NotImplementedError):
    """The function has an operation whose series are not known here."""

    def __init__(self, operation: str):
        super().__init__(f"method: got 'taylor', which knows no series of {operation}; needs another, or 'auto'")


def derivatives_along(
    function: Callable[[Array], Array], order: int, point: Float[Array, " d"], direction: Float[Array, " d"]
) -> list[Array]:
    """Value and derivatives in t of function(point + t direction) at t = 0, up to `order` of them.

    Raises:
        UnknownSeriesError: an operation that is refused.
    """
    (found,) = _through(jax.make_jaxpr(function)(point), [[point, direction][: order + 1]], order)
    zeros = [jnp.zeros_like(found[0])] * (order + 1 - len(found))
    return [math.factorial(m) * u for m, u in enumerate([*found, *zeros])]


def operations(jaxpr: Jaxpr) -> Iterator[str]:
    """The names of all, those inside loops, branches and calls too."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
    for inner in subjaxprs(jaxpr):
        yield from operations(inner)


def _through(closed: ClosedJaxpr, arguments: list[Series], order: int) -> list[Series]:
    known = dict(zip(closed.jaxpr.constvars, ([constant] for constant in closed.consts), strict=True))
    known |= dict(zip(closed.jaxpr.invars, arguments, strict=True))

    def read(variable) -> Series:
        return [variable.val] if isinstance(variable, Literal) else known[variable]

    for equation in closed.jaxpr.eqns:
        given = [read(variable) for variable in equation.invars]
        if all(len(u) == 1 for u in given) or not any(_is(jnp.inexact, variable) for variable in equation.outvars):
            found = [[value] for value in _values(closed.jaxpr, equation, [u[0] for u in given])]
        elif equation.primitive.name in CALLS:
            found = _through(equation.params["jaxpr"], given, order)
        else:
            found = _applied(equation, given, order)
        known |= dict(zip(equation.outvars, found, strict=True))
    return [read(variable) for variable in closed.jaxpr.outvars]


def _is(kind, variable) -> bool:
    return jnp.issubdtype(variable.aval.dtype, kind)


def _values(jaxpr: Jaxpr, equation: JaxprEqn, given: list[Array]) -> list[Array]:
    """Of any one operation."""
    of = {v: value for v, value in zip(equation.invars, given, strict=True) if not isinstance(v, Literal)}
    alone = jaxpr.replace(constvars=[], invars=[*of], eqns=[equation], outvars=equation.outvars)
    return jax.core.eval_jaxpr(alone, [], *of.values())


def _applied(equation: JaxprEqn, given: list[Series], order: int) -> list[Series]:
    """The series of the results of one operation, of which some arguments move."""
    primitive, name = equation.primitive, equation.primitive.name
    moving = [i for i, u in enumerate(given) if len(u) > 1]

    def of_moving(*values):
        arguments = [u[0] for u in given]
        for i, value in zip(moving, values, strict=True):
            arguments[i] = value
        return primitive.bind(*arguments, **equation.params)

    series = [given[i] for i in moving]
    if any(_is(jnp.complexfloating, v) for v in (*equation.invars, *equation.outvars)):
        raise UnknownSeriesError(f"{name} of complex numbers")
    if name in LINEAR or (name in PRODUCTS and len(moving) == 1) or (name == "div" and moving == [0]):
        found = _linear(of_moving, series)
        return found if primitive.multiple_results else found[:1]
    if name in PRODUCTS:
        return [_product(of_moving, series[0], series[1], order)]
    if name == "div":
        return [_quotient(given[0], given[1], order)]
    if name in SLOPES:
        return [_with_slope(of_moving(series[0][0]), SLOPES[name], series[0], order)]
    if (
        name in ELEMENTWISE
        and len(moving) == 1
        and jax.eval_shape(of_moving, series[0][0]).shape == series[0][0].shape
    ):
        return [_composed(of_moving, series[0], order)]
    raise UnknownSeriesError(name)


def _linear(operation: Callable, series: list[Series]) -> list[Series]:
    """Coefficient k is the derivative of the operation at u_0 in direction u_k."""
    at = tuple(u[0] for u in series)
    columns = zip_longest(*(u[1:] for u in series))
    slopes = [
        jax.jvp(operation, at, tuple(jnp.zeros_like(x) if u is None else u for x, u in zip(at, column, strict=True)))
        for column in columns
    ]
    value = slopes[0][0]
    results = zip(*(jax.tree.leaves(of_one) for of_one in (value, *(slope for _, slope in slopes))), strict=True)
    return [[u for u in result if u.dtype != jax.dtypes.float0] for result in results]


def _product(operation: Callable, u: Series, w: Series, order: int) -> Series:
    return [
        reduce(add, (operation(u[j], w[k - j]) for j in range(k + 1) if j < len(u) and k - j < len(w)))
        for k in range(min(order + 1, len(u) + len(w) - 1))
    ]


def _quotient(u: Series, w: Series, order: int) -> Series:
    """v = u/w from v w = u."""
    v: Series = []
    for k in range(order + 1):
        rest = [u[k]] if k < len(u) else []
        rest += [-w[j] * v[k - j] for j in range(1, k + 1) if j < len(w)]
        v.append(reduce(add, rest) / w[0])
    return v


def _with_slope(value: Array, slope: Callable[[Series], Array], u: Series, order: int) -> Series:
    """v of v' = c u' where c_k = slope([v_0, ..., v_k])."""
    v, c = [value], []
    for k in range(1, order + 1):
        c.append(slope(v))
        v.append(reduce(add, (j / k * u[j] * c[k - j] for j in range(1, k + 1) if j < len(u))))
    return v


def _square(v: Series) -> Array:
    """The last coefficient of v^2."""
    return reduce(add, (a * b for a, b in zip(v, reversed(v), strict=True)))


def _composed(function: Callable[[Array], Array], u: Series, order: int) -> Series:
    """sum_k f^(k)(u_0)/k! (u - u_0)^k, by Horner's scheme."""
    *lower, highest = _own_derivatives(function, u[0], order)
    v = [highest / math.factorial(order)]
    for k, derivative in reversed([*enumerate(lower)]):
        above = [
            reduce(add, (u[j] * v[i - j] for j in range(1, i + 1) if j < len(u) and i - j < len(v)))
            for i in range(1, order - k + 1)
            if i < len(u) + len(v) - 1
        ]
        v = [derivative / math.factorial(k), *above]
    return v


def _own_derivatives(function: Callable[[Array], Array], x: Array, order: int) -> list[Array]:
    """Of a function that acts on each entry by itself."""
    if order == 0:
        return [function(x)]
    values, slopes = jax.jvp(lambda x: _own_derivatives(function, x, order - 1), (x,), (jnp.ones_like(x),))
    return [*values, slopes[-1]]


SLOPES = {
    "exp": lambda v: v[-1],
    "tanh": lambda v: (1 if len(v) == 1 else 0) - _square(v),
    "logistic": lambda v: v[-1] - _square(v),
}
