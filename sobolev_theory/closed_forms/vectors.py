"""What the closed forms share: norm and direction of a vector, and arguments as users write them."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..geometry.angles import direction, polar
from ..model.arguments import real_array

Vector = Float[Array, " d"]
Scalar = Float[Array, "*shape"] | float
Form = TypeVar("Form", bound=Callable)
TWO_PI = 2 * jnp.pi


def norm(w: Vector) -> Float[Array, ""]:
    return polar(w[None]).norm[0]


def unit(w: Vector) -> Vector:
    return direction(polar(w[None]))[0]


def of_vectors(f: Form) -> Form:
    """The function with arrays for its arguments, vectors of one length, which users may write as lists."""

    def check(arguments: dict) -> None:
        first = next(iter(arguments.values()))
        for name, value in arguments.items():
            if value.ndim != 1 or value.size == 0:
                raise ValueError(
                    f"{name}: got shape {value.shape}; needs one vector [d] (jax.vmap maps over several)"
                )
            if value.shape != first.shape:
                raise ValueError(f"{name}: got {value.size} entries; needs the {first.size} of the other vector")

    return _converted(f, inspect.signature(f).parameters, _array, check)


def of_numbers(*names: str) -> Callable[[Form], Form]:
    """The same for these arguments of a function of numbers, or of arrays of one shape."""

    def number(name: str, value):
        """Numbers of Python keep their weak type, so that they take the precision of what they meet."""
        weak = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if weak else _array(name, value)

    return lambda f: _converted(f, names, number, lambda arguments: None)


def _converted(f: Form, names: Iterable[str], convert: Callable, check: Callable[[dict], None]) -> Form:
    signature = inspect.signature(f)

    @functools.wraps(f)
    def wrapped(*args, **kwargs):
        given = signature.bind(*args, **kwargs)
        for name in names:
            if name in given.arguments:
                given.arguments[name] = convert(name, given.arguments[name])
        check(given.arguments)
        return f(*given.args, **given.kwargs)

    return cast(Form, wrapped)


def _array(name: str, value) -> Float[Array, "..."]:
    known = isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jnp.floating)
    return value if known else real_array(name, value)
