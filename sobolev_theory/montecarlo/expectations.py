"""The mean of any function of normal numbers: the stream of the estimators, without networks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

import jax
import jax.numpy as jnp

from ..model.arguments import whole
from .normal_points import NormalPoints, at_least_single
from .options import Options, checked_key, checkpoint_of, mesh_of, sampling_of
from .plan import plan_of
from .stream import Estimate, Method, estimate


def expectation(
    function: Callable[[jax.Array], Any],
    dimension: int,
    *,
    key: jax.Array,
    dtype: Any = float,
    **options: Unpack[Options],
) -> Estimate:
    """E[function(z)], z ~ N(0, I) in R^dimension, of any function that JAX can trace.

    Args:
        function: of one z [d]; a number, an array, or a pytree of real ones. A new function is compiled anew.
        dtype: of z; a 64-bit one only where JAX has these enabled.

    Returns:
        Estimate: of what the function returns.

    Raises:
        TypeError: the function's values, or z, are not real floating numbers; `sampling` or `control`, which need
            networks.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> import sobolev_theory as st
        >>> estimate = st.montecarlo.expectation(lambda z: jnp.max(z), 2, key=jax.random.key(0), samples=2**16)
        >>> bool(abs(estimate.mean - jnp.pi**-0.5) < 5 * estimate.standard_error)
        True
    """
    for name in ("sampling", "control"):
        if options.get(name) is not None:
            raise TypeError(f"{name}: got {options[name]!r}; needs nothing for a function, which has no neurons")
    sampling_of(options)
    if not callable(function):
        raise TypeError(f"function: got {function!r}; needs a function of z [d]")
    average = _Average(function, whole("dimension", dimension, 1), _real(dtype))
    shapes = jax.eval_shape(function, jax.ShapeDtypeStruct((average.dimension,), average.dtype))
    like = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, at_least_single(leaf.dtype)), shapes)
    if not jax.tree.leaves(shapes):
        raise TypeError(f"function: got {shapes!r}; needs one that returns numbers")
    for leaf in jax.tree.leaves(shapes):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TypeError(f"function: got values of {leaf.dtype}; needs real floating numbers")
    plan, points = plan_of(options, average.dimension)
    found = estimate(average, points, like, plan, checked_key(key), mesh_of(options), checkpoint_of(options))
    return found._replace(method=Method(points.name))


@dataclass(frozen=True)
class _Average:
    """A group mean of a function; static under jit."""

    function: Callable[[jax.Array], Any]
    dimension: int
    dtype: Any
    names: ClassVar[str] = "function"

    def __call__(self, points: NormalPoints, key: jax.Array, size: int):
        z = points.normals(key, size, self.dimension, at_least_single(self.dtype)).astype(self.dtype)
        return jax.tree.map(
            lambda value: jnp.mean(value, axis=0, dtype=at_least_single(value.dtype)), jax.vmap(self.function)(z)
        )


def _real(dtype) -> Any:
    """As JAX has it: 32 bit for 64, where these are not enabled."""
    try:
        found = jnp.zeros((), dtype).dtype
    except TypeError as error:
        raise TypeError(f"dtype: got {dtype!r}; needs a real floating one") from error
    if not jnp.issubdtype(found, jnp.floating):
        raise TypeError(f"dtype: got {found}; needs a real floating one")
    return found
