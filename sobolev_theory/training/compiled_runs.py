"""The compiled functions of a training run: steps of a stage, its optimiser's start, and what is measured.

All run over seeds, all or some of them at once, take the number of steps as an argument so that each compiles once,
and get the arrays that the objective closes over handed in, so that data is not compiled into them.
"""

from collections.abc import Callable, Hashable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PyTree, UInt32

from ..runs.checkpoints import add_arrays

Objective = Callable[[Any, jax.Array], Float[Array, ""]]
Measure = Callable[[Any], dict[str, Array]]


class Problem(NamedTuple):
    """Networks of S seeds, apart as what is trained and what is not, and what is computed of each."""

    trained: PyTree  # floating-point arrays, leading axis S
    fixed: PyTree  # other arrays, leading axis S
    static: Any
    keys: UInt32[Array, "S words"]  # their data: keys are made where they are used, so that none is used twice
    kind_of_keys: Any  # None for keys that are given as their data
    objective: Objective
    measure: Measure | None

    def network(self, trained, fixed):
        return eqx.combine(trained, fixed, self.static)

    def loss(self, trained, fixed, key: UInt32[Array, " words"], step: int | Int[Array, ""]):
        """The objective with the key of a step."""
        return self.objective(self.network(trained, fixed), jax.random.fold_in(self._key(key), step))

    def leaves_its_key(self) -> bool:
        """Whether the objective is one function at all steps."""
        trained, fixed, key = self.of_first_seed
        jaxpr = jax.make_jaxpr(lambda *of_one: self.objective(self.network(*of_one[:2]), of_one[2]))(
            trained, fixed, self._key(key)
        ).jaxpr
        return not any(variable is jaxpr.invars[-1] for equation in jaxpr.eqns for variable in equation.invars)

    def _key(self, data: UInt32[Array, " words"]) -> jax.Array:
        return data if self.kind_of_keys is None else jax.random.wrap_key_data(data, impl=self.kind_of_keys)

    @property
    def of_first_seed(self):
        """Arguments of `loss`, but for the step."""
        return jax.tree.map(lambda x: x[0], (self.trained, self.fixed, self.keys))


class Programs:
    """Each is traced and compiled when it is first needed, and then kept."""

    def __init__(
        self, problem: Problem, optimisers: Sequence[optax.GradientTransformation], seeds_at_once: int | None
    ):
        self._seeds_at_once = seeds_at_once
        self._problem, self._rules = problem, [_Rule(optimiser, problem.of_first_seed[0]) for optimiser in optimisers]
        self._kept: dict[Hashable, Any] = {}
        self._same_at_every_step = problem.leaves_its_key()

    def start(self, stage: int) -> Callable:
        """trained -> memory, the optimiser's."""
        return self._compiled("start", stage)

    def steps(self, stage: int) -> Callable:
        """(trained, memory, from, to) -> (trained, memory)."""
        return self._compiled("steps", stage)

    def measured(self) -> Callable:
        """(trained, step) -> (losses [S], measures)."""
        return self._compiled("measured")

    def memory(self, stage: int) -> PyTree:
        """Shapes and dtypes of the optimiser's memory."""
        return self._lowered("start", stage).result

    def add_to(self, digest) -> None:
        """All programs with every constant in them, and the data that they start from."""
        for stage in range(len(self._rules)):
            self._lowered("start", stage).add_to(digest)
            self._lowered("steps", stage).add_to(digest)
        self._lowered("measured").add_to(digest)
        add_arrays(digest, (self._problem.trained, self._problem.fixed, self._problem.keys))

    def _compiled(self, *name) -> Callable:
        if ("compiled", *name) not in self._kept:
            self._kept["compiled", *name] = self._lowered(*name).compiled()
        return self._kept["compiled", *name]

    def _lowered(self, name: str, *stage) -> "_Lowered":
        lower: dict[str, Callable[..., _Lowered]]
        lower = {"start": self._lower_start, "steps": self._lower_steps, "measured": self._lower_measured}
        if (name, *stage) not in self._kept:
            self._kept[name, *stage] = lower[name](*stage)
        return self._kept[name, *stage]

    def _lower_start(self, stage: int) -> "_Lowered":
        rule = self._rules[stage]

        def start(fixed, key, trained):
            parameters, back = rule.coordinates(trained)
            memory = rule.init(parameters)
            if not (self._same_at_every_step and rule.searches):
                return memory
            value, gradient = jax.value_and_grad(lambda at: self._problem.loss(back(at), fixed, key, 0))(parameters)
            return _like(optax.tree_utils.tree_set(memory, value=value, grad=gradient), memory)

        def over_seeds(fixed, keys, trained):
            memory = _over_seeds(start, self._seeds_at_once)(fixed, keys, trained)
            return jax.tree.map(lambda x: x.astype(x.dtype), memory)  # no weak types, which steps would not keep

        return _Lowered(over_seeds, (self._problem.fixed, self._problem.keys), self._problem.trained)

    def _lower_steps(self, stage: int) -> "_Lowered":
        rule = self._rules[stage]
        reuse = self._same_at_every_step and rule.searches  # where a line search ended, the next step begins

        def steps(first, last, fixed, key, trained, memory):
            start, back = rule.coordinates(trained)

            def step(number, state):
                parameters, memory = state
                return rule.step(
                    lambda at: self._problem.loss(back(at), fixed, key, number), parameters, memory, reuse
                )

            end, memory = jax.lax.fori_loop(first, last, step, (start, memory))
            return back(end), memory

        def over_seeds(fixed, keys, trained, memory, first, last):
            at_once = 1 if rule.searches and jax.default_backend() == "cpu" else self._seeds_at_once
            return _over_seeds(partial(steps, first, last), at_once)(fixed, keys, trained, memory)

        given, zero = (self._problem.fixed, self._problem.keys), jnp.asarray(0)
        return _Lowered(over_seeds, given, self._problem.trained, self.memory(stage), zero, zero)

    def _lower_measured(self) -> "_Lowered":
        def measured(step, fixed, key, trained):
            measure = self._problem.measure
            measures = {} if measure is None else measure(self._problem.network(trained, fixed))
            return self._problem.loss(trained, fixed, key, step), measures

        def over_seeds(fixed, keys, trained, step):
            return _over_seeds(partial(measured, step), self._seeds_at_once)(fixed, keys, trained)

        given = self._problem.fixed, self._problem.keys
        return _Lowered(over_seeds, given, self._problem.trained, jnp.asarray(0))


class _Rule:
    """An optimiser, and how it is best run.

    A line search works on one vector of all parameters, which halves the time it takes to compile. Seeds that search
    differently long would all do the work of all branches of the longest under vmap: on a CPU they go one by one.
    """

    def __init__(self, optimiser: optax.GradientTransformation, trained: PyTree):
        self.update = optax.with_extra_args_support(optimiser)
        memory = jax.eval_shape(self.init, trained)
        self.searches = all(optax.tree_utils.tree_get(memory, name) is not None for name in ("value", "grad"))

    def init(self, parameters) -> PyTree:
        with _promotion_as_by_default():
            return self.update.init(parameters)

    def coordinates(self, trained) -> tuple[PyTree, Callable]:
        """The parameters that it works on, and the way back from them."""
        return ravel_pytree(trained) if self.searches else (trained, lambda parameters: parameters)

    def step(self, loss: Callable, parameters, memory, reuse: bool):
        if reuse:
            value, gradient = (optax.tree_utils.tree_get(memory, name) for name in ("value", "grad"))
        else:
            value, gradient = jax.value_and_grad(loss)(parameters)
        with _promotion_as_by_default():
            update, new = self.update.update(gradient, memory, parameters, value=value, grad=gradient, value_fn=loss)
            return _like(optax.apply_updates(parameters, update), parameters), _like(new, memory)


@contextmanager
def _promotion_as_by_default():
    """Optax promotes dtypes and ranks, whatever users ask of their own code."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def _over_seeds(run: Callable, at_once: int | None) -> Callable:
    """`run` of one seed's arguments, for arguments with a leading axis of seeds."""
    if at_once is None:
        return jax.vmap(run)
    size = at_once if at_once > 1 else None  # a vmap, even of one, would take all branches of a search
    return lambda *of_seeds: jax.lax.map(lambda of_one: run(*of_one), of_seeds, batch_size=size)


def _like(new, old):
    """In the old dtypes, which mixed precision would change from step to step."""
    return jax.tree.map(lambda x, y: jnp.asarray(x, jnp.asarray(y).dtype), new, old)


class _Lowered:
    """A function of (given, arguments), lowered; the arrays that it closes over become arguments too."""

    def __init__(self, function: Callable, given: tuple, *arguments):
        closed, self.result = jax.make_jaxpr(function, return_shape=True)(*given, *arguments)
        self._given = (closed.consts, *given)

        def evaluate(constants, *arguments):
            flat = jax.core.eval_jaxpr(closed.jaxpr, constants, *jax.tree.leaves(arguments))
            return jax.tree.unflatten(jax.tree.structure(self.result), flat)

        self._lowered = jax.jit(evaluate).lower(*self._given, *arguments)

    def compiled(self) -> Callable:
        program = self._lowered.compile()
        return lambda *arguments: program(*self._given, *arguments)

    def add_to(self, digest) -> None:
        digest.update(self._lowered.as_text().encode())
        add_arrays(digest, self._given[0])
