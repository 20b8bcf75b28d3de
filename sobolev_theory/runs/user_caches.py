"""Where commands keep what they need not compute again: folders in the user's cache, and JAX's compiled programs."""

import os
import tempfile
from pathlib import Path

import jax

WORTH_KEEPING = 0.1  # seconds of compilation


def folder(name: str) -> Path:
    """sobolev_theory/<name> in the user's folder of caches: that of XDG_CACHE_HOME, else ~/.cache."""
    kept = os.environ.get("XDG_CACHE_HOME")
    try:
        base = Path(kept) if kept else Path.home() / ".cache"
    except RuntimeError:  # nobody's home
        base = Path(tempfile.gettempdir())
    return base / "sobolev_theory" / name


def is_writable(path: Path) -> bool:
    """Whether files can be written in the folder, which is made if need be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return True
    except OSError:
        return False


def keep_compiled(path: Path | None = None) -> None:
    """Programs that JAX compiles in this process are kept in the folder, and read from there by the next one.

    For commands, before they compile anything; the library never does this on import. A folder that the user has
    set, by JAX_COMPILATION_CACHE_DIR or in JAX's configuration, stays; one that cannot be written to is no error.

    Args:
        path: the folder; default `folder("compiled")`.
    """
    path = folder("compiled") if path is None else path
    if jax.config.values.get("jax_compilation_cache_dir") or not is_writable(path):
        return
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
