"""Inequalities on pairs of neurons, tried at many random points of the claim's domain."""

import numpy as np
from jaxtyping import Float

from ...checks import NonNegative
from ...claim import Domain, Formula
from .domains import Pair


def everywhere(domain: Domain, slack: float = 1e-12, count: int = 50) -> NonNegative:
    """The formula, a number, is not negative at random pairs of the domain.

    Args:
        slack: rounding; of numbers of order 1 by default.
        count: as of `NonNegative`; less than its default, for formulas that do not take many points in one call.
    """

    def draw(generator: np.random.Generator, number: int) -> Float[np.ndarray, "n 2d"]:
        pairs = [domain.draw(generator) for _ in range(number)]
        return np.array([np.concatenate([pair.w, pair.v]) for pair in pairs])

    def margin(formula: Formula, points: Float[np.ndarray, "n 2d"]) -> Float[np.ndarray, " n"]:
        return np.array([float(formula(Pair(*np.split(point, 2)))) for point in np.asarray(points)])

    return NonNegative(draw, margin, slack, count)
