"""Train one network per seed, all in one program: stages of optax optimisers, records, a checkpoint to resume from.

Every stretch from one record to the next is one compiled loop; the length of a stretch is an argument of it, so that
each stage compiles once.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree, UInt32

from ..runs import checkpoints
from ..runs.atomic_files import file_of

try:
    import optax
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"fit needs {error.name}, which is not installed: pip install 'sobolev-theory[descent]'", name=error.name
    ) from error

from .compiled_runs import Measure, Objective, Problem, Programs

Track = Callable[[Iterable], Iterable]

CHECKPOINTS = checkpoints.Kind("training", "fit", "networks, objective, measures, keys, stages")


@dataclass(frozen=True)
class Stage:
    """So many steps of an optimiser of optax, from a fresh state of it.

    Line searches (optax.lbfgs) get the objective with the key of their step, so that they see one function.

    Raises:
        TypeError: an optimiser that is no transformation of optax.
        ValueError: a number of steps that is not whole and positive.

    Example:
        >>> import optax, sobolev_theory as st
        >>> stages = st.training.Stage(optax.adam(1e-3), 1000), st.training.Stage(optax.lbfgs(), 100)
    """

    optimiser: optax.GradientTransformation
    steps: int

    def __post_init__(self):
        if not isinstance(self.optimiser, optax.GradientTransformation):
            raise TypeError(f"optimiser: got {self.optimiser!r}; needs a transformation such as optax.adam(1e-3)")
        _check_count("steps", self.steps)


class Fit(eqx.Module):
    """Trained networks of S seeds, and what was recorded at T numbers of steps.

    Attributes:
        networks: as they were given, after the last step.
        step: [T], from 0: every multiple of `every`, and the end of each stage.
        loss: [S T], the objective with the key of that step; infinite where it overflowed.
        measures: name -> [S T ...].
        seconds: [T], spent in steps so far by all seeds together, without compilation and measuring.
    """

    networks: PyTree
    step: Int[np.ndarray, " T"]
    loss: Float[np.ndarray, "S T"]
    measures: dict[str, np.ndarray]
    seconds: Float[np.ndarray, " T"]


def fit(
    networks: PyTree,
    objective: Objective,
    *,
    keys: jax.Array,
    stages: Sequence[Stage],
    measure: Measure | None = None,
    every: int = 100,
    seeds_at_once: int | None = None,
    checkpoint: str | Path | None = None,
    track: Track = iter,
) -> Fit:
    """Minimise objective(network, key) over the floating-point arrays of a network, for every seed.

    Args:
        networks: an equinox module or any pytree whose arrays carry a leading axis of seeds S, as
            eqx.filter_vmap(make)(jax.random.split(key, S)) gives it. Arrays that are not to be trained go through
            jax.lax.stop_gradient in the network.
        objective: (network of one seed, key) -> scalar. The key is the seed's, folded with the number of steps taken:
            draw mini-batches with it, or leave it.
        keys: [S], keys of jax.random, of either style. The run works on copies of them, which do not count as uses
            for jax_debug_key_reuse.
        stages: one after another, for instance Adam, then L-BFGS.
        measure: network of one seed -> dict of arrays, recorded beside the loss; under jit and vmap.
        every: steps from one record to the next.
        seeds_at_once: how many are vmapped; None for all. Fewer need as much less memory, which large networks do
            not pay for with time.
        checkpoint: a file, written anew at each record. If it is there, the run goes on from it, and its result is
            that of an uninterrupted one bit for bit, `seconds` apart.
        track: what the iterable of stretches goes through, such as rich.progress.track.

    Returns:
        The networks of all seeds after the last step, and the records.

    Raises:
        ModuleNotFoundError: optax is not installed (the extra `descent`).
        TypeError: networks with complex arrays.
        ValueError: arrays without the axis of seeds, no stages, an objective that is not a real scalar; a checkpoint
            of another problem, or one that is truncated or corrupted.

    Example:
        >>> import jax, optax, sobolev_theory as st
        >>> keys = jax.random.split(jax.random.key(0), 2)
        >>> starts = {"a": jax.numpy.array([1.0, 2.0])}
        >>> stages = [st.training.Stage(optax.sgd(0.5), 2)]
        >>> def objective(network, key):
        ...     return (network["a"] - 3) ** 2
        >>> run = st.training.fit(starts, objective, keys=keys, stages=stages, every=1)
        >>> run.step.tolist(), run.loss.tolist(), run.networks["a"].tolist()
        ([0, 1, 2], [[4.0, 0.0, 0.0], [1.0, 0.0, 0.0]], [3.0, 3.0])
    """
    problem = _problem(networks, objective, keys, stages, measure, every)
    if seeds_at_once is not None:
        _check_count("seeds_at_once", seeds_at_once)
    programs = Programs(problem, [stage.optimiser for stage in stages], seeds_at_once)
    stretches = _stretches(stages, every)
    path, kept, fingerprint = None, None, ""
    if checkpoint is not None:
        path, fingerprint = file_of("checkpoint", checkpoint), _fingerprint(programs, stages, every)
        kept = checkpoints.read(path, CHECKPOINTS, fingerprint)
    if kept is None:
        run = _Run(0, problem.trained, None, [_record(programs, problem.trained, 0, 0.0)])
    else:
        run = _restored(kept, programs, problem, stretches)
    for stretch in track(stretches[run.done :]):
        run = _advanced(run, programs, stretch)
        if path is not None:
            checkpoints.write(path, CHECKPOINTS, fingerprint, _arrays(run))
    return _result(run, problem)


def _problem(networks, objective, keys, stages, measure, every) -> Problem:
    _check_count("every", every)
    if not isinstance(stages, Sequence) or not stages or not all(isinstance(stage, Stage) for stage in stages):
        raise ValueError(f"stages: got {stages!r}; needs at least one Stage")
    keys, kind_of_keys = _data_of(keys)
    arrays, static = eqx.partition(networks, eqx.is_array)
    trained, fixed = eqx.partition(jax.tree.map(jnp.asarray, arrays), eqx.is_inexact_array)
    if not jax.tree.leaves(trained):
        raise ValueError("networks: got no floating-point arrays; needs parameters to train")
    for where, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        at = jax.tree_util.keystr(where)
        if jnp.iscomplexobj(leaf):
            raise TypeError(f"networks: got complex numbers at {at}; needs real and imaginary part as arrays apart")
        if leaf.shape[:1] != keys.shape[:1]:
            raise ValueError(
                f"networks: got shape {leaf.shape} at {at}; "
                f"needs a leading axis of {len(keys)} seeds, as many as keys"
            )
    problem = Problem(trained, fixed, static, keys, kind_of_keys, objective, measure)
    found = jax.eval_shape(problem.loss, *problem.of_first_seed, 0)
    if getattr(found, "shape", None) != () or not jnp.issubdtype(found.dtype, jnp.floating):
        raise ValueError(f"objective: got {found}; needs to return a real scalar")
    return problem


def _data_of(keys) -> tuple[UInt32[Array, "S words"], Any]:
    """The data of one key per seed, and what makes it keys again."""
    got = keys
    if isinstance(keys, jax.Array | np.ndarray):
        if jnp.issubdtype(keys.dtype, jax.dtypes.prng_key) and keys.ndim == 1:
            return jax.random.key_data(keys), jax.random.key_impl(keys)
        if keys.dtype == jnp.uint32 and keys.ndim == 2:  # of jax.random.PRNGKey
            return jnp.asarray(keys), None
        got = f"shape {keys.shape} of {keys.dtype}"
    raise ValueError(f"keys: got {got}; needs one key per seed, such as jax.random.split(key, S)")


class _Stretch(NamedTuple):
    """The steps of a stage from one record to the next."""

    stage: int
    first: int
    last: int
    begins_stage: bool


def _stretches(stages: Sequence[Stage], every: int) -> list[_Stretch]:
    stretches, begin = [], 0
    for number, stage in enumerate(stages):
        end = begin + stage.steps
        marks = [begin, *range((begin // every + 1) * every, end, every), end]
        stretches += [_Stretch(number, first, last, first == begin) for first, last in pairwise(marks)]
        begin = end
    return stretches


class _Record(NamedTuple):
    step: np.ndarray
    seconds: np.ndarray
    loss: np.ndarray  # [S]
    measures: dict[str, np.ndarray]  # of [S ...]


class _Run(NamedTuple):
    """A run after so many stretches."""

    done: int
    trained: PyTree
    memory: PyTree  # the optimiser's; None before the first stretch
    records: list[_Record]


def _record(programs: Programs, trained, step: int, seconds: float) -> _Record:
    loss, measures = jax.tree.map(np.asarray, programs.measured()(trained, jnp.asarray(step)))
    return _Record(np.asarray(step), np.asarray(seconds), np.where(np.isfinite(loss), loss, np.inf), measures)


def _advanced(run: _Run, programs: Programs, stretch: _Stretch) -> _Run:
    memory = programs.start(stretch.stage)(run.trained) if stretch.begins_stage else run.memory
    steps = programs.steps(stretch.stage)
    first, last = jnp.asarray(stretch.first), jnp.asarray(stretch.last)
    clock = time.perf_counter()
    trained, memory = jax.block_until_ready(steps(run.trained, memory, first, last))
    seconds = float(run.records[-1].seconds) + time.perf_counter() - clock
    return _Run(run.done + 1, trained, memory, [*run.records, _record(programs, trained, stretch.last, seconds)])


def _result(run: _Run, problem: Problem) -> Fit:
    records = jax.tree.map(lambda *entries: np.stack(entries), *run.records)
    loss, measures = jax.tree.map(lambda x: np.moveaxis(x, 0, 1), (records.loss, records.measures))
    return Fit(problem.network(run.trained, problem.fixed), records.step, loss, measures, records.seconds)


def _fingerprint(programs: Programs, stages: Sequence[Stage], every: int) -> str:
    digest = hashlib.sha256(repr([every, *(stage.steps for stage in stages)]).encode())
    programs.add_to(digest)
    return digest.hexdigest()


def _arrays(run: _Run) -> dict[str, np.ndarray]:
    """As a checkpoint keeps them: leaves by number, since the problem knows their structure."""
    leaves = jax.tree.leaves(((run.trained, run.memory), jax.tree.map(lambda *xs: np.stack(xs), *run.records)))
    return {"done": np.asarray(run.done), **{str(number): np.asarray(leaf) for number, leaf in enumerate(leaves)}}


def _restored(kept: dict[str, np.ndarray], programs: Programs, problem: Problem, stretches: list[_Stretch]) -> _Run:
    done = int(kept.pop("done"))
    leaves = [kept[str(number)] for number in range(len(kept))]
    state = problem.trained, programs.memory(stretches[done - 1].stage)
    count = len(jax.tree.leaves(state))
    trained, memory = jax.tree.unflatten(jax.tree.structure(state), map(jnp.asarray, leaves[:count]))
    structure = jax.tree.structure(_record(programs, problem.trained, 0, 0.0))
    entries = zip(*leaves[count:], strict=True)
    return _Run(done, trained, memory, [jax.tree.unflatten(structure, map(np.asarray, entry)) for entry in entries])


def _check_count(name: str, number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{name}: got {number}; needs a whole number of at least 1")
