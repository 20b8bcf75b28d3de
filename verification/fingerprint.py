"""What a result depends on: the sources that its modules import, the versions of the libraries, the settings.

The imports are read off the syntax tree, so that nothing is executed; a package counts with its __init__. What is
imported lazily, inside functions, counts too. Only sources of this checkout are followed; for the rest the versions
of the libraries that compute stand.
"""

import ast
import functools
import hashlib
import platform
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("jax", "jaxlib", "numpy", "scipy", "sympy", "mpmath", "python-flint", "equinox", "diffrax")


def fingerprint(modules: set[str], *settings: object) -> str:
    """The same for the same sources, libraries and settings, and for nothing else."""
    digest = hashlib.sha256(repr((settings, versions())).encode())
    for name in sorted(_closure(frozenset(modules))):
        digest.update(f"\n{name} {_content(name)}".encode())
    return digest.hexdigest()


@functools.cache
def versions() -> dict[str, str]:
    """Of Python and of the libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _closure(modules: frozenset[str]) -> frozenset[str]:
    """The modules of the checkout that these import, and what those import, and so on."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen or _path(name) is None:
            continue
        seen.add(name)
        waiting += _imports(name)
    return frozenset(seen)


@functools.cache
def _imports(name: str) -> tuple[str, ...]:
    path = _path(name)
    assert path is not None
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base]) if base else ".".join(parents)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return tuple(found)


@functools.cache
def _path(name: str) -> Path | None:
    """The source of a module of the checkout; None for all other names."""
    base = ROOT.joinpath(*name.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None) if name else None


@functools.cache
def _content(name: str) -> str:
    path = _path(name)
    assert path is not None
    return hashlib.sha256(path.read_bytes()).hexdigest()
