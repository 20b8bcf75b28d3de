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
    return _is_terminal() and not os.environ.get("CI")


@contextlib.contextmanager
def bars(shown: bool | None = None) -> Iterator[Bar]:
    """What makes bars on standard error, inner ones below outer ones: bar(what, total=None, done=0).

    Each is a context in which report(done, note="") moves it. On a terminal they vanish in the end.

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
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    counts, notes = TextColumn("{task.fields[count]}"), TextColumn("{task.fields[note]}")
    columns = counts, BarColumn(), TimeRemainingColumn(), notes
    with Progress(*columns, console=Console(stderr=True), transient=_is_terminal()) as progress:

        @contextlib.contextmanager
        def bar(what: str, total: int | None = None, done: int = 0) -> Iterator[Report]:
            def count(done: int) -> str:
                return f"{done:,} {what}" if total is None else f"{done:,} of {total:,} {what}"

            def report(done: int, note: str = "") -> None:
                progress.update(task, completed=done, count=count(done), note=note)

            task = progress.add_task("", total=total, completed=done, count=count(done), note="")
            yield report
            if len(progress.tasks) > 1:  # the outermost is seen to its end
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
                for done, item in enumerate(items, start=1):
                    yield item
                    report(done)

        yield track


def _is_open() -> bool:
    """A program may be started without standard error, which is None then, close it, or put something there."""
    return hasattr(sys.stderr, "flush") and not getattr(sys.stderr, "closed", False)


def _is_terminal() -> bool:
    return _is_open() and getattr(sys.stderr, "isatty", lambda: False)()  # what stands in for it may lack that
