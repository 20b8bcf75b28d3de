"""The modules that a result depends on, in whatever way they are imported."""

from sobolev_theory.runs.import_closure import import_closure


def written(folder, **modules):
    for name, text in modules.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_every_way_of_importing_counts(tmp_path):
    root = written(
        tmp_path,
        package__start="import package.plain\nfrom . import sibling\nfrom .inner import deep\n"
        "from .. import nothing\ndef later():\n    from .inner.lazy import thing\n",
        package__plain="import other as renamed\nimport os, numpy.linalg\n",
        package__sibling="",
        package__inner__deep="from ..sibling import anything\n",
        package__inner__lazy="",
        other="",
        unused="",
    )
    (root / "package" / "inner" / "__init__.py").write_text("from ..fromtheinit import x\n")
    written(tmp_path, package__fromtheinit="")
    expected = "other package.fromtheinit package.inner package.inner.deep package.inner.lazy package.plain"
    found = import_closure({"package.start"}, root)
    assert " ".join(found) == f"{expected} package.sibling package.start"
    assert found["package.inner"] == root / "package" / "inner" / "__init__.py"


def test_circles_end(tmp_path):
    assert list(import_closure({"a"}, written(tmp_path, a="import b\n", b="import a\n"))) == ["a", "b"]


def test_what_is_left_out_takes_its_inner_modules_and_its_own_imports_with_it(tmp_path):
    root = written(
        tmp_path, start="import drawing.style, kept\n", drawing__style="import only\n", only="", kept="import used\n"
    )
    written(tmp_path, used="")
    assert list(import_closure({"start"}, root, without={"drawing"})) == ["kept", "start", "used"]


def test_a_source_that_changed_is_read_again(tmp_path):
    root = written(tmp_path, a="import b\n", b="", c="")
    assert list(import_closure({"a"}, root)) == ["a", "b"]
    written(tmp_path, a="import c\n")
    assert list(import_closure({"a"}, root)) == ["a", "c"]
