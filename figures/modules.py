"""The module of a figure, what has to be installed for it, and which of the command line's settings it takes."""

import importlib
import importlib.util
import inspect
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from . import EXPERIMENTS, FIGURES

GROUPS = ("theory", "experiments")
PACKAGES = {
    "figures": ("matplotlib", "diffrax", "pyarrow"),
    "experiments": ("matplotlib", "diffrax", "pyarrow", "optax", "sklearn", "PIL"),
}
PROJECTS = {"sklearn": "scikit-learn", "PIL": "pillow"}  # as they are installed, where that is another name


class NotInstalledError(Exception):
    """A package of an extra that a figure needs."""


class RequestError(Exception):
    """Names or settings that no figure can meet."""


def chosen(names: Iterable[str]) -> list[str]:
    """The figures of names and groups, each once; all where there are none.

    Raises:
        RequestError: a name of nothing.
    """
    names = list(names)
    unknown = [name for name in names if name not in FIGURES and name not in GROUPS]
    if unknown:
        raise RequestError(f"NAME: got {', '.join(unknown)}; needs names among {', '.join([*FIGURES, *GROUPS])}")
    groups = {name: [figure for figure in FIGURES if _group(figure) == name] for name in GROUPS}
    figures = [figure for name in names for figure in groups.get(name, [name])]
    return list(dict.fromkeys(figures if names else FIGURES))


def missing(figure: str) -> list[str]:
    """What would have to be installed for figures of its kind."""
    return [PROJECTS.get(name, name) for name in PACKAGES[_extra(figure)] if importlib.util.find_spec(name) is None]


def module(figure: str) -> ModuleType:
    """The figure's module, imported.

    Raises:
        NotInstalledError: one of the packages that figures of its kind need is absent.
    """
    absent = missing(figure)
    if absent:
        install = f'pip install "sobolev-theory[{_extra(figure)}]"'
        raise NotInstalledError(f"{figure} needs {', '.join(absent)}, not installed; the extra for it: {install}")
    return importlib.import_module(f"{__package__}.{figure}")


def settings(data, given: dict[str, Any]) -> dict[str, Any]:
    """Those of the settings given that `data` takes."""
    taken = inspect.signature(data).parameters
    return {name: value for name, value in given.items() if name in taken}


def check_settings(figures: dict[str, ModuleType], named: Iterable[str], given: dict[str, Any]) -> None:
    """Every figure named has the full setting if that was asked for, and every folder given is used by a figure.

    A module whose full setting needs a folder names its setting as FULL_NEEDS.

    Raises:
        RequestError: it is not so, or a folder is none.
    """
    takers = {
        setting: [name for name in figures if settings(figures[name].data, {setting: None})] for setting in given
    }
    without = [name for name in named if name in figures and "full" in given and name not in takers["full"]]
    if without:
        raise RequestError(f"--full: {', '.join(without)} has no full setting")
    for name in takers.get("full", []):
        needed = getattr(figures[name], "FULL_NEEDS", None)
        if needed is not None and needed not in given:
            raise RequestError(f"--full: {name} needs --{needed} FOLDER for it")
    for setting, value in given.items():
        if not takers[setting]:
            raise RequestError(f"--{setting}: none of {', '.join(figures)} takes it")
        if isinstance(value, Path) and not value.is_dir():
            raise RequestError(f"--{setting}: got {value}; needs a folder that exists")


def stem(figure: str, taken: dict[str, Any]) -> str:
    """The name of the figure's files; other settings have another name, so that none replaces what others gave."""
    return "-".join([figure, *taken])


def _group(figure: str) -> str:
    return "experiments" if figure in EXPERIMENTS else "theory"


def _extra(figure: str) -> str:
    return "experiments" if figure in EXPERIMENTS else "figures"
