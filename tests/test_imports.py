"""What importing the library does not do, and the examples in its docstrings."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import jax
import pytest

import sobolev_theory

MODULES = [m.name for m in pkgutil.walk_packages(sobolev_theory.__path__, "sobolev_theory.")]
MODULES = ["sobolev_theory", *MODULES]

IMPORT = """
import sys
import jax, equinox, jaxtyping
from jax._src import xla_bridge
before = dict(jax.config.values)
import sobolev_theory
{check}
"""


def importing(check: str) -> None:
    """Run the check in a fresh interpreter after the import."""
    subprocess.run([sys.executable, "-c", IMPORT.format(check=check)], check=True, timeout=120)


def test_importing_loads_no_symbolic_plotting_table_or_ball_package():
    importing(
        "heavy = {'sympy', 'matplotlib', 'flint', 'mpmath', 'pyarrow', 'verification', 'figures'}\n"
        "assert not heavy & set(sys.modules)"
    )


def test_importing_starts_no_device_and_changes_no_setting():
    importing("assert not xla_bridge._backends; assert dict(jax.config.values) == before")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_right_in_single_precision(name):
    """As a user sees them who has changed no setting."""
    module = importlib.import_module(name)
    with jax.enable_x64(False):
        result = doctest.testmod(module)
    assert result.failed == 0


def test_every_public_function_has_an_example():
    """Those that read like mathematics; names of modules and constants speak for themselves."""
    functions = [getattr(sobolev_theory, name) for name in sobolev_theory.__all__]
    silent = [
        f.__name__ for f in functions if callable(f) and hasattr(f, "__code__") and ">>>" not in (f.__doc__ or "")
    ]
    assert not silent
