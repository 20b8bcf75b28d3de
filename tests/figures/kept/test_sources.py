"""The fingerprint of data changes with what it depends on, and with nothing else."""

import importlib
import os
import sys

import pytest

from figures.kept import sources


@pytest.fixture
def figure(tmp_path, monkeypatch):
    """A package with a figure that imports one module here and, inside a function, one of an inner package."""
    package = tmp_path / "drawings"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models" / "__init__.py").touch()
    (package / "points.py").write_text(
        "from . import nearby, style\n\ndef data():\n    from .models.unet import UNet\n"
    )
    (package / "nearby.py").write_text("from .models.layers import Layer\n")
    (package / "style.py").touch()
    (package / "models" / "unet.py").write_text("UNet = 1\n")
    (package / "models" / "layers.py").write_text("Layer = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(sources, "NOT_COMPUTING", {"drawings.style"})
    yield importlib.import_module("drawings.points")
    for name in [name for name in sys.modules if name.split(".")[0] == "drawings"]:
        del sys.modules[name]


@pytest.mark.parametrize("changed", ["points.py", "nearby.py", "models/unet.py", "models/layers.py"])
def test_it_covers_the_figure_and_what_it_imports_wherever_it_does(figure, tmp_path, changed):
    before = sources.fingerprint(figure.data, {})
    path = tmp_path / "drawings" / changed
    path.write_text(path.read_text() + "\n# changed\n")
    assert sources.fingerprint(figure.data, {}) != before


def test_it_does_not_cover_what_only_draws(figure, tmp_path):
    before = sources.fingerprint(figure.data, {})
    (tmp_path / "drawings" / "style.py").write_text("COLOUR = 1\n")
    assert sources.fingerprint(figure.data, {}) == before


def test_it_covers_the_files_that_the_figure_names(figure, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("1")
    before = sources.fingerprint(figure.data, {}, [table])
    table.write_text("2")
    assert sources.fingerprint(figure.data, {}, [table]) != before


def test_it_covers_the_library(figure, tmp_path, monkeypatch):
    before = sources.fingerprint(figure.data, {})
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "__init__.py").touch()
    monkeypatch.setattr(sources.sobolev_theory, "__file__", str(tmp_path / "library" / "__init__.py"))
    assert sources.fingerprint(figure.data, {}) != before


def test_it_covers_the_arguments_in_any_order(figure):
    assert sources.fingerprint(figure.data, {"a": 1, "b": 2}) == sources.fingerprint(figure.data, {"b": 2, "a": 1})
    assert sources.fingerprint(figure.data, {"a": 1}) != sources.fingerprint(figure.data, {"a": 2})


def test_a_folder_counts_by_its_files_and_not_by_its_place(figure, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / "a.png").write_bytes(b"1234")
        os.utime(folder / "inner" / "a.png", (0, 0))
    before = sources.fingerprint(figure.data, {"images": first})
    assert sources.fingerprint(figure.data, {"images": second}) == before
    os.utime(second / "inner" / "a.png", (0, 1))
    assert sources.fingerprint(figure.data, {"images": second}) != before
