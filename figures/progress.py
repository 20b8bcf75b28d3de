"""Progress bars for a person at a terminal; nothing in a pipe or in continuous integration."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager

Track = Callable[[Iterable], Iterable]


@contextmanager
def bars(name: str) -> Iterator[Track]:
    """A `track` for the data of a figure: a bar for each iterable that goes through it, inner below outer ones."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield iter
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:

        def track(items: Iterable) -> Iterator:
            task = progress.add_task(name, total=len(items) if isinstance(items, Sized) else None)
            try:
                for item in items:
                    yield item
                    progress.advance(task)
            finally:
                progress.remove_task(task)

        yield track
