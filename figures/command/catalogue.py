"""Which figures there are, by the modules in theory/ and experiments/, and what has to be installed for them."""

import ast
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..figure import Figure

GROUPS = ("theory", "experiments")
EXTRAS = {"theory": "figures", "experiments": "experiments"}  # of pyproject.toml
PACKAGES = {
    "theory": ("matplotlib", "diffrax", "pyarrow"),
    "experiments": ("matplotlib", "diffrax", "pyarrow", "optax", "sklearn", "PIL"),
}
SETTINGS = {"paper", "full"}
PROJECTS = {"sklearn": "scikit-learn", "PIL": "pillow"}  # as they are installed, where that is another name


class RequestError(Exception):
    """Names or settings that no figure can meet; packages or folders that are not there."""


@dataclass(frozen=True)
class Entry:
    """A figure that is not imported yet: a module of its group."""

    name: str
    group: str
    source: Path

    @property
    def shows(self) -> str:
        """The first line of its docstring, without the full stop."""
        documentation = ast.get_docstring(ast.parse(self.source.read_bytes())) or ""
        return documentation.partition("\n")[0].removesuffix(".")

    @property
    def statement(self) -> str:
        """What it tests, without importing it; empty for figures of the theory."""
        for node in ast.walk(ast.parse(self.source.read_bytes())):
            if isinstance(node, ast.keyword) and node.arg == "statement":
                return ast.literal_eval(node.value)
        return ""

    def missing(self) -> list[str]:
        """What would have to be installed for figures of its group."""
        absent = [name for name in PACKAGES[self.group] if importlib.util.find_spec(name) is None]
        return [PROJECTS.get(name, name) for name in absent]

    def figure(self) -> Figure:
        """What its module ends with.

        Raises:
            RequestError: one of the packages that figures of its group need is absent, or the module has no FIGURE.
        """
        absent = self.missing()
        if absent:
            install = f'pip install "sobolev-theory[{EXTRAS[self.group]}]"'
            raise RequestError(f"{self.name} needs {', '.join(absent)}, not installed; the extra for it: {install}")
        found = getattr(importlib.import_module(f"figures.{self.group}.{self.name}"), "FIGURE", None)
        if not isinstance(found, Figure):
            raise RequestError(f"{self.source}: has no figure; needs to end with FIGURE = Figure(...)")
        return found


def entries() -> dict[str, Entry]:
    """All figures by name, those of the theory first."""
    found = {}
    for group in GROUPS:
        for folder in importlib.import_module(f"figures.{group}").__path__:
            for module in pkgutil.iter_modules([folder]):
                found[module.name] = Entry(module.name, group, Path(folder) / f"{module.name}.py")
    return found


def chosen(names: Iterable[str]) -> list[Entry]:
    """The figures of names and groups, each once; all where there are none.

    Raises:
        RequestError: a name of nothing.
    """
    names, every = list(names), entries()
    unknown = [name for name in names if name not in every and name not in GROUPS]
    if unknown:
        raise RequestError(f"NAME: got {', '.join(unknown)}; needs names among {', '.join([*every, *GROUPS])}")
    groups = {group: [name for name, entry in every.items() if entry.group == group] for group in GROUPS}
    wanted = [name for given in names for name in groups.get(given, [given])]
    return [every[name] for name in dict.fromkeys(wanted if names else every)]


def check_options(figures: dict[str, Figure], named: Iterable[str], given: dict[str, Any]) -> None:
    """Every figure named has the setting that was asked for, and every folder given is used by a figure.

    Raises:
        RequestError: it is not so, or a folder is none.
    """
    takers = {option: [name for name, figure in figures.items() if option in figure.options] for option in given}
    for setting in SETTINGS & given.keys():
        without = [name for name in named if name in figures and name not in takers[setting]]
        if without:
            raise RequestError(f"--{setting}: {', '.join(without)} has no {setting} setting")
    for name in takers.get("paper", []):
        needed = figures[name].paper_needs
        if needed is not None and needed not in given:
            raise RequestError(f"--paper: {name} needs --{needed} FOLDER for it")
    for option, value in given.items():
        if not takers[option]:
            raise RequestError(f"--{option}: none of {', '.join(figures)} takes it")
        if isinstance(value, Path) and not value.is_dir():
            raise RequestError(f"--{option}: got {value}; needs a folder that exists")


def stem(name: str, taken: dict[str, Any]) -> str:
    """The name of the figure's files; other options have another name, so that none replaces what others gave."""
    return "-".join([name, *taken])
