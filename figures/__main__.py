"""`python -m figures [NAME ...]`: compute what the figures show, or reuse it, and draw them into a folder."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import jax

from . import FIGURES


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when every figure asked for was written, 2 for a request that cannot be met."""
    parser = _parser()
    request = parser.parse_args(arguments)
    if request.list:
        width = max(map(len, FIGURES))
        print("\n".join(f"{name:{width}}  {description}" for name, description in FIGURES.items()))
        return 0
    unknown = [name for name in request.names if name not in FIGURES]
    if unknown:
        _refuse(f"NAME: got {', '.join(unknown)}; needs names among {', '.join(FIGURES)}")
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        _refuse('matplotlib is not installed; it comes with: pip install "sobolev-theory[figures]"')
    try:
        print(_write(list(dict.fromkeys(request.names)) or list(FIGURES), request))
    except OSError as error:
        _refuse(f"--output: got {request.output}; needs a folder to write in ({error.strerror or error})")
    except KeyboardInterrupt:
        print("figures: interrupted; what was finished is in", request.output, file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m figures",
        description="Draw the figures of the theory. What they show is computed once and kept next to them.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures to draw (default: all; see --list)")
    parser.add_argument("--list", action="store_true", help="describe the figures and exit")
    parser.add_argument("--output", type=Path, default=Path("output/figures"), metavar="FOLDER")
    parser.add_argument("--format", choices=("png", "pdf", "svg"), default="pdf", help="(default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="compute anew even where kept data is current")
    return parser


def _write(names: list[str], request: argparse.Namespace) -> str:
    from . import files, style  # they need matplotlib, whose absence has its own message

    jax.config.update("jax_enable_x64", True)
    folder = files.writable_folder(request.output)
    computed = 0
    for name in names:
        module = importlib.import_module(f"{__package__}.{name}")
        arrays, new = files.cached(folder / f"{name}.npz", module.data, fresh=request.fresh, track=_track(name))
        computed += new
        with files.replacing(folder / f"{name}.{request.format}") as temporary:
            style.save(module.draw(arrays), temporary, request.format)
    written = ", ".join(f"{name}.{request.format}" for name in names)
    return f"figures: wrote {written} in {folder} ({computed} computed, {len(names) - computed} from kept data)"


def _track(name: str) -> Callable[[Iterable], Iterable]:
    """A progress bar for a person at a terminal; nothing in a pipe or in continuous integration."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        return iter
    from rich.console import Console
    from rich.progress import track

    return partial(track, description=name, console=Console(stderr=True), transient=True)


def _refuse(message: str) -> NoReturn:
    print(f"python -m figures: error: {message}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    sys.exit(main())
