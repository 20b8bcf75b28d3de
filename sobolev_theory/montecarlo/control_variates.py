"""A control variate: the same function of another loss, whose expectation is known in closed form.

The mean of y - slope (c - E c) is that of y whatever the slope, if the slope does not know the samples: it comes from
a pilot with a key of its own. The best slope of a component is Cov(y, c) / Var(c), and then the variance is
1 - corr(y, c)^2 times that of y.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, PyTree

from ..model.losses import OrderWeights
from .plan import FEWEST_GROUPS, MOST_GROUPS, Plan
from .stream import estimate

Both = Callable[..., tuple[PyTree, PyTree]]  # the means y and c of one group

PILOT = np.uint32(MOST_GROUPS)  # no group of the stream has this index
PILOT_GROUPS = 128  # at most: with n groups the variance is 1/n above that of the best slope


class Control(NamedTuple):
    """What is subtracted: slope (c - mean), component by component."""

    lambdas: OrderWeights  # of the control's loss
    slope: PyTree
    mean: PyTree

    def applied(self, value: PyTree, control: PyTree) -> PyTree:
        return jax.tree.map(lambda y, c, slope, mean: y - slope * (c - mean), value, control, self.slope, self.mean)


def pilot_groups(plan: Plan) -> int:
    return min(PILOT_GROUPS, max(FEWEST_GROUPS, plan.groups * plan.batches // 16))


def best_slopes(both: Both, arguments, like: PyTree, plan: Plan, key: jax.Array, mesh: Mesh | None) -> PyTree:
    """From a pilot of one group in 16 of the stream, but of 32 to 128.

    Args:
        both: static; y and c are each structured as `like`.
        arguments, plan, key, mesh: of the stream, as in `stream.estimate`.

    Returns:
        PyTree: structured as `like`; 0 where c has no scatter.
    """
    groups = pilot_groups(plan)
    per_batch = min(plan.groups, groups)
    plan = Plan(plan.group, per_batch, -(-groups // per_batch), None, covariance=False, progress=False)
    found = estimate(_Sums(both), arguments, (like,) * 3, plan, jax.random.fold_in(key, PILOT), mesh)
    return jax.tree.map(_slope, *found.standard_error)


@dataclass(frozen=True)
class _Sums:
    """y + c, y - c and c: 4 Cov(y, c) = Var(y + c) - Var(y - c), and no matrix."""

    both: Both
    key: ClassVar[str] = f"jax.random.fold_in(key, {PILOT})"  # for the message on a sample that is not finite

    def __call__(self, arguments, key: jax.Array, size: int):
        y, c = self.both(arguments, key, size)
        return jax.tree.map(jnp.add, y, c), jax.tree.map(jnp.subtract, y, c), c


def _slope(total: Array, difference: Array, control: Array) -> Array:
    """From standard errors; 0 for a control without scatter. No square may leave the dtype."""
    safe = jnp.where(control > 0, control, 1)
    return jnp.where(control > 0, (total - difference) / safe * ((total + difference) / safe) / 4, 0)
