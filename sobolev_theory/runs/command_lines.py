"""What every command owes its streams: absent, closed early by their reader, full, or of few characters."""

import contextlib
import os
import select
import sys
from collections.abc import Callable

READER_LEFT = 141  # the status of a program that a broken pipe has ended


def run(main: Callable[[], int], name: str) -> int | str | None:
    """The exit status of `main`, which prints what the command of this name has to say.

    A stream that is not there is replaced by one that takes everything; characters that a stream does not have are
    escaped. A reader who has seen enough, as head, ends the command without a word, and a device that cannot take
    what is printed with one line.
    """
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, "w"))  # noqa: SIM115 - it is there to the end
        getattr(sys, stream).reconfigure(errors="backslashreplace")
    try:
        return _status(main, name)
    finally:
        try:
            sys.stderr.flush()
        except OSError:  # what it could not take is not tried again when Python ends, which has a status of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _status(main: Callable[[], int], name: str) -> int | str | None:
    try:
        try:
            status: int | str | None = main()
        except SystemExit as stop:  # argparse's, after it has printed its help
            status = stop.code
        sys.stdout.flush()
    except OSError as error:
        left = isinstance(error, BrokenPipeError) and _reader_left()
        if not left:
            complain(f"{name}: error: {error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed when Python ends
        return READER_LEFT if left else 1
    return status


def complain(message: str) -> None:
    """A line on standard error, if there is one to take it."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            print(message, file=sys.stderr)


def _reader_left() -> bool:
    """Whether standard output is a pipe that nobody reads; pipes to other processes may break too."""
    poll = select.poll()
    poll.register(sys.stdout, 0)  # errors are told unasked
    return any(event & select.POLLERR for _, event in poll.poll(0))
