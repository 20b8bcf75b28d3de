"""The object that the module of a figure ends with: all that the command line knows of it but its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .kept import Arrays

if TYPE_CHECKING:  # the list of figures needs no matplotlib
    from .style import Picture

Option = Literal["paper", "full", "images", "mnist"]


@dataclass(frozen=True)
class Figure:
    """A figure, and for an experiment the statement that it tests.

    Attributes:
        data: computes and returns plain NumPy arrays, which are kept beside the picture. It has the parameter `keep`,
            a `figures.kept.Keep`, for its cells, checkpoints and progress, and one for each of the options.
        draw: draws those arrays, and computes nothing.
        minutes: what `data` takes on 2 cores, without options.
        options: of the command line, those that `data` takes: paper=True, the setting of the paper's public code;
            full=True, a larger one of ours where that has none; folders of `images` or of `mnist`.
        paper_needs: the folder that paper=True cannot do without.
        differs: what of paper=True is not as the public code has it.
        sources: files that the data depends on besides the modules it comes from.
        statement: what the paper says, in words of ours.
        finding: of the arrays, lines that say what was measured of the statement.
    """

    data: Callable[..., Arrays]
    draw: Callable[[Arrays], "Picture"]
    minutes: float
    options: tuple[Option, ...] = ()
    paper_needs: Option | None = None
    differs: str | None = None
    sources: tuple[Path, ...] = ()
    statement: str | None = None
    finding: Callable[[Arrays], list[str]] | None = None

    def taken(self, given: dict[str, Any]) -> dict[str, Any]:
        """Those of the options given that this figure takes."""
        return {name: value for name, value in given.items() if name in self.options}
