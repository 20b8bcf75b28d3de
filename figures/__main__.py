"""`python -m figures [NAME ...]`: compute what the figures show, or reuse it, and draw them into a folder."""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import jax

from . import listing, modules
from .progress import bars

DESCRIPTION = """\
Draw the figures. What they show is computed once and kept next to them.

Without names all are drawn: those of the theory, seconds to a minute each, then the experiments, which train
networks for minutes each. "theory" and "experiments" stand for the figures of either kind; --list has their times.
An interrupted or killed experiment goes on from its last cell or checkpoint when the same command runs again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when every figure asked for was written, 2 for a request that cannot be met."""
    request = _parser().parse_args(arguments)
    try:
        names = modules.chosen(request.names)
        if request.list:
            print(listing.table(names, request.output, _given(request)))
            return 0
        figures = {name: modules.module(name) for name in names}
        modules.check_settings(figures, request.names, _given(request))
        print(_write(figures, request))
    except (modules.RequestError, modules.NotInstalledError, ModuleNotFoundError) as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"--output: got {request.output}; needs a folder to write in ({error.strerror or error})")
    except KeyboardInterrupt:
        print(
            f"figures: interrupted; what was finished is in {request.output}, the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m figures", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="figures or groups to draw (default: all; see --list)"
    )
    parser.add_argument("--list", action="store_true", help="times, status and descriptions of the figures, and exit")
    parser.add_argument("--output", type=Path, default=Path("output/figures"), metavar="FOLDER")
    parser.add_argument("--format", choices=("png", "pdf", "svg"), default="pdf", help="(default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="compute anew even where kept data or cells are current")
    parser.add_argument(
        "--full",
        action="store_true",
        default=None,
        help="experiments as the paper has them, for a GPU; this and the folders below have files of their own",
    )
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="pictures, for the experiments on images")
    parser.add_argument(
        "--mnist", type=Path, metavar="FOLDER", help="the files of MNIST, for the denoising autoencoder"
    )
    return parser


def _given(request: argparse.Namespace) -> dict[str, Any]:
    every = {name: getattr(request, name) for name in ("full", "images", "mnist")}
    return {name: value for name, value in every.items() if value is not None}


def _write(figures: dict[str, ModuleType], request: argparse.Namespace) -> str:
    from . import datasets, files, style  # they need packages whose absence has its own message

    jax.config.update("jax_enable_x64", True)
    folder = files.writable_folder(request.output)
    computed, written = 0, []
    for name, figure in figures.items():
        taken = modules.settings(figure.data, _given(request))
        stem = modules.stem(name, taken)
        with bars(name) as track:
            try:
                arrays, new = files.cached(
                    folder / f"{stem}.npz", figure.data, fresh=request.fresh, track=track, **taken
                )
            except datasets.DataError as error:
                raise modules.RequestError(str(error)) from error
        computed += new
        written.append(f"{stem}.{request.format}")
        with files.replacing(folder / written[-1]) as temporary:
            style.save(figure.draw(arrays), temporary, request.format)
        if hasattr(figure, "finding"):
            print(_finding(stem, figure.PAPER, figure.finding(arrays)))
    kept = len(written) - computed
    return f"figures: wrote {', '.join(written)} in {folder} ({computed} computed, {kept} from kept data)"


def _finding(stem: str, paper: str, lines: list[str]) -> str:
    """The paper's statement, and below it what was measured."""
    return "\n".join([textwrap.fill(f"{stem}: {paper}", 110), *(f"  {line}" for line in lines)])


def _refuse(message: str) -> NoReturn:
    print(f"python -m figures: error: {message}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    sys.exit(main())
