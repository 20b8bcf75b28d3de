"""What a critical point is to a flow: of the weights of a network, or on the slice of an orthonormal teacher."""

from enum import Enum


class Kind(Enum):
    """What a critical point is to the flow; `stable` for a population gradient, which is that of no function."""

    GLOBAL = "global minimum: the teacher's function"
    MINIMUM = "spurious minimum: stable, with a positive loss"
    SADDLE = "saddle: unstable"
    FLAT = "flat: stable or unstable, which the first derivatives of the gradient leave open; with a positive loss"
    NONE = "not critical: the gradient did not fall to the tolerance"
