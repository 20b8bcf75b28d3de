"""The floors of the figures: imports go downwards, and every module of a group is a figure."""

import ast
import inspect
from pathlib import Path

import pytest

import figures
from figures.command import catalogue

ROOT = Path(figures.__file__).parent
# From the top.
FLOORS = (
    ("__main__", "gallery"),
    ("command",),
    ("theory", "experiments"),
    ("panels",),
    ("problems", "measures"),
    ("networks",),
    ("figure",),
    ("kept", "style"),
)
LEVEL = {name: -floor for floor, names in enumerate(FLOORS) for name in names}


def imported(path):
    """What a module imports of figures, by the names right below it; also in functions."""
    here = ("figures", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((*base, *module.split("."))[1] for module in modules)


def test_every_module_has_its_floor():
    assert {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py")} == {
        *LEVEL,
        "__init__",
    }


def test_imports_go_downwards():
    upwards = []
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        upwards += [(path.name, other) for other in imported(path) if other != own and LEVEL[other] >= LEVEL[own]]
    assert not upwards


def test_no_module_is_longer_than_300_lines():
    assert not [path.name for path in ROOT.rglob("*.py") if path.read_text().count("\n") > 300]


@pytest.mark.parametrize("name", catalogue.entries())
def test_every_module_of_a_group_ends_with_a_figure_whose_data_takes_its_options(name):
    entry = catalogue.entries()[name]
    figure = entry.figure()
    assert {"keep", *figure.options} <= set(inspect.signature(figure.data).parameters)
    assert (figure.statement is None) == (figure.finding is None) == (entry.group == "theory")
    assert entry.shows
    assert not entry.shows.endswith(".")
