"""The population gradient of ReLU networks by plain sums alone: half of what `sums` is, for weights with rounding.

A weight known to eps moves the gradient by as much as the plain sums round: a flow whose state is rounded at every
step gains nothing from sums that keep the digits of exact weights near an optimum (`matched_sums`).
"""

from functools import partial

import jax.numpy as jnp

from ...geometry.angles import polar
from ...geometry.line_angles import LineAngles
from ...model import networks
from ...model.losses import OrderWeights
from ...model.precision import full_products
from ..row_blocks import Rows
from .blocks import Geometry, by_students, geometry
from .plain_sums import Neurons, plain_gradient


@full_products
def rounded_gradient(
    lambdas: OrderWeights,
    student: networks.Neurons,
    teacher: networks.Neurons,
    lines: LineAngles | None,
    in_output: bool,
) -> networks.Neurons:
    """In the student's weights and, unless that is not wanted, output weights, to some eps of the neurons' sizes.

    Args:
        lines: between the student's neurons and all, the student's first; None for many neurons, row by row.
    """
    if lines is None:
        seen = geometry(student, teacher, None, of_teachers=False)
        return by_students(partial(_rows, in_output), lambdas, seen, None)
    everyone = Neurons(polar(jnp.concatenate([student[0], teacher[0]])), jnp.concatenate([student[1], -teacher[1]]))
    block = everyone.take(slice(0, len(student[1])))
    found = plain_gradient("population", lambdas, block, everyone, lines.angles, in_output)
    return found.rows, found.output


def _rows(in_output: bool, lambdas: OrderWeights, g: Geometry, rows: Rows) -> networks.Neurons:
    chosen = g.of_students(rows)
    block = g.everyone.take(chosen)
    found = plain_gradient("population", lambdas, block, g.everyone, g.angles(chosen), in_output)
    return found.rows, found.output
