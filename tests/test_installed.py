"""What `python -m sobolev_theory` says of the installation."""

import tomllib
from pathlib import Path

import jax
import pytest

from sobolev_theory import __main__ as command

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def test_it_says_version_devices_precision_extras_and_where_the_documentation_is(capsys):
    assert command.main() == 0
    said = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{said}" for name in ("sobolev_theory", "devices", "precision", "documentation"))
    assert jax.__version__ in said
    assert jax.devices()[0].device_kind in said
    assert "64 bit" in said


def test_every_extra_is_known():
    assert set(command.EXTRAS) == set(PROJECT["optional-dependencies"]) - {"dev"}


def test_an_absent_extra_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda package: None if package == "optax" else package)
    found = command.facts()["extras"]
    assert found.endswith('for descent, experiments: pip install "sobolev-theory[descent,experiments]"')
    assert found.startswith("symbolic, verification, flows, sweeps, figures, pictures, docs")


@pytest.mark.parametrize("exists", [True, False])
def test_the_documentation_is_a_file_that_is_there_or_told_of(monkeypatch, tmp_path, exists):
    (tmp_path / "docs").mkdir()
    if exists:
        (tmp_path / "docs" / "index.md").touch()
    monkeypatch.setattr(command, "HERE", tmp_path / "sobolev_theory")
    found = command.documentation()
    assert found.startswith("file://") is exists
    assert "docs" in found
