"""Matrix products to the digits of their numbers: accelerators multiply single precision in 10 bits unless told."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import jax

P = ParamSpec("P")
R = TypeVar("R")


def full_products(function: Callable[P, R]) -> Callable[P, R]:
    """The function with the matrix products it calls for, and those of its derivatives, in full precision."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with jax.default_matmul_precision("highest"):
            return function(*args, **kwargs)

    return wrapped
