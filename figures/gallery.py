"""`python -m figures.gallery [NAME ...]`: the small pictures of the documentation, and what they were drawn from.

Beside the pictures lies a list of their inputs: a fingerprint of the modules of `figures` and `studies` that a figure
is made of, without comments and docstrings, and of the tables that it reads. A test compares it with the sources of
today. The library itself is not in it: that its numbers stay what they are is what all other tests are for.
"""

import ast
import hashlib
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax

from sobolev_theory.runs import command_lines
from sobolev_theory.runs.atomic_files import replacing
from sobolev_theory.runs.import_closure import import_closure
from sobolev_theory.runs.progress import tracks

from .command import catalogue, listing
from .figure import Figure
from .kept import archives, cache

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
INPUTS = PICTURES / "inputs.json"
KEPT = ROOT / "output" / "figures"
COLOURS = 96
DOTS = 140  # per inch: a thousand over the width of the page
# What keeps the data or lists the figures draws none of them.
NOT_DRAWING = {f"figures.{name}" for name in ("command", "gallery", "kept", "measures.statistics")}


def main(names: Sequence[str] = ()) -> int:
    """Draw the pictures that there are, or those named, from kept data where it is current."""
    from . import style  # it needs matplotlib

    jax.config.update("jax_enable_x64", True)
    inputs: dict[str, Any] = json.loads(INPUTS.read_text()) if INPUTS.exists() else {}
    entries = catalogue.chosen(names or sorted(inputs) or ["theory"])
    for entry in entries:
        figure, path = entry.figure(), cache.writable_folder(KEPT) / f"{entry.name}.npz"
        with tracks(f"parts of {entry.name}") as track:
            arrays, _ = cache.cached(path, figure.data, sources=figure.sources, track=track)
        with replacing(PICTURES / f"{entry.name}.png") as temporary, style.paper():
            small(figure.draw(arrays)).save(temporary, format="png", optimize=True)
        seconds = archives.seconds(path)
        inputs[entry.name] = {
            "shows": entry.shows,
            "time": listing.duration(60 * figure.minutes if seconds is None else seconds),
            "inputs": fingerprint(figure),
        }
        with replacing(INPUTS) as temporary:
            temporary.write_text(json.dumps(dict(sorted(inputs.items())), indent=2) + "\n")
    print(f"gallery: wrote {', '.join(entry.name for entry in entries)} in {PICTURES}")
    return 0


def small(drawn: Any) -> Any:
    """A figure of matplotlib as an image of few colours, which lines and text have: a third of the bytes."""
    from PIL import Image

    file = io.BytesIO()
    drawn.savefig(file, format="png", dpi=DOTS)
    return Image.open(file).convert("RGB").quantize(COLOURS)


def fingerprint(figure: Figure) -> str:
    """Of what the figure is made of here, besides the library."""
    modules = import_closure({figure.data.__module__}, ROOT, without=NOT_DRAWING)
    own = (path for name, path in sorted(modules.items()) if name.partition(".")[0] != "sobolev_theory")
    return _hash([*(_code(path) for path in own), *(path.read_text() for path in figure.sources)])


def _code(path: Path) -> str:
    """What a module does: its syntax tree without docstrings."""
    tree = ast.parse(path.read_text())
    for node in _documented(tree):
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _documented(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield node


def _hash(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(command_lines.run(lambda: main(sys.argv[1:]), "python -m figures.gallery"))
