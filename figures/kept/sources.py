"""What the data of a figure depends on, as one hash: settings, folders of images, and the sources it comes from."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import sobolev_theory
from sobolev_theory.runs.import_closure import import_closure

from .folders import visible_files

ROOT = Path(__file__).parents[2]
# What draws, judges or keeps the arrays changes none of them.
NOT_COMPUTING = {f"figures.{name}" for name in ("figure", "kept", "measures.statistics", "panels", "style")}


def fingerprint(data: Callable, arguments: dict, named: Iterable[Path] = ()) -> str:
    """A hash of the arguments, of `data`'s module and all it imports here, of the files named, and of the library.

    Where an argument is a folder, the names, sizes and times of the files in it count, and not where it lies.
    """
    modules = import_closure({data.__module__}, ROOT, without=NOT_COMPUTING)
    library = sorted(Path(sobolev_theory.__file__).parent.rglob("*.py"))
    settings = [(name, _setting(value)) for name, value in sorted(arguments.items())]
    digest = hashlib.sha256(repr(settings).encode())
    for source in (*modules.values(), *named, *library):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _setting(value: object) -> object:
    if not (isinstance(value, Path) and value.is_dir()):
        return value
    files = [(file, file.stat()) for file in visible_files(value) if file.exists()]  # a link may lead nowhere
    return [(str(file.relative_to(value)), stat.st_size, stat.st_mtime_ns) for file, stat in files]
