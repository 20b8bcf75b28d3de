"""What the data of a figure depends on, as one hash: settings, folders of images, and the sources it comes from."""

import ast
import hashlib
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import sobolev_theory

ROOT = Path(__file__).parent
NOT_COMPUTING = {
    ROOT / f"{name}.py" for name in ("__init__", "archives", "files", "keep", "sources", "statistics", "style")
}


def fingerprint(data: Callable, arguments: dict) -> str:
    """A hash of the arguments, the module of `data`, what it imports from here, its SOURCES, and the whole library.

    Where an argument is a folder, the names, sizes and times of the files in it count, and not where it lies.
    """
    module = Path(inspect.getfile(data))
    named = getattr(inspect.getmodule(data), "SOURCES", ())
    library = sorted(Path(sobolev_theory.__file__).parent.rglob("*.py"))
    settings = [(name, _setting(value)) for name, value in sorted(arguments.items())]
    digest = hashlib.sha256(repr(settings).encode())
    for source in (module, *sorted(_imported(module) - {module}), *named, *library):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _setting(value: object) -> object:
    if not (isinstance(value, Path) and value.is_dir()):
        return value
    files = sorted(Path(folder) / name for folder, _, names in os.walk(value) for name in names)
    return [(str(file.relative_to(value)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def _imported(module: Path) -> set[Path]:
    """The modules that a module imports relatively, and those that they import, but for what only draws or keeps."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        for source in _relative_imports(waiting.pop()):
            if source not in found | NOT_COMPUTING:
                found.add(source)
                waiting.append(source)
    return found


def _relative_imports(module: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for path in (package, *(package / alias.name for alias in node.names)):
                yield from (source for source in (path.with_suffix(".py"), path / "__init__.py") if source.is_file())
