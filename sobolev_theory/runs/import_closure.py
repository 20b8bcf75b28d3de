"""Which modules of a checkout a result depends on: those that its own modules import, and so on."""

import ast
import functools
from collections.abc import Collection, Iterable
from pathlib import Path


def import_closure(modules: Iterable[str], root: Path, without: Collection[str] = ()) -> dict[str, Path]:
    """Modules and everything below `root` that they import, directly or not: their sources by name, in order.

    Imports are read off the syntax tree, so that nothing is executed; those inside functions count too. A package
    counts with its __init__. Names that have no source below `root`, such as those of other projects, do not count.

    Args:
        modules: dotted names.
        root: the folder that is on Python's path.
        without: names that do not count, nor what lies in them, nor what only they import.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        source = None if name in found or _is_in(name, without) else _source(name, root)
        if source is not None:
            found[name] = source
            package = name if source.name == "__init__.py" else name.rpartition(".")[0]
            waiting += _imports(package, source.read_bytes())
    return dict(sorted(found.items()))


def _is_in(name: str, packages: Collection[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in packages for length in range(1, len(parts) + 1))


def _source(name: str, root: Path) -> Path | None:
    if not name:
        return None
    base = root.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


@functools.cache
def _imports(package: str, source: bytes) -> tuple[str, ...]:
    """Names that may be modules; `package` is what relative imports begin from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return tuple(found)
