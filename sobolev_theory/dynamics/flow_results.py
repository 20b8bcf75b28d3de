"""What a gradient flow gives: the path at the times that were asked for, and how it ended."""

from dataclasses import fields
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..model.precision import full_products
from .flow_events import Outcome


class Flow(eqx.Module):
    """A gradient flow at times t, or several of them as leading axes B of every array but `time`.

    Attributes:
        time: [T], those of `saveat` and no others; the end of a flow is in `end_time`, `end` and so on.
        loss: [B T], the population loss; NaN at times after the end.
        distance: [B T], from the teacher as a set of neurons: near a permutation P it is |W - P W*|. Where other
            parameters train it is that of (w, a, b), of those that do and the weights; and where neurons may be
            rescaled, of |a|^(1/p) (w, b) with the sign of a, which no rescaling moves, those at 0 not counting.
        reduced: [B T K n], weights in coordinates of `basis`; see `weights`.
        output_weights, biases: [B T K]; None for a student without biases.
        basis: [B d n].
        end_time, end_loss, end_distance, end: where the flow ended, `end` [B K n] in coordinates of `basis`.
        end_output_weights, end_biases: [B K].
        ray: [B K], the teacher neuron on whose line a student neuron ended, -1 for none; kinks of a loss flow.
        leader: [B K], the student neuron on whose line it ended, -1 for none, for that one, and on teachers' lines.
        arrival: [B K], when it got there last; infinite for none.
        energy_rise: [B], the largest increase of the loss between two successive times, start and end included,
            over the loss at the start: rounding and tolerance for every loss flow.
        balance: [B T K], a^2 - (|w|^2 + b^2) / p, which flows conserve that train all parameters of networks of a
            positively homogeneous activation of degree p, 1 for ReLU; None for others.
        balance_drift: [B], its largest change since the start, over the largest a^2 + (|w|^2 + b^2) / p there.
        steps: [B], accepted and rejected steps of the solver.
        outcome: Outcome, or a list of them.
    """

    time: Float[Array, " T"]
    loss: Float[Array, "*B T"]
    distance: Float[Array, "*B T"]
    reduced: Float[Array, "*B T K n"]
    output_weights: Float[Array, "*B T K"]
    biases: Float[Array, "*B T K"] | None
    basis: Float[Array, "*B d n"]
    end_time: Float[Array, "*B"]
    end_loss: Float[Array, "*B"]
    end_distance: Float[Array, "*B"]
    end: Float[Array, "*B K n"]
    end_output_weights: Float[Array, "*B K"]
    end_biases: Float[Array, "*B K"] | None
    ray: Int[Array, "*B K"]
    leader: Int[Array, "*B K"]
    arrival: Float[Array, "*B K"]
    energy_rise: Float[Array, "*B"]
    balance: Float[Array, "*B T K"] | None
    balance_drift: Float[Array, "*B"] | None
    steps: Int[Array, "*B"]
    outcome: Any = eqx.field(static=True)

    def __getitem__(self, index: int) -> "Flow":
        """One of several flows."""
        arrays: dict[str, Any] = {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("time", "outcome")
        }
        one: dict[str, Any] = {name: None if array is None else array[index] for name, array in arrays.items()}
        return Flow(time=self.time, outcome=self.outcome[index], **one)

    @property
    @full_products
    def weights(self) -> Float[Array, "*B T K d"]:
        """The weights at all times, lifted: as large as that is."""
        return jnp.einsum("...tkn,...dn->...tkd", self.reduced, self.basis)

    @property
    @full_products
    def end_weights(self) -> Float[Array, "*B K d"]:
        return jnp.einsum("...kn,...dn->...kd", self.end, self.basis)


class Ends(NamedTuple):
    """Where flows ended, by NumPy; with the letters of their axes in a `Room`."""

    time: np.ndarray
    ray: np.ndarray
    leader: np.ndarray
    arrival: np.ndarray
    steps: np.ndarray
    code: np.ndarray


class Run(NamedTuple):
    """Of flows [B], at the start, at all times and at the end, NaN after it: [B, T + 2, K ...]."""

    weights: np.ndarray
    output_weights: np.ndarray
    biases: np.ndarray | None


def filled_run(start: np.ndarray, saved: np.ndarray, end: np.ndarray) -> np.ndarray:
    """With the start's values at times after the end: what has a loss."""
    first = start[:, None]
    return np.concatenate([first, np.where(np.isfinite(saved), saved, first), end[:, None]], axis=1)


def found(
    run: Run,
    losses: np.ndarray,
    distances: np.ndarray,
    known: Any,
    times: np.ndarray,
    basis: np.ndarray,
    ends: Ends,
    power: int | None = None,
) -> dict[str, Any]:
    """The fields of a Flow.

    Args:
        losses, distances: of the run, [B, T + 2]; `known` [B, T] which of its times there are.
        power: of the activation, if the balance is conserved.
    """
    path = np.where(np.pad(known, [(0, 0), (1, 1)], constant_values=True), losses, losses[:, -1:])
    rise = np.maximum(np.diff(path, axis=1).max(axis=1), 0.0) / np.where(path[:, 0] > 0, path[:, 0], 1.0)

    def at_times(x: np.ndarray) -> np.ndarray:
        inside = x[:, 1:-1]
        return np.where(known.reshape(*known.shape, *[1] * (inside.ndim - 2)), inside, np.nan).astype(x.dtype)

    biases = run.biases
    balance, drift = None, None
    if power is not None:
        own = run.output_weights**2
        shared = np.sum(run.weights**2, axis=3) + (0.0 if biases is None else biases**2)
        balances, size = own - shared / power, (own + shared / power)[:, 0].max(axis=1)
        changes = np.abs(balances - balances[:, :1]).max(axis=2)
        changes = np.where(np.pad(known, [(0, 0), (1, 1)], constant_values=True), changes, 0.0)
        balance, drift = at_times(balances), (changes.max(axis=1) / size).astype(balances.dtype)
    return {
        "time": times,
        "loss": np.where(known, losses[:, 1:-1], np.nan),
        "distance": np.where(known, distances[:, 1:-1], np.nan),
        "reduced": at_times(run.weights),
        "output_weights": at_times(run.output_weights),
        "biases": None if biases is None else at_times(biases),
        "basis": basis,
        "end_time": ends.time,
        "end_loss": losses[:, -1],
        "end_distance": distances[:, -1],
        "end": run.weights[:, -1],
        "end_output_weights": run.output_weights[:, -1],
        "end_biases": None if biases is None else biases[:, -1],
        "ray": ends.ray,
        "leader": ends.leader,
        "arrival": ends.arrival,
        "energy_rise": rise,
        "balance": balance,
        "balance_drift": drift,
        "steps": ends.steps,
        "outcome": [list(Outcome)[code] for code in ends.code],
    }


def flow(found: dict[str, Any]) -> Flow:
    outcome = found.pop("outcome")
    return Flow(**jax.device_put(found), outcome=outcome)


def check_no_zero_neuron(zero: np.ndarray) -> None:
    """Of starts and neurons [B, K]."""
    found = np.argwhere(zero)
    if len(found):
        start, neuron = found[0]
        raise ValueError(
            f"student: neuron {neuron} of start {start} is 0; needs neurons that are not: the direction of a zero "
            "neuron is undefined, and no gradient moves it"
        )
