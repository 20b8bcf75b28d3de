"""The paper's fits in the setting of its public code, for an accelerator: `python -m studies.paper_runs`.

Parts: Adam's steps of `architectures` for each loss, Ackley's function until its tolerances, then L-BFGS's steps.
All kinds of networks, targets and seeds of a loss are one program in float32. It stops when its minutes are over; the
same command goes on from what is in the folder. The tables are written anew after every part that has advanced.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from figures.problems import fixed_step_lbfgs as lbfgs
from figures.problems import published_ackley
from figures.problems import published_fits as published
from figures.problems.published_fits import ORDERS
from sobolev_theory.runs import command_lines
from sobolev_theory.runs.atomic_files import replacing

from . import paper_table
from .paper_table import ACKLEY_GROUPS, TOLERANCES

ACKLEY_SHARE = 0.3  # of the minutes, at most


@dataclass
class Part:
    """What advances by calls of one program, and its records."""

    name: str
    steps: int  # in all
    per_call: int
    program: Callable[[Any], tuple[Any, Any]]  # state -> state after per_call steps, record
    state: Any
    enough: Callable[[Any], bool] = lambda record: False
    records: list = field(default_factory=list)
    seconds: list[float] = field(default_factory=lambda: [0.0])
    compiled: Any = None
    compile_seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def done(self) -> int:
        return self.per_call * (len(self.seconds) - 1)

    @property
    def finished(self) -> bool:
        return self.done >= self.steps or (len(self.records) > 0 and self.enough(self.records[-1]))

    def advance(self) -> None:
        if self.compiled is None:
            clock = time.perf_counter()
            self.compiled = jax.jit(self.program, donate_argnums=0).lower(self.state).compile()
            self.compile_seconds = time.perf_counter() - clock
            analysis = self.compiled.memory_analysis()
            self.megabytes = (analysis.temp_size_in_bytes + analysis.argument_size_in_bytes) / 1e6
        clock = time.perf_counter()
        self.state, record = jax.block_until_ready(self.compiled(self.state))
        self.seconds.append(self.seconds[-1] + time.perf_counter() - clock)
        self.records.append(np.asarray(record))

    def save(self, folder: Path, whole: bool) -> None:
        """The records, and the state to go on from if that is asked for."""
        arrays: dict[str, Any] = {"records": np.stack(self.records), "seconds": np.array(self.seconds)}
        arrays |= {name: getattr(self, name) for name in ("per_call", "megabytes", "compile_seconds")}
        if whole:
            arrays |= {f"state{number}": np.asarray(leaf) for number, leaf in enumerate(jax.tree.leaves(self.state))}
        with replacing(folder / f"{self.name}.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)

    def restore(self, folder: Path) -> bool:
        """Whether the folder had a state that fits."""
        path = folder / f"{self.name}.npz"
        if not path.exists():
            return False
        with np.load(path) as kept:
            leaves, structure = jax.tree.flatten(self.state)
            names = [f"state{number}" for number in range(len(leaves))]
            if int(kept["per_call"]) != self.per_call or not set(names) <= set(kept.files):
                return False
            if any(kept[name].shape != leaf.shape for name, leaf in zip(names, leaves, strict=True)):
                return False
            self.state = jax.tree.unflatten(structure, [jnp.asarray(kept[name]) for name in names])
            self.records, self.seconds = list(kept["records"]), kept["seconds"].tolist()
            self.megabytes = float(kept["megabytes"])
        return True


def adam_part(loss: str, request: argparse.Namespace) -> Part:
    lanes, network = published.lanes(request.seeds, request.width)
    fits = published.fits(loss, network, request.points)
    gradients = jax.vmap(jax.grad(fits.objective))
    measured = jax.vmap(fits.measure)
    rule = optax.adam(published.ADAM_RATE)

    def program(state):
        def step(state, _):
            x, memory = state
            update, memory = rule.update(gradients(x, lanes.kind, lanes.target), memory)
            return (x + update, memory), None

        state, _ = jax.lax.scan(step, state, length=request.every)
        return state, measured(state[0], lanes.kind, lanes.target)

    part = Part(f"adam-{loss}", request.adam, request.every, program, (lanes.x, rule.init(lanes.x)))
    part.records.append(np.asarray(jax.jit(measured)(lanes.x, lanes.kind, lanes.target)))
    return part


def lbfgs_part(loss: str, x: jax.Array, request: argparse.Namespace) -> Part:
    """From where Adam ended."""
    lanes, network = published.lanes(request.seeds, request.width)
    fits = published.fits(loss, network, request.points)
    function = jax.vmap(jax.value_and_grad(fits.objective))

    def program(state):
        def of_lane(x, memory, kind, target):
            both = jax.value_and_grad(fits.objective)
            return lbfgs.step(x, memory, lambda x: both(x, kind, target))

        def step(_, state):
            x, memory = state
            return jax.vmap(of_lane)(x, memory, lanes.kind, lanes.target)

        state = jax.lax.fori_loop(0, request.lbfgs_every, step, state)
        return state, jax.vmap(fits.measure)(state[0], lanes.kind, lanes.target)

    value, gradient = jax.jit(function)(x, lanes.kind, lanes.target)
    memory = jax.vmap(lambda x, value, gradient: lbfgs.start(x, value, gradient, request.history))(x, value, gradient)
    part = Part(f"lbfgs-{loss}", request.lbfgs, request.lbfgs_every, program, (x, memory))
    part.records.append(np.asarray(jax.jit(jax.vmap(fits.measure))(x, lanes.kind, lanes.target)))
    return part


def ackley_part(name: str, request: argparse.Namespace) -> Part:
    """A record is, of each run and seed, the mean square of the values now, then the step at which each tolerance was
    reached, -1 where it was not."""
    runs, seeds = ACKLEY_GROUPS[name], request.ackley_seeds
    fits = published_ackley.fits(runs, seeds, request.side, request.width)
    run = jnp.repeat(jnp.arange(len(runs)), seeds)
    start = jnp.tile(fits.starts, (len(runs), 1))
    gradients = jax.vmap(jax.grad(fits.objective, has_aux=True))
    rule, tolerances = optax.adam(published_ackley.RATE), jnp.asarray(TOLERANCES, jnp.float32)

    def program(state):
        def step(state, _):
            x, memory, number, reached, _ = state
            gradient, square = gradients(x, run)
            now = (square[:, None] <= tolerances) & (reached < 0)
            update, memory = rule.update(gradient, memory)
            return (x + update, memory, number + 1, jnp.where(now, number, reached), square), None

        state, _ = jax.lax.scan(step, state, length=request.every)
        return state, jnp.concatenate([state[4][:, None], state[3].astype(jnp.float32)], axis=1)

    never = jnp.full((len(run), len(TOLERANCES)), -1, jnp.int32)
    nothing = jnp.zeros(len(run), jnp.float32)
    state = (start, rule.init(start), jnp.zeros((), jnp.int32), never, nothing)
    wanted = 1 + sum(tolerance >= request.to for tolerance in TOLERANCES)
    part = Part(name, request.ackley, request.every, program, state, lambda r: bool(np.all(r[:, 1:wanted] >= 0)))
    part.records.append(np.full((len(run), 1 + len(TOLERANCES)), -1.0, np.float32))
    return part


def rounds(parts: Sequence[Part], until: float, saved: Callable[[Part], None]) -> None:
    """Each in turn until all are finished or the time is over; what has advanced is saved."""
    clock, advanced = time.perf_counter(), set()
    while time.perf_counter() < until:
        going = [part for part in parts if not part.finished]
        if not going:
            break
        for part in going:
            if time.perf_counter() < until:
                part.advance()
                advanced.add(part.name)
        if time.perf_counter() - clock > 20:
            print(", ".join(f"{part.name}: {part.done}" for part in parts), flush=True)
            clock = time.perf_counter()
    for part in parts:
        if part.name in advanced:
            saved(part)


def main(arguments: Sequence[str] | None = None) -> int:
    began = time.perf_counter()
    request = _parser().parse_args(arguments)
    jax.config.update("jax_default_matmul_precision", "highest")  # float32 is float32, as in the public code
    request.output.mkdir(parents=True, exist_ok=True)
    request.states.mkdir(parents=True, exist_ok=True)
    end = began + 60 * request.minutes
    every: dict[str, Part] = {}

    def saved(part: Part) -> None:
        every[part.name] = part
        part.save(request.output, whole=False)
        paper_table.write(every, request.output)
        facts = {"device": jax.devices()[0].device_kind, "jax": jax.__version__, "seeds": request.seeds}
        for name, one in every.items():
            facts[name] = {
                "steps": one.done,
                "seconds_of_a_step": one.seconds[-1] / max(one.done, 1),
                "compile_seconds": one.compile_seconds,
                "megabytes": one.megabytes,
            }
        with replacing(request.output / "facts.json") as temporary:
            temporary.write_text(json.dumps(facts, indent=1) + "\n")
        part.save(request.states, whole=True)  # last: histories of L-BFGS take a gigabyte
        print(f"{part.name}: {part.done} of {part.steps} steps", flush=True)

    def known(part: Part) -> Part:
        if part.restore(request.states):
            every[part.name] = part
        return part

    adam = {}
    for loss in ORDERS:  # one after another: each is short
        adam[loss] = known(adam_part(loss, request))
        rounds([adam[loss]], end, saved)
    if request.ackley:
        until = min(end, time.perf_counter() + ACKLEY_SHARE * 60 * request.minutes)
        rounds([known(ackley_part(name, request)) for name in ACKLEY_GROUPS], until, saved)
    if all(part.finished for part in adam.values()) and time.perf_counter() < end:
        margin = request.margin if request.lbfgs else 0.0
        parts = [known(lbfgs_part(loss, adam[loss].state[0], request)) for loss in ORDERS]
        rounds(parts, end - margin, saved)
    print(f"studies.paper_runs: {request.output} after {time.perf_counter() - began:.0f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.paper_runs", description="The paper's fits, resumable.")
    folder = Path("output/paper_runs")
    parser.add_argument("--minutes", type=float, default=6.0, help="in all, with compilation (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=folder, metavar="FOLDER", help="for tables and records")
    parser.add_argument("--states", type=Path, default=folder / "states", metavar="FOLDER", help="to go on from")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--adam", type=int, default=published.ADAM_STEPS, help="steps (default: %(default)s)")
    parser.add_argument("--lbfgs", type=int, default=published.LBFGS_STEPS, help="steps (default: %(default)s)")
    parser.add_argument("--ackley", type=int, default=published_ackley.STEPS, help="steps at most; 0 for none")
    parser.add_argument("--ackley-seeds", type=int, default=3)
    parser.add_argument("--to", type=float, default=1e-4, help="mean square at which Ackley's runs have enough")
    for name, value in (("width", 64), ("points", 1000), ("side", 100), ("history", 100), ("every", 500)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--lbfgs-every", type=int, default=10, help="steps of L-BFGS to a record")
    parser.add_argument("--margin", type=float, default=15.0, help="seconds to save states in")
    return parser


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m studies.paper_runs"))
