"""Any function of the user's as an activation."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from .activation_terms import Terms, function_of
from .activations import Activation, Points, finite_numbers
from .arguments import whole


class Elementwise(Activation):
    """Any function that JAX differentiates, smooth between its kinks: expectations by quadrature.

    Losses and gradients raise if the quadrature has not converged, or if it cannot have seen the function: one that
    varies faster than the points lie, or has a kink that is not declared. Derivatives up to two orders above the loss
    are taken. What the function says at a kink itself does not matter, only its limits from both sides.

    Args:
        function: elementwise, of arrays of any shape, without decisions in Python about the values; tell two of them
            apart by identity. It may close over arrays of known value.
        kinks: where it or one of its derivatives jumps; declared kinks where nothing jumps cost time only.
        nodes: on one axis; time grows with their square.

    Raises:
        TypeError: no function of an array, or one that holds arrays in fields, as `eqx.nn.PReLU` does, or that closes
            over traced values; kinks that are no numbers.
        ValueError: a function that is not elementwise; kinks that are not finite; too few nodes.

    Example:
        >>> import jax.numpy as jnp
        >>> import sobolev_theory as st
        >>> student = st.Network([1.0, 0.0], activation=st.Elementwise(jnp.tanh))
        >>> teacher = st.Network([0.0, 1.0], activation=st.Elementwise(jnp.tanh))
        >>> round(float(st.population_loss(student, teacher, st.L2)), 4)
        0.3943
    """

    function: Callable[[Points], Points] = eqx.field(static=True)
    kinks: tuple[float, ...] = eqx.field(static=True, default=())
    nodes: int = eqx.field(static=True, default=256)  # type: ignore[misc]  # a field in the place of a constant

    def __init__(self, function: Callable[[Points], Points], kinks: Sequence[float] = (), nodes: int = 256):
        self.function = _checked(function)
        self.kinks = tuple(sorted(set(finite_numbers("kinks", kinks))))
        self.nodes = whole("nodes", nodes, least=8)

    def __call__(self, t: Points) -> Points:
        return self.function(t)

    @property
    def terms(self) -> Terms:
        return ((1.0, function_of(self.function, self.kinks)),)


def _checked(function: Callable[[Points], Points]) -> Callable[[Points], Points]:
    """The function, tried on shapes alone."""
    if not callable(function):
        raise TypeError(f"function: got {function!r}; needs a function of an array")
    try:
        hash(function)
    except TypeError as error:
        raise TypeError(
            f"function: got {function!r}, which holds arrays and so is not hashable; needs a function that closes "
            "over them, `lambda t: f(t)`: an activation is static under jit, and its parameters are constants"
        ) from error
    if any(isinstance(x, jax.core.Tracer) for held in _held(function) for x in jax.tree.leaves(held)):
        raise TypeError(
            f"function: got {function!r}, which closes over a traced value; needs known ones: an activation is "
            "static under jit, and its parameters are constants"
        )
    tried = None
    for dtype in (float, jnp.float32):  # some know single precision alone
        points = jax.ShapeDtypeStruct((2, 3), jax.dtypes.canonicalize_dtype(dtype))
        try:
            found = jax.eval_shape(lambda t: function(t), points)
        except Exception as error:  # of the user's code: any
            tried = tried or error
            continue
        if not isinstance(found, jax.ShapeDtypeStruct) or found.shape != points.shape:
            shape = getattr(found, "shape", None)
            raise ValueError(f"function: got shape {shape} of an argument of {points.shape}; needs one elementwise")
        if not jnp.issubdtype(found.dtype, jnp.floating):
            raise TypeError(f"function: got values of dtype {found.dtype}; needs real floating-point numbers")
        return function
    raise TypeError(
        f"function: got {function!r}, which raises {type(tried).__name__} of an abstract array; needs functions of "
        "JAX alone and no decision in Python about the values, jnp.where(t > 0, ..., ...) in the place of `if t > 0`"
    ) from tried


def _held(function: Any) -> Iterator[Any]:
    """What a function closes over, as far as Python shows it."""
    if isinstance(function, functools.partial):
        yield from (*function.args, *function.keywords.values())
        yield from _held(function.func)
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    if hasattr(function, "__wrapped__"):
        yield from _held(function.__wrapped__)
