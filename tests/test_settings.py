"""Every public call under settings of JAX that a user's program may have: a library does not impose its own."""

from contextlib import ExitStack

import jax
import pytest

from tests.helpers.public_calls import EAGER, TRACEABLE
from tests.test_guard import FUNCTIONS


def test_every_public_function_is_called_here():
    called = {f"st.{name.partition(':')[0]}" for name in (*TRACEABLE, *EAGER)}
    named = {name for name in FUNCTIONS if not name.startswith("st.symbolic.")} - {"st.sweeps.sweep"}  # st.sweep
    assert named - called == set()


@pytest.fixture
def strict():
    """No rank or dtype is promoted, no key is used twice."""
    settings = (jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"), jax.debug_key_reuse(True))
    with ExitStack() as stack:
        for setting in settings:
            stack.enter_context(setting)
        yield


def arrays(call):
    return lambda: [leaf for leaf in jax.tree.leaves(call()) if isinstance(leaf, jax.Array)]


@pytest.mark.parametrize("name", TRACEABLE)
def test_what_works_under_jit_promotes_nothing(name, strict):
    jax.eval_shape(arrays(TRACEABLE[name]))


@pytest.mark.parametrize("name", EAGER)
def test_what_runs_in_python_promotes_nothing(name, strict):
    EAGER[name]()
