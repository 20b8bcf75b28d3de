"""`python -m figures [NAME ...]`: compute what the figures show, or reuse it, and draw them into a folder."""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax

from sobolev_theory.runs import command_lines
from sobolev_theory.runs.atomic_files import replacing
from sobolev_theory.runs.progress import tracks
from sobolev_theory.runs.user_caches import keep_compiled

from .command import catalogue, listing, results
from .command.catalogue import RequestError
from .figure import Figure
from .kept import cache

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
        entries = catalogue.chosen(request.names)
        if request.list:
            print(listing.table(entries, request.output, _given(request)))
            for line in results.lines([entry.name for entry in entries]):
                print(textwrap.fill(line, 110, initial_indent="\n"))
            return 0
        figures = {entry.name: entry.figure() for entry in entries}
        catalogue.check_options(figures, request.names, _given(request))
        for line in _drawn(figures, request):
            print(line)
    except (RequestError, ModuleNotFoundError) as error:
        command_lines.complain(f"python -m figures: error: {error}")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        command_lines.complain(
            f"figures: interrupted; what was finished is in {request.output}, the same command goes on from there"
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
        "--paper",
        action="store_true",
        default=None,
        help="experiments in the setting of the paper's public code, for a GPU; what differs is printed",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        default=None,
        help="a larger setting, where that code has none; these and the folders below have files of their own",
    )
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="pictures, for the experiments on images")
    parser.add_argument(
        "--mnist", type=Path, metavar="FOLDER", help="the files of MNIST, for the denoising autoencoder"
    )
    return parser


def _given(request: argparse.Namespace) -> dict[str, Any]:
    every = {name: getattr(request, name) for name in ("paper", "full", "images", "mnist")}
    return {name: value for name, value in every.items() if value is not None}


def _drawn(figures: dict[str, Figure], request: argparse.Namespace) -> Iterator[str]:
    """Every figure written; lines that say what was found, and in the end what was written."""
    try:
        yield from _drawn_into(cache.writable_folder(request.output), figures, request)
    except OSError as error:
        why = error.strerror or error
        raise RequestError(f"--output: got {request.output}; needs a folder to write in ({why})") from error


def _drawn_into(folder: Path, figures: dict[str, Figure], request: argparse.Namespace) -> Iterator[str]:
    from . import style  # it needs matplotlib, whose absence has a message of its own
    from .problems.datasets import DataError

    jax.config.update("jax_enable_x64", True)
    keep_compiled()
    computed, written = 0, []
    for name, figure in figures.items():
        taken = figure.taken(_given(request))
        stem = catalogue.stem(name, taken)
        path = folder / f"{stem}.npz"
        with tracks(f"parts of {name}") as track:
            try:
                arrays, new = cache.cached(
                    path, figure.data, sources=figure.sources, fresh=request.fresh, track=track, **taken
                )
            except DataError as error:
                raise RequestError(str(error)) from error
        computed += new
        written.append(f"{stem}.{request.format}")
        with replacing(folder / written[-1]) as temporary:
            style.save(figure.draw(arrays), temporary, request.format)
        if figure.finding is not None:  # of the statement
            yield textwrap.fill(f"{stem}: {figure.statement}", 110)
            yield from (f"  {line}" for line in figure.finding(arrays))
        if "paper" in taken and figure.differs is not None:
            yield textwrap.fill(f"What differs from the public code: {figure.differs}", 110)
    kept = len(written) - computed
    yield f"figures: wrote {', '.join(written)} in {folder} ({computed} computed, {kept} from kept data)"


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m figures"))
