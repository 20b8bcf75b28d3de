"""The command line sees one figure of the theory and, where a test asks for it, one experiment."""

import importlib
import sys

import pytest

from tests.figures.command import figures_of_no_time


def _only(group, files, folder, monkeypatch):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(f'"""{text}"""\n')
    monkeypatch.setattr(importlib.import_module(f"figures.{group}"), "__path__", [str(folder)])


@pytest.fixture(autouse=True)
def line(monkeypatch, tmp_path_factory):
    module = figures_of_no_time.line()
    _only("theory", {"line": "A line."}, tmp_path_factory.mktemp("theory"), monkeypatch)
    _only("experiments", {}, tmp_path_factory.mktemp("experiments"), monkeypatch)
    monkeypatch.setitem(sys.modules, "figures.theory.line", module)
    return module


@pytest.fixture
def experiment(monkeypatch, line, tmp_path_factory):
    module = figures_of_no_time.points()
    _only("experiments", {"points": "Some points."}, tmp_path_factory.mktemp("experiments"), monkeypatch)
    monkeypatch.setitem(sys.modules, "figures.experiments.points", module)
    return module
