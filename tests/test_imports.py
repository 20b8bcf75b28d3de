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


HEAVY = {
    *("sympy", "matplotlib", "flint", "mpmath", "pyarrow", "optax", "diffrax", "rich", "verification", "figures"),
    *("scipy.stats", "scipy.optimize", "scipy.integrate", "scipy.sparse", "scipy.interpolate"),
}


def test_importing_loads_no_symbolic_plotting_table_or_ball_package_and_no_large_part_of_scipy():
    importing(f"assert not {HEAVY} & set(sys.modules)")


def test_importing_starts_no_device_and_changes_no_setting():
    importing("assert not xla_bridge._backends; assert dict(jax.config.values) == before")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_right_in_single_precision(name):
    """As a user sees them who has changed no setting."""
    module = importlib.import_module(name)
    with jax.enable_x64(False):
        result = doctest.testmod(module)
    assert result.failed == 0
