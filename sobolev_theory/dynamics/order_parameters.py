"""One-pass SGD in high dimension: an ordinary differential equation for the overlaps of student and teacher.

A step on the mean gradient of B fresh samples, w <- w - (eta / d) g, changes R = W W*' and Q = W W' by terms whose
sums over t = steps / d become deterministic as d -> infinity (Saad & Solla 1995; with both layers Goldt et al. 2019):
  dR/dt = -eta G W*',    dQ/dt = -eta (G W' + W G') + (eta^2 / B) E[g_k . g_l] / d,    da/dt = -eta E[dl/da],
with G the population gradient of the whole loss: as eta -> 0 it is its flow, in time eta t. The last term of dQ is
what noise does. Of a ReLU network it comes from the values alone, since the derivative term's gradients lie in the
span of the neurons; docs/conventions.md has the dictionary to other authors' conventions.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..geometry.overlaps import Overlaps, networks_from_overlaps, overlaps
from ..model.activations import Activation
from ..model.arguments import check_choice, finite, real_array, whole
from ..model.inputs import GaussianInput
from ..model.losses import H1, SobolevLoss
from ..model.networks import Network, with_parameters
from ..model.precision import full_products
from ..population.noise.gradient_noise import moments_of, posed_noise
from ..population.noise.moments import Noisy
from .flow_events import Outcome
from .trials import diffrax  # which says what to install

Trained = Literal["weights", "both"]
FIRST_STEP = 1e-2  # which the controller changes at once
DIVERGED = 1e6  # times the largest square of a norm at the start: from here on nothing brings the neurons back


class OnlineSGD(eqx.Module):
    """SGD in order parameters, at times t = steps / d.

    Attributes:
        time: [T], those of `saveat`.
        Q, R: [T K K] and [T K K*], overlaps of the student's neurons, and with the teacher's.
        T: [K* K*], of the teacher's.
        output_weights: [T K], of the student.
        loss: [T], the population loss. After the end of a run that diverged it is infinite, as all its arrays are.
        end_time: where it ended.
        steps: of the solver.
        outcome: Outcome.
        teacher_output_weights, activation: what else the networks are made of.
    """

    time: Float[Array, " T"]
    Q: Float[Array, "T K K"]
    R: Float[Array, "T K K_star"]
    T: Float[Array, "K_star K_star"]
    output_weights: Float[Array, "T K"]
    loss: Float[Array, " T"]
    end_time: Float[Array, ""]
    steps: Int[Array, ""]
    outcome: Any = eqx.field(static=True)
    teacher_output_weights: Float[Array, " K_star"]
    activation: Activation

    def overlaps(self, index: int) -> Overlaps:
        """At one of the times."""
        return Overlaps(self.Q[index], self.R[index], self.T)

    def networks(self, index: int, dimension: int | None = None) -> tuple[Network, Network]:
        """A student and a teacher of the overlaps at one of the times."""
        outputs = self.output_weights[index], self.teacher_output_weights
        return networks_from_overlaps(self.overlaps(index), *outputs, dimension=dimension, activation=self.activation)


def online_sgd(
    student: Network,
    teacher: Network,
    loss: SobolevLoss = H1,
    *,
    learning_rate: float,
    t1: float,
    saveat: Sequence[float] | Float[Array, " T"] | None = None,
    batch: int = 1,
    label_noise: float = 0.0,
    trained: Trained = "weights",
    dimension: int | None = None,
    measure: SobolevLoss | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    max_steps: int = 100_000,
) -> OnlineSGD:
    """SGD on fresh samples as d -> infinity, from the overlaps of these networks; no sample is drawn.

    A step is w <- w - (learning_rate / d) x the mean gradient of `batch` samples, and time t is steps / d, so that
    `st.descend(of="sample", rates=learning_rate / d)` follows it within O(d^(-1/2)). From overlaps, build networks by
    `networks_from_overlaps`. Not for jit.

    Args:
        loss: L2, H1 or any lambdas of orders 0 and 1.
        learning_rate: eta > 0.
        t1: where it ends, > 0.
        saveat: increasing times in [0, t1]; default 101 equidistant ones.
        batch: samples a step.
        label_noise: standard deviation of independent noise on the labels, whose derivatives have none.
        trained: "weights", or "both" layers at one rate.
        dimension: d, for the mean of a step at finite d: its terms of order 1 / d are kept, also those of the
            derivatives. Default None, the limit.
        measure: whose population loss is recorded, if not that of `loss`.
        rtol, atol: local errors of the solver, the latter in units of the squares of the norms.

    Returns:
        OnlineSGD. What stops it is in `outcome`: TIME; DIVERGED, if the neurons grow beyond 1000 times their norms or
        the teacher's, the learning rate being too large; STEPS.

    Raises:
        ModuleNotFoundError: diffrax is not installed (the extra `flows`).
        NotImplementedError: an activation other than ReLU, erf and polynomials, or two of them; biases; an order
            above 1.
        TypeError, ValueError: numbers out of range; an unknown `trained`; networks that do not fit each other.

    Source: Saad & Solla, Phys. Rev. E 52 (1995); for ReLU and Sobolev losses derived here.

    Example:
        >>> import sobolev_theory as st
        >>> start, teacher = st.Network([0.0, 1.0]), st.Network([1.0, 0.0])
        >>> run = st.online_sgd(start, teacher, st.L2, learning_rate=0.5, t1=20.0)
        >>> run.outcome.name, bool(run.loss[-1] < 0.01 * run.loss[0])
        ('TIME', True)
        >>> st.online_sgd(start, teacher, st.L2, learning_rate=9.0, t1=100.0).outcome.name
        'DIVERGED'
    """
    p = posed_noise("online_sgd", student, teacher, loss, GaussianInput(), label_noise)
    check_choice("trained", trained, Trained)
    t1 = finite("t1", t1, above=0.0)
    times = _times(saveat, t1, p.dtype)
    numbers = (
        finite("learning_rate", learning_rate, above=0.0),
        1.0 / whole("batch", batch, 1),
        0.0 if dimension is None else 1.0 / whole("dimension", dimension, 1),
        finite("rtol", rtol, above=0.0),
        finite("atol", atol, above=0.0),
    )
    options = _Options(*(jnp.asarray(x, p.dtype) for x in numbers))
    recorded = p.lambdas
    if measure is not None:
        recorded = posed_noise("online_sgd", student, teacher, measure, GaussianInput(), 0.0).lambdas
    begin = overlaps(p.student, p.teacher)
    rule = _Rule(trained == "both", whole("max_steps", max_steps, 1))
    solution, losses = _solved(rule, p, options, begin, times, jnp.asarray(t1, p.dtype), recorded)
    (q, r, output_weights), _ = solution.ys
    return OnlineSGD(
        time=times,
        Q=q,
        R=r,
        T=jnp.asarray(begin.T),
        output_weights=output_weights,
        loss=losses,
        end_time=solution.ts[1][0],
        steps=solution.stats["num_steps"],
        outcome=_outcome(solution.result),
        teacher_output_weights=p.teacher.output_weights,
        activation=p.student.activation,
    )


def _times(saveat, t1: float, dtype) -> Float[Array, " T"]:
    times = np.linspace(0.0, t1, 101) if saveat is None else np.asarray(real_array("saveat", saveat))
    last = times.dtype.type(t1)  # 0.1 in single precision is more than 0.1
    if times.ndim != 1 or times.size == 0 or np.any(np.diff(times) <= 0) or times[0] < 0 or times[-1] > last:
        raise ValueError(f"saveat: got {saveat}; needs increasing times in [0, {t1}]")
    return jnp.asarray(times, dtype)


def _outcome(result) -> Outcome:
    results = diffrax.RESULTS
    if result == results.event_occurred:
        return Outcome.DIVERGED
    if result == results.successful:
        return Outcome.TIME
    return Outcome.STEPS if result == results.max_steps_reached else Outcome.FAILED


class _Rule(NamedTuple):
    """What the equation is compiled for."""

    both_layers: bool
    max_steps: int


class _Options(NamedTuple):
    """What it is not compiled for."""

    learning_rate: Float[Array, ""]
    per_sample: Float[Array, ""]  # 1 / batch
    per_dimension: Float[Array, ""]  # 1 / d, 0 in the limit
    rtol: Float[Array, ""]
    atol: Float[Array, ""]


State = tuple[Float[Array, "K K"], Float[Array, "K K_star"], Float[Array, " K"]]  # Q, R, a


def networks_of(p: Noisy, state: State, of_teacher: Float[Array, "K_star K_star"]) -> Noisy:
    """Networks of these overlaps in K + K* dimensions, by the eigenvalues of the Gram matrix."""
    q, r, output_weights = state
    values, vectors = jnp.linalg.eigh(Overlaps(q, r, of_teacher).gram)
    rows = vectors * jnp.sqrt(jnp.maximum(values, 0.0))[None, :]
    student = with_parameters(p.student, rows[: len(q)], output_weights)
    teacher = with_parameters(p.teacher, rows[len(q) :], p.teacher.output_weights)
    return eqx.tree_at(lambda p: (p.student, p.teacher), p, (student, teacher))


@full_products
def velocity(rule: _Rule, p: Noisy, options: _Options, state: State, of_teacher) -> State:
    """d/dt of Q, R and a."""
    p = networks_of(p, state, of_teacher)
    mean, moments = moments_of("online_sgd", p.student.activation).mean_and_block(p)
    gradient, of_outputs = mean.weights, mean.output_weights
    along = gradient @ p.student.weights.T
    eta, small = options.learning_rate, options.per_dimension
    shaking = options.per_sample * (moments.per_dimension + small * moments.rest)
    shaking = shaking + (1 - options.per_sample) * small * (gradient @ gradient.T)
    of_outputs = -eta * of_outputs if rule.both_layers else jnp.zeros_like(of_outputs)
    return eta**2 * shaking - eta * (along + along.T), -eta * (gradient @ p.teacher.weights.T), of_outputs


@partial(jax.jit, static_argnums=0)
def _solved(rule: _Rule, p: Noisy, options: _Options, begin: Overlaps, times, t1, measure):
    start = begin.Q, begin.R, p.student.output_weights
    largest = jnp.maximum(jnp.max(jnp.diagonal(begin.Q)), jnp.max(jnp.diagonal(begin.T)))

    def lost(t, state, args, **kwargs):
        return ~(jnp.max(jnp.diagonal(state[0])) < DIVERGED * largest)

    def measured(state):
        finite = jax.tree.map(lambda x: jnp.where(jnp.isfinite(x), x, 0.0), state)
        one = eqx.tree_at(lambda p: p.lambdas, networks_of(p, finite, jnp.asarray(begin.T)), measure)
        value = moments_of("online_sgd", p.student.activation).mean_and_block(one)[0].loss
        return jnp.where(jnp.isfinite(state[0][0, 0]), value, jnp.inf)

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, state, args: velocity(rule, p, options, state, begin.T)),
        diffrax.Tsit5(),
        t0=jnp.zeros_like(t1),
        t1=t1,
        dt0=jnp.minimum(t1, FIRST_STEP),
        y0=start,
        saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=times), diffrax.SubSaveAt(t1=True)]),
        stepsize_controller=diffrax.PIDController(rtol=options.rtol, atol=options.atol * largest),
        event=diffrax.Event(lost),
        max_steps=rule.max_steps,
        throw=False,
    )
    return solution, jax.lax.map(measured, solution.ys[0])
