"""One step of a flow by diffrax's solvers and its controller of steps, and where within it an event lies.

diffrax's own loop over steps would trace the velocity anew for every event and hold no kinks; its solvers are stepped
here one by one, as its documentation shows, so that one loop has steps, events and kinks.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .chebyshev_steps import hermite, stabilised

try:
    import diffrax
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"gradient_flow and online_sgd need {error.name}, not installed: pip install 'sobolev-theory[flows]'",
        name=error.name,
    ) from error

SOLVERS: dict[str, Any] = {"tsit5": diffrax.Tsit5, "dopri8": diffrax.Dopri8, "kvaerno5": diffrax.Kvaerno5}
STABILISED = "chebyshev"  # our own
ORDER_OF_ERROR = 3  # its


class Trial(NamedTuple):
    """A step that may be accepted.

    Attributes:
        end: the solution there.
        keep, next_step: whether its error is small enough, and the length of the next one.
        dense: what diffrax interpolates, over the fractions 0 to 1 of the step.
        memory: of the solver, if the step is accepted.
    """

    end: Float[Array, "K n"]
    keep: Bool[Array, ""]
    next_step: Float[Array, ""]
    dense: dict[str, Array]
    memory: tuple[Array, Array]


def tried(name: str, velocity, rtol, atol, entries, y, start, end, memory, jumped) -> Trial:
    """From y at one time to another.

    Args:
        velocity: of y.
        entries: how many of y count for the norm of the error.
        memory: of the solver; not of use after the velocity has `jumped`.
    """
    terms: Any = diffrax.ODETerm(lambda t, y, args: velocity(y))
    if name == STABILISED:
        y1, error, k, direction = stabilised(velocity, y, end - start, jnp.where(jumped, 0.0, memory[1]))
        dense, memory, order = {"y0": y, "y1": y1, "k": k}, (memory[0], direction), ORDER_OF_ERROR
    else:
        solver = _solver(name, rtol, atol)
        y1, error, dense, memory, _ = solver.step(terms, start, end, y, None, memory, jumped)
        order = solver.error_order(terms)
    error = jnp.where(jnp.isfinite(error), error, jnp.inf)
    control = diffrax.PIDController(rtol, atol, norm=lambda x: jnp.sqrt(jnp.sum(x * x) / entries))
    _, state = control.init(terms, start, end, y, end - start, None, terms.vf, order)
    keep, next_start, next_end, *_ = control.adapt_step_size(start, end, y, y1, None, error, order, state)
    return Trial(y1, jnp.asarray(keep), jnp.asarray(next_end - next_start), dense, memory)


def untried(name: str, y) -> Trial:
    """What a Trial looks like, before the first one."""
    zero = jnp.zeros((), y.dtype)
    stages = 2 if name == STABILISED else SOLVERS[name].tableau.num_stages
    k = jnp.zeros((stages, *y.shape), y.dtype)
    memory = jnp.asarray(True), jnp.zeros_like(y)  # that of every solver whose last velocity is the next one's first
    return Trial(y, jnp.asarray(False), zero, {"y0": y, "y1": y, "k": k}, memory)


def within(name: str, trial: Trial, fraction) -> Float[Array, "K n"]:
    """The solution after a fraction of the step."""
    if name == STABILISED:
        return hermite(trial.dense["y0"], trial.dense["y1"], trial.dense["k"], fraction)
    ends = {"t0": jnp.zeros_like(fraction), "t1": jnp.ones_like(fraction)}
    return SOLVERS[name].interpolation_cls(**ends, **trial.dense).evaluate(fraction)


def _solver(name: str, rtol, atol):
    if name == "kvaerno5":
        return diffrax.Kvaerno5(scan_kind="lax", root_finder=diffrax.VeryChord(rtol, atol))
    return SOLVERS[name](scan_kind="lax")


class Bracket(NamedTuple):
    """Fractions of a step between which something falls through 0, and its values there."""

    low: Float[Array, ""]
    low_value: Float[Array, ""]
    high: Float[Array, ""]
    high_value: Float[Array, ""]

    def narrowed(self, fraction, value) -> "Bracket":
        above = value > 0
        return Bracket(
            jnp.where(above, fraction, self.low),
            jnp.where(above, value, self.low_value),
            jnp.where(above, self.high, fraction),
            jnp.where(above, self.high_value, value),
        )

    def next(self, before: "Bracket", fraction) -> Float[Array, ""]:
        """Where to look after a fraction of the bracket before: on the chord, and every other time in the middle."""
        chord = self.low + (self.high - self.low) * (self.low_value / (self.low_value - self.high_value))
        was_chord = fraction != (before.low + before.high) / 2
        return jnp.where(jnp.isfinite(chord) & ~was_chord, chord, (self.low + self.high) / 2)

    @property
    def is_point(self):
        return self.high - self.low <= 4 * jnp.finfo(self.high.dtype).eps
