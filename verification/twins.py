"""Wrong versions of a formula, on purpose: what every comparison of a claim must refute."""

from collections.abc import Mapping

import jax
from jaxtyping import Array, Float

from .claim import Claim, Formula

PERCENT = "one percent too large"


def scaled(formula: Formula, factor: float = 1.01) -> Formula:
    return lambda point: jax.tree.map(lambda x: factor * x, formula(point))


def minus(formula: Formula) -> Formula:
    return scaled(formula, -1.0)


def entry_scaled(formula: Formula, entry: int, factor: float) -> Formula:
    """One entry of a vector too large."""

    def twin(point) -> Float[Array, " n"]:
        values = jax.numpy.asarray(formula(point))
        return values.at[entry].multiply(factor)

    return twin


def wrong_twins(claim: Claim) -> Mapping[str, Formula]:
    """The claim's own wrong versions, and the formula with an error of one percent."""
    return {PERCENT: scaled(claim.formula), **claim.wrong_twins}
