"""The floors of the library: imports go downwards, never up and never in a circle."""

import ast
from pathlib import Path

import sobolev_theory

ROOT = Path(sobolev_theory.__file__).parent
# From the top; folders of one floor do not import each other.
FLOORS = (
    ("",),
    ("dynamics",),
    ("montecarlo",),
    ("population",),
    ("closed_forms", "kernels"),
    ("geometry", "differentiation", "training"),
    ("runs",),  # its sweeps check their arguments as the model does
    ("model",),
    ("symbolic",),
)
LEVEL = {folder: -floor for floor, folders in enumerate(FLOORS) for folder in folders}


def imported(path: Path) -> set[str]:
    """The folders of the library that a module imports, also within functions; all such imports are relative."""
    here = path.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {(*base, *module.split("."))[0] for module in modules}
    return found


def test_every_folder_has_its_floor():
    assert {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()} == set(LEVEL) - {""}


def test_imports_go_downwards():
    upwards = []
    for path in ROOT.rglob("*.py"):
        folder = path.relative_to(ROOT).parts[0] if path.parent != ROOT else ""
        upwards += [
            (str(path.relative_to(ROOT)), other)
            for other in imported(path) - {folder}
            if other in LEVEL and not LEVEL[other] < LEVEL[folder]
        ]
    assert not upwards
