"""Files that are replaced as a whole: whenever its writer is stopped, a file is the old one or the new one.

What a file system does not offer is gone without where the bytes are safe all the same: rights that cannot be set, as
on network shares, a flush that it does not know, a folder that cannot be listed. What it cannot store is an error.
"""

import contextlib
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

NO_FLUSH = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # said by file systems that have none
LONGEST = 100  # bytes of a file's name in that of its temporary one: names of 255 bytes are often the longest allowed


def file_of(name: str, path) -> Path:
    """The path of a file to be written, as a user gives it in the argument of this name; `~` is the user's home.

    Raises:
        TypeError, ValueError: no path, or none of a file in a folder that exists.
    """
    try:
        path = Path(os.fsdecode(path))
    except TypeError as error:
        raise TypeError(f"{name}: got {path!r}; needs the path of a file") from error
    with contextlib.suppress(RuntimeError):  # of nobody's home: a name as others are
        path = path.expanduser()
    # os.path: what cannot be looked at is not there. Devices and pipes are no files, and must not be replaced by one.
    is_other = os.path.exists(path) and not os.path.isfile(path)
    if "\0" in str(path) or is_other or not os.path.isdir(_target(path).parent):
        raise ValueError(f"{name}: got {path}; needs the name of a file in a folder that exists")
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file in the folder of `path`, to be written; it takes that name only when the block succeeds.

    Where `path` is a symbolic link it remains one, and its target is replaced.

    Raises:
        OSError: it cannot be made, or the disk cannot take it; `path` is then as it was.
    """
    path = _target(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
    os.close(handle)
    temporary = Path(name)
    try:
        _set_rights(temporary, 0o600)  # a umask may have taken them from the writer too
        yield temporary
        _to_disk(temporary)
        _set_rights(temporary, 0o666 & ~_umask())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def remove_leftovers(path: Path, prefix: str = "") -> None:
    """The temporary files of writers of `path` that were killed, as far as they are found and may be removed.

    Args:
        prefix: of their names, a regular expression: those of other files in that folder as well.
    """
    path = _target(path)
    name = re.compile((prefix or re.escape(_prefix(path))) + r"[a-z0-9_]{8}")
    with contextlib.suppress(OSError):
        for other in path.parent.iterdir():
            if name.fullmatch(other.name):
                other.unlink(missing_ok=True)


def _target(path: Path) -> Path:
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def _prefix(path: Path) -> str:
    name = os.fsencode(path.name)
    return f".{path.name}." if len(name) <= LONGEST else f".{hashlib.sha256(name).hexdigest()}."


def _set_rights(path: Path, mode: int) -> None:
    with contextlib.suppress(OSError):
        path.chmod(mode)


def _to_disk(path: Path) -> None:
    """A rename may be on the disk before what was written: after a loss of power the file would be empty."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_FLUSH:
            raise
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
