"""Folders of the user's cache: where the user has them, and nothing refused where there is none."""

from types import SimpleNamespace

import pytest

from sobolev_theory.runs import user_caches

OPTION = "jax_compilation_cache_dir"


@pytest.fixture
def options(monkeypatch) -> dict:
    """JAX's, of a process that has not begun."""
    values = {OPTION: None}
    config = SimpleNamespace(values=values, update=values.__setitem__)
    monkeypatch.setattr(user_caches, "jax", SimpleNamespace(config=config))
    return values


def test_the_folder_is_that_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_caches.folder("figures") == tmp_path / "sobolev_theory" / "figures"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_caches.folder("figures") == tmp_path / ".cache" / "sobolev_theory" / "figures"


def test_programs_are_kept_where_they_can_be(monkeypatch, tmp_path, options):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    user_caches.keep_compiled()
    assert options == {OPTION: None}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    user_caches.keep_compiled()
    assert options[OPTION] == str(tmp_path / "sobolev_theory" / "compiled")
    assert len(options) == 3


def test_the_folder_that_the_user_has_set_stays(monkeypatch, tmp_path, options):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options[OPTION] = "/elsewhere"
    user_caches.keep_compiled()
    assert options == {OPTION: "/elsewhere"}
    assert not list(tmp_path.iterdir())
