"""Progress bars for a person at a terminal; nothing in a pipe, in continuous integration, or without a stream."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager

Track = Callable[[Iterable], Iterable]
Report = Callable[..., None]  # (done, note=""): how much is done in all, and words of the moment
Bar = Callable[..., AbstractContextManager[Report]]  # (what, total=None, done=0)


def on_a_terminal() -> bool:
    """Whether standard error is a terminal, and CI is not set."""
    return _is_open() and sys.stderr.isatty() and not os.environ.get("CI")


@contextlib.contextmanager
def bars(shown: bool | None = None) -> Iterator[Bar]:
    """What makes bars on standard error, one inside another below it: bar(what, total=None, done=0).

    Each is a context in which report(done, note="") moves it. They vanish when they end.

    Args:
        shown: whether there are any; None for those who are at a terminal. Without a stream there are none.

    Example:
        >>> with bars() as bar, bar("samples", total=20) as report:
        ...     report(10, "error 1e-3")
    """
    if not (on_a_terminal() if shown is None else shown and _is_open()):
        yield lambda what, total=None, done=0: contextlib.nullcontext(lambda done, note="": None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    words, notes = TextColumn("{task.description}"), TextColumn("{task.fields[note]}")
    columns = words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), notes
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        @contextlib.contextmanager
        def bar(what: str, total: int | None = None, done: int = 0) -> Iterator[Report]:
            task = progress.add_task(what, total=total, completed=done, note="")
            try:
                yield lambda done, note="": progress.update(task, completed=done, note=note)
            finally:
                progress.remove_task(task)

        yield bar


@contextlib.contextmanager
def tracks(what: str, shown: bool | None = None) -> Iterator[Track]:
    """A `track` for `training.fit` and the like: a bar for every iterable that goes through it.

    Example:
        >>> with tracks("numbers") as track:
        ...     sum(track([1, 2, 3]))
        6
    """
    with bars(shown) as bar:

        def track(items: Iterable) -> Iterator:
            with bar(what, len(items) if isinstance(items, Sized) else None) as report:
                for count, item in enumerate(items, start=1):
                    yield item
                    report(count)

        yield track


def _is_open() -> bool:
    """A program may be started without standard error, where it is None, or close it."""
    return sys.stderr is not None and not sys.stderr.closed
