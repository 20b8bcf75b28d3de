"""st.symbolic comes on first use, says what it needs, and its examples are right."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest
import sympy as sp

import sobolev_theory as st
import sobolev_theory.symbolic as symbolic

MODULES = [f"{symbolic.__name__}.{module.name}" for module in pkgutil.iter_modules(symbolic.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_right(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_symbolic_is_an_attribute_of_the_library():
    assert st.symbolic is symbolic
    with pytest.raises(AttributeError, match="no attribute 'symbolics'"):
        _ = st.symbolics


def test_without_sympy_the_message_names_the_extra():
    code = "import sys; sys.modules['sympy'] = None; import sobolev_theory as st; st.symbolic"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert 'pip install "sobolev-theory[symbolic]"' in run.stderr


def test_results_print_as_latex():
    assert (
        sp.latex(symbolic.single_neuron.seminorm_boundary()[1]) == r"- \frac{r^{*} \cos{\left(\theta \right)}}{2 \pi}"
    )
