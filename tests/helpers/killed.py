"""Estimates and sweeps that are killed and started again; prints what became of them as JSON.

    python -m tests.helpers.killed FOLDER kills NUMBER     one process, killed so often at random moments
    python -m tests.helpers.killed FOLDER pair             one process of two, then the other; and refusals in both
    python -m tests.helpers.killed FOLDER sweep NUMBER     a sweep, so often; and by two processes

Every life is a fork of this process, which has imported JAX and started no device: it begins in milliseconds.
"""

import json
import os
import random
import select
import signal
import socket
import sys
import time
import traceback
from functools import partial
from pathlib import Path

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

import sobolev_theory as st
import tests.conftest  # noqa: F401 - 64 bit, and the cache of compiled programs
from sobolev_theory.montecarlo import stream_checkpoints
from sobolev_theory.runs.sweeps import parts as writing

BATCHES = 240
OPTIONS = {"samples": BATCHES * 2**7, "batch": 2**7, "group": 2**4, "covariance": True, "progress": False}


def estimate(mesh=None, key=1, **checkpoint) -> list[str]:
    rows = np.random.default_rng(3).normal(size=(2, 3))
    student, teacher = st.Network(rows[:1], [0.7]), st.Network(rows[1:])
    found = st.montecarlo.population_gradient(
        student, teacher, key=jax.random.key(key), mesh=mesh, **OPTIONS, **checkpoint
    )
    return [x.hex() for x in np.asarray(ravel_pytree((found[:3], float(found.samples)))[0]).tolist()]


class Life:
    """A process that runs the estimate, and what it says: the batch that it began with, a dot for every batch."""

    def __init__(self, run):
        self._reader, writer = os.pipe()
        self._said = ""
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                result = json.dumps(run(lambda text: os.write(writer, text.encode())))
                code = 0
            except BaseException:
                result = traceback.format_exc()
            os.write(writer, ("\n" + result).encode())
            os._exit(code)
        os.close(writer)

    def hear(self, seconds: float, until: str | None = None) -> None:
        """Listen so long, or until it has said that, or is silent for ever."""
        end = time.monotonic() + seconds
        while until is None or until not in self._said:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._reader], [], [], left)[0]:
                return
            more = os.read(self._reader, 2**16).decode()
            if not more:
                return
            self._said += more

    def end(self, kill: bool) -> dict:
        if kill:
            os.kill(self.pid, signal.SIGKILL)
        self.hear(100)
        _, status, usage = os.wait4(self.pid, 0)
        os.close(self._reader)
        progress, _, result = self._said.partition("\n")
        began, _, batches = progress.rpartition(":")
        return {
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
            "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1,
            "began": int(began) if began.isdigit() else None,
            "batches": len(batches),
            "result": result,
            "seconds": usage.ru_utime + usage.ru_stime,
        }


def checkpointed(path: Path, mesh=None, stop: int | None = None):
    def run(say):
        begin = stream_checkpoints.begin

        def saying(*arguments):
            state, take = begin(*arguments)
            say(f"{state.batches}:")

            def dotted(state):
                take(state)
                say(".")
                if state.batches == stop:
                    raise KeyboardInterrupt

            return state, dotted

        stream_checkpoints.begin = saying
        return estimate(mesh, checkpoint=path, checkpoint_every=0)

    return run


def kills(folder: Path, number: int) -> dict:
    """Of two lives one is killed while it starts or soon after, the other while it draws, merges and writes."""
    whole = Life(lambda say: estimate()).end(kill=False)
    clock = time.monotonic()
    Life(lambda say: estimate()).end(kill=False)
    once = time.monotonic() - clock
    moments = random.Random(7)
    lives: list[dict] = []
    while sum(life["signal"] == signal.SIGKILL for life in lives) < number:
        life = Life(checkpointed(folder / "state"))
        if len(lives) % 2:
            life.hear(100, until=".")
            life.hear(moments.uniform(0, 0.05))
        else:
            life.hear(moments.uniform(0, once))
        lives.append(life.end(kill=True))
        if lives[-1]["code"] == 0:
            (folder / "state").unlink()  # it was quicker: another run
    report = {"lives": lives, "whole": [whole]}
    for name in ("last", "again"):
        report[name] = [Life(checkpointed(folder / "state")).end(kill=False)]
    return report


def together(run) -> list[Life]:
    """Two processes of jax.distributed; run(process, say, mesh of both)."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]

    def begin(number):
        def process(say):
            os.dup2(2, 1)  # gloo prints to stdout, which is the report's
            jax.config.update("jax_cpu_collectives_implementation", "gloo")
            jax.distributed.initialize(f"localhost:{port}", 2, number, heartbeat_timeout_seconds=10)
            result = run(number, say, jax.make_mesh((jax.device_count(),), ("samples",)))
            jax.distributed.shutdown()  # together: whom the coordinator leaves alone is ended with an error
            return result

        return Life(process)

    return [begin(number) for number in range(2)]


def pair(folder: Path) -> dict:
    state, odd, report = folder / "state", folder / "odd", {}

    def go_on(path=state):
        return together(lambda number, say, mesh: checkpointed(path, mesh)(say))

    for victim in (1, 0):
        lives = go_on()
        lives[victim].hear(100, until="....")
        ends = {victim: lives[victim].end(kill=True)}
        ends[1 - victim] = lives[1 - victim].end(kill=False)
        report[f"killed {victim}"] = [ends[0], ends[1]]
    Life(checkpointed(odd, stop=3)).end(kill=False)
    report["odd"] = [life.end(kill=False) for life in go_on(odd)]
    report["last"] = [life.end(kill=False) for life in go_on()]
    different = together(lambda number, say, mesh: estimate(mesh, key=number, checkpoint=state))
    report["different"] = [life.end(kill=False) for life in different]
    state.write_bytes(state.read_bytes()[:-1])
    report["truncated"] = [life.end(kill=False) for life in go_on()]
    state.unlink()
    report["whole"] = [life.end(kill=False) for life in go_on()]
    return report


def swept(path: Path, say, mesh=None) -> list[str]:
    def function(theta, rho):
        return jax.numpy.stack([rho * jax.numpy.sin(theta), jax.numpy.exp(-theta * rho)])

    take = writing.Writer.take

    def saying(self, *arguments):
        take(self, *arguments)
        say(".")

    writing.Writer.take = saying
    axes = {"rho": np.linspace(0.5, 2.0, 40), "theta": np.linspace(0.1, 3.0, 25)}
    found = st.sweep(function, axes, path, chunk=20, mesh=mesh, checkpoint_every=0, progress=False)
    return [x.hex() for x in found.columns("value")["value"].ravel().tolist()]


def sweep(folder: Path, number: int) -> dict:
    moments, lives = random.Random(7), []
    whole = Life(partial(swept, folder / "whole")).end(kill=False)
    while sum(life["signal"] == signal.SIGKILL for life in lives) < number:
        life = Life(partial(swept, folder / "killed"))
        life.hear(100, until=".")
        life.hear(moments.uniform(0, 0.1))
        lives.append(life.end(kill=True))
        if lives[-1]["code"] == 0:
            (folder / "killed").unlink()
    last = Life(partial(swept, folder / "killed")).end(kill=False)
    both = together(lambda number, say, mesh: swept(folder / "both", say, mesh))
    return {"whole": [whole], "lives": lives, "last": [last], "both": [life.end(kill=False) for life in both]}


if __name__ == "__main__":
    folder, what, *rest = sys.argv[1:]
    print(json.dumps({"kills": kills, "pair": pair, "sweep": sweep}[what](Path(folder), *map(int, rest))))
