"""Files that are replaced as a whole, on file systems that lack this or that, and paths as users give them."""

import errno
import os
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from sobolev_theory.runs.atomic_files import NO_FLUSH, file_of, remove_leftovers, replacing
from sobolev_theory.runs.sweeps import parts

NOBODY = 65534


def replaced(path: Path, content: bytes = b"new") -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(b"old")
    return path


def refusing(number):
    def refuse(*arguments, **keywords):
        raise OSError(number, os.strerror(number))

    return refuse


@contextmanager
def user_without_rights():
    """Root may do everything: as somebody else, in a folder of one's own."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        if user == 0:
            os.chown(folder, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(user)
            os.chmod(folder, 0o700)


# What a file system lacks.


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EACCES, errno.EROFS, errno.ENOSYS])
def test_rights_that_cannot_be_set_are_gone_without(path, monkeypatch, number):
    monkeypatch.setattr(os, "chmod", refusing(number))
    replaced(path)
    assert path.read_bytes() == b"new"
    assert [file.name for file in path.parent.iterdir()] == ["state"]


@pytest.mark.parametrize("number", sorted(NO_FLUSH))
def test_a_flush_that_is_not_known_is_gone_without(path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", refusing(number))
    replaced(path)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "replace", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EXDEV])
def test_what_cannot_be_stored_is_an_error_and_leaves_the_old(path, monkeypatch, step, number):
    for name in ("replace", "rename") if step != "fsync" else ("fsync",):
        monkeypatch.setattr(os, name, refusing(number))
    with pytest.raises(OSError, match=os.strerror(number)):
        replaced(path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in path.parent.iterdir()] == ["state"]


def test_the_error_that_stopped_it_is_told_where_the_temporary_file_cannot_be_removed_either(path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
    monkeypatch.setattr(os, "unlink", refusing(errno.EROFS))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        replaced(path)


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o277, 0o777])
def test_a_file_has_the_rights_of_other_new_files_and_is_written_whatever_they_are(mask):
    with user_without_rights() as folder:
        before = os.umask(mask)
        try:
            replaced(folder / "state")
            replaced(folder / "state")
            os.close(os.open(folder / "other", os.O_CREAT))
        finally:
            os.umask(before)
        modes = {stat.S_IMODE((folder / name).stat().st_mode) & 0o666 for name in ("state", "other")}
        assert len(modes) == 1


def test_a_file_without_rights_for_its_owner_is_replaced():
    with user_without_rights() as folder:
        replaced(folder / "state", b"old")
        (folder / "state").chmod(0)
        replaced(folder / "state")
        assert (folder / "state").read_bytes() == b"new"


def test_a_folder_that_cannot_be_listed_takes_files():
    with user_without_rights() as folder:
        folder.chmod(0o300)
        remove_leftovers(folder / "state")
        replaced(folder / "state")
        assert (folder / "state").read_bytes() == b"new"


def test_a_folder_that_takes_no_file_is_an_error():
    with user_without_rights() as folder:
        folder.chmod(0o500)
        with pytest.raises(PermissionError):
            replaced(folder / "state")
        assert not list(folder.iterdir())


# Symbolic links.


@pytest.mark.parametrize("old", [b"old", None])
@pytest.mark.parametrize("steps", [1, 2])
def test_a_symbolic_link_stays_one_and_its_target_is_replaced(tmp_path, old, steps):
    """Also of a link to a link, relative as links are, and of one whose target is not there yet."""
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "target"
    if old is not None:
        target.write_bytes(old)
    link = tmp_path / "link"
    link.symlink_to("far/target" if steps == 1 else "far/next")
    if steps == 2:
        (tmp_path / "far" / "next").symlink_to("target")
    replaced(file_of("checkpoint", link))
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    (target.parent / f".{target.name}.abcd_123").touch()
    remove_leftovers(link)
    assert sorted(file.name for file in target.parent.iterdir()) == sorted(["target", "next"][:steps])


def test_a_link_to_a_folder_or_into_a_missing_one_is_refused(tmp_path):
    for number, target in enumerate([tmp_path, tmp_path / "missing" / "state"]):
        link = tmp_path / f"link {number}"
        link.symlink_to(target)
        with pytest.raises(ValueError, match=r"checkpoint: got .*; needs the name of a file in a folder that exists"):
            file_of("checkpoint", link)


# Paths.


class Pathlike:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


LONG = "a" * 255  # the longest name on most file systems
NAMES = ["state", "θ ∇ 🎲", "ué", " ", "-", "state.", "new\nline", "~", "~nobody else", LONG, "θ" * 127, "\udcff"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_that_a_file_may_have_is_written(tmp_path, name):
    path = tmp_path / name
    (tmp_path / ".other.abcd_123").touch()
    for given in (path, str(path), os.fsencode(path), Pathlike(str(path)), Pathlike(os.fsencode(path))):
        assert file_of("path", given) == path
        replaced(file_of("path", given))
        assert path.read_bytes() == b"new"
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        left = temporary.with_name(temporary.name[:-8] + "abcd_123")
        left.touch()
    remove_leftovers(path)
    assert {file.name for file in tmp_path.iterdir()} == {name, ".other.abcd_123"}


@pytest.mark.parametrize("home", [True, False])
def test_a_tilde_is_the_home_where_there_is_one(tmp_path, monkeypatch, home):
    monkeypatch.chdir(tmp_path)
    if home:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert file_of("path", "~/state") == tmp_path / "state"
    monkeypatch.delenv("HOME", raising=False)
    assert file_of("path", "~nobody-of-this-name") == Path("~nobody-of-this-name")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where there is no user either
    with pytest.raises(ValueError, match="path: got ~/state; needs the name of a file in a folder that exists"):
        file_of("path", "~/state")


@pytest.mark.parametrize("wrong", [3, None, True, 1.5, ["state"], Pathlike(3)])
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(TypeError, match=r"path: got .*; needs the path of a file"):
        file_of("path", wrong)


def special_files(folder: Path):
    os.mkfifo(folder / "pipe")
    (folder / "file").touch()
    yield from (
        "",
        ".",
        "/",
        folder,
        folder / "missing" / "state",
        folder / "pipe",
        folder / "file" / "state",
        "a\0b",
    )
    yield from ("/dev/full", "/dev/null", "/dev/zero", "/dev/stdin", "/dev/fd/0", folder / ("a" * 300) / "state")


def test_what_is_no_regular_file_is_refused_without_being_read_or_replaced(tmp_path):
    for wrong in special_files(tmp_path):
        with pytest.raises(ValueError, match=r"path: got .*; needs the name of a file in a folder that exists"):
            file_of("path", wrong)


# Parts of a sweep.


def test_only_what_a_sweep_has_written_is_removed_with_its_parts(tmp_path):
    made = parts.Parts(tmp_path / "sweep", "0" * 64, 2)
    made.prepare()
    kept = {made.folder / name for name in (".nfs000000000000", "notes", ".ipynb_checkpoints")}
    left = {made.folder / name for name in (".trial.abcd_123", f".{0:015d}.parquet.abcd_123")}
    (made.folder / ".ipynb_checkpoints").mkdir()
    for file in left | kept:
        if not file.exists():
            file.touch()
    made.prepare()
    assert set(made.folder.iterdir()) == kept
    made._remove()
    assert set(made.folder.iterdir()) == kept
