"""What `dir`, completion, `import *` and type checkers show of the library: all its public names, and no other."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import jedi
import pytest

import sobolev_theory as st

SOURCE = Path(st.__file__)


def public_tree(module: ModuleType = st, name: str = "st") -> dict[str, ModuleType]:
    """The public modules, by the names under which users reach them."""
    found = {name: module}
    for attribute in module.__all__:
        value = getattr(module, attribute)
        if isinstance(value, ModuleType):
            found |= public_tree(value, f"{name}.{attribute}")
    return found


TREE = public_tree()


@pytest.mark.parametrize("name", TREE)
def test_dir_is_the_public_names(name):
    module = TREE[name]
    assert dir(module) == sorted(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize("name", TREE)
def test_a_name_is_a_module_or_something_else_but_not_both(name):
    """Importing a submodule sets its name on the package: whatever else had that name would be gone."""
    module = TREE[name]
    folder = Path(module.__file__).parent if hasattr(module, "__path__") else None
    submodules = {path.stem for path in folder.iterdir()} if folder else set()
    assert not {n for n in module.__all__ if n in submodules and not isinstance(getattr(module, n), ModuleType)}


def test_what_loads_on_first_use_is_declared_to_type_checkers_from_the_same_places():
    (block,) = (
        n
        for n in ast.parse(SOURCE.read_text()).body
        if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"
    )
    declared = {(node.module, alias.name) for node in block.body for alias in node.names}
    names = {(place, name) for place, names in st.ON_FIRST_USE.items() for name in names}
    of_modules = {
        (place.rpartition(".")[0] or None, name) for place, name in names if isinstance(getattr(st, name), ModuleType)
    }
    assert declared == of_modules | {(p, n) for p, n in names if not isinstance(getattr(st, n), ModuleType)}


def test_editors_complete_all_public_names():
    """Without running the library, as an editor does; and with it, as a notebook does."""
    static = jedi.Script("import sobolev_theory as st\nst.").complete()
    running = jedi.Interpreter("st.", [{"st": st}]).complete()
    for completions in (static, running):
        assert set(st.__all__) <= {completion.name for completion in completions}


def test_editors_find_the_signature_of_what_loads_on_first_use():
    (signature,) = jedi.Script("import sobolev_theory as st\nst.gradient_flow(").get_signatures()
    assert [parameter.name for parameter in signature.params] == list(inspect.signature(st.gradient_flow).parameters)


WITHOUT = """
import sys
sys.modules[{package!r}] = None
from sobolev_theory import *
import sobolev_theory as st
assert set(st.__all__) <= set(globals())
for use in {uses}:
    try:
        eval(use)
    except ImportError as error:
        assert {package!r} in str(error).lower(), error
        assert "sobolev-theory[{extra}]" in str(error), error
    else:
        raise AssertionError("no error")
"""


@pytest.mark.parametrize(
    ("package", "extra", "uses"),
    [
        ("sympy", "symbolic", ("symbolic.duals", "st.symbolic.duals")),
        ("diffrax", "flows", ("gradient_flow(1, 2)", "st.gradient_flows(1, 2)", "online_sgd(1, 2)")),
        ("optax", "descent", ("descend(1, 2)", "training.fit")),
        ("pyarrow", "sweeps", ("sweep(1, 2)", "sweeps.opened")),
    ],
)
def test_without_an_extra_all_names_import_and_their_use_names_the_extra(package, extra, uses):
    code = WITHOUT.format(package=package, extra=extra, uses=uses)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'symbolics'"):
        _ = st.symbolics


def test_the_table_of_the_documentation_is_the_public_names():
    section = (SOURCE.parents[1] / "docs" / "api" / "index.md").read_text()
    listed = re.findall(
        r"`(\w+)`", "".join(line.split("|")[2] for line in section.splitlines() if line.startswith("| "))
    )
    assert sorted(listed) == sorted(st.__all__)


def test_every_public_module_says_what_it_is():
    for name, module in TREE.items():
        assert module.__doc__, name
        assert importlib.import_module(module.__name__) is module
