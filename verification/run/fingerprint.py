"""What a result depends on: the sources that its modules import, the versions of the libraries, the settings."""

import functools
import hashlib
import platform
from importlib import metadata
from pathlib import Path

from sobolev_theory.runs.import_closure import import_closure

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("jax", "jaxlib", "numpy", "scipy", "sympy", "mpmath", "python-flint", "equinox", "diffrax")


def fingerprint(modules: set[str], *settings: object) -> str:
    """The same for the same sources, libraries and settings, and for nothing else."""
    digest = hashlib.sha256(repr((settings, versions())).encode())
    for name, path in closure(frozenset(modules)).items():
        digest.update(f"\n{name} {_content(path)}".encode())
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
def closure(modules: frozenset[str]) -> dict[str, Path]:
    """The sources of this checkout that these modules import, directly or not."""
    return import_closure(modules, ROOT)


@functools.cache
def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
