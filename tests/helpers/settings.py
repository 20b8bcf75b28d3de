"""Settings of JAX that are the user's, at their strictest."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax

STRICTEST = {
    "jax_numpy_rank_promotion": "raise",
    "jax_numpy_dtype_promotion": "strict",
    "jax_debug_key_reuse": True,
}


@contextmanager
def strictest() -> Iterator[None]:
    before = {name: getattr(jax.config, name) for name in STRICTEST}
    try:
        for name, value in STRICTEST.items():
            jax.config.update(name, value)
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
