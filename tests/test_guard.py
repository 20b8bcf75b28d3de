"""What a move of the tree must not lose: modules, examples and closed forms stay within reach of the tests."""

import inspect
import re
from pathlib import Path

import pytest

from tests.test_imports import MODULES
from tests.test_public_face import TREE

ROOT = Path(__file__).parents[1]
LONGEST = 300  # lines: one idea per module
# Modules whose functions are one formula each, used alike: what is said and shown once for all stands above them.
OF_FORMULAS = ("st.montecarlo", "st.pair", "st.single_neuron", "st.orthonormal", "st.symbolic.")


def functions() -> dict[str, str]:
    """The docstrings of the public functions, by the names under which users reach them."""
    return {
        f"{place}.{name}": inspect.getdoc(value) or ""
        for place, module in TREE.items()
        for name in module.__all__
        if inspect.isroutine(inspect.unwrap(value := getattr(module, name)))
    }


FUNCTIONS = functions()


def test_every_module_is_reached_by_the_doctests():
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("sobolev_theory/**/*.py"))
    assert set(MODULES) == {name.removesuffix(".__init__") for name in names}


def test_every_folder_of_tests_is_a_package():
    """Else pytest takes two test modules of one name for the same."""
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("package", ["sobolev_theory", "verification", "figures", "studies", "benchmarks"])
def test_no_module_is_long(package):
    lengths = {str(path): len(path.read_text().splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


@pytest.mark.parametrize("place", ["st.pair", "st.single_neuron", "st.orthonormal"])
def test_every_closed_form_is_named_by_a_test_of_closed_forms(place):
    """Here or in the tests of the derivations, which compare the two by name."""
    text = "".join(
        p.read_text() for folder in ("closed_forms", "symbolic") for p in (ROOT / "tests" / folder).glob("*.py")
    )
    names = [name.rpartition(".")[2] for name in FUNCTIONS if name.startswith(f"{place}.")]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_public_functions_have_docstrings():
    assert [name for name, doc in FUNCTIONS.items() if not doc] == []


@pytest.mark.parametrize("section", ["Returns", ">>>"])
def test_public_functions_say_what_they_return_and_show_it(section):
    silent = [
        name
        for name, doc in FUNCTIONS.items()
        if section not in doc and not (name.startswith(OF_FORMULAS) and section in above(name.rpartition(".")[0]))
    ]
    assert silent == []


def above(place: str) -> str:
    """What stands above the functions of a module, or is shown by one of them."""
    return inspect.getdoc(TREE[place]) + "".join(
        doc for name, doc in FUNCTIONS.items() if name.startswith(f"{place}.") and ">>>" in doc
    )
