"""st.symbolic comes on first use, says what it needs, and its examples are right."""

import doctest
import importlib
import pkgutil

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


def test_results_print_as_latex():
    assert (
        sp.latex(symbolic.single_neuron.seminorm_boundary()[1]) == r"- \frac{r^{*} \cos{\left(\theta \right)}}{2 \pi}"
    )
