"""Tasks in processes of their own: SymPy and Arb hold the interpreter's lock, and a crash costs one task alone.

Processes are started afresh, so that nothing is shared but what the tasks themselves keep in files. A process that
dies takes only the task it was at with it, and is replaced.
"""

import contextlib
import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, cast

Task = Any  # what is sent to a process: picklable
Serve = Callable[[Any], Callable[[Task], Any]]  # a process's set-up: what it was started with, to how it does a task


class Died(NamedTuple):
    """In the place of an answer: the process ended before it gave one."""

    exit_code: int | None


class _Worker(NamedTuple):
    process: BaseProcess
    connection: Connection
    favourites: bool


def in_processes(
    serve: Serve, start: Any, tasks: Sequence[Task], favourites: Sequence[Task], processes: int
) -> Iterator[tuple[Task, Any]]:
    """Every task with its answer, or `Died`, in the order in which they are done.

    Args:
        serve: a function of a module, so that a process can import it.
        start: what `serve` is called with in each process.
        tasks: for all processes.
        favourites: for the first process before it helps with the others, as long as there are any: tasks that share
            work done once per process. The other processes take them last.
        processes: how many at most.
    """
    ours, theirs = deque(favourites), deque(tasks)
    context = multiprocessing.get_context("spawn")
    workers: dict[Connection, tuple[_Worker, Task]] = {}

    def send(worker: _Worker) -> None:
        first, second = (ours, theirs) if worker.favourites else (theirs, ours)
        queue = first or second
        if not queue:
            _stop(worker)
            return
        task = queue.popleft()
        workers[worker.connection] = (worker, task)
        with contextlib.suppress(OSError):  # it has died: its end of file is met below
            worker.connection.send(task)

    def hire(takes_favourites: bool) -> None:
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(there, serve, start), daemon=True)
        with _uninterrupted():
            process.start()
        there.close()
        send(_Worker(process, here, takes_favourites))

    try:
        for number in range(min(processes, len(ours) + len(theirs))):
            hire(number == 0)
        while workers:
            for ready in wait(list(workers)):
                worker, task = workers.pop(cast(Connection, ready))
                try:
                    answer = worker.connection.recv()
                except (EOFError, OSError):
                    worker.process.join()
                    yield task, Died(worker.process.exitcode)
                    if ours or theirs:
                        hire(worker.favourites)
                    continue
                send(worker)  # before the answer is dealt with: it has nothing to wait for
                yield task, answer
    finally:
        for worker, _ in workers.values():
            worker.process.terminate()
        for worker, _ in workers.values():
            worker.process.join()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A process started in here ignores Ctrl-C from its first instruction: its parent decides what that means."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(worker: _Worker) -> None:
    with contextlib.suppress(OSError):
        worker.connection.send(None)
    worker.connection.close()
    worker.process.join()


def _work(connection: Connection, serve: Serve, start: Any) -> None:
    carry_out = serve(start)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        if task is None:
            return
        connection.send(carry_out(task))
