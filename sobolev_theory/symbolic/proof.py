"""Proofs of inequalities: identities decided by the normal form, and the elementary facts that join them."""

from collections.abc import Sequence
from typing import NamedTuple

import sympy as sp

from .algebra import vanishes


class Step(NamedTuple):
    """An identity: `difference` is 0."""

    name: str
    difference: sp.Expr


class Proof(NamedTuple):
    """What follows from identities and elementary facts.

    Attributes:
        steps: the identities.
        facts: the elementary facts that lead from them to the statement, in LaTeX, for the reader.

    Example:
        >>> import sympy as sp
        >>> from sobolev_theory.symbolic import Proof, Step
        >>> t = sp.Symbol("t")
        >>> Proof((Step("a square", t**2 - 2 * t + 1 - (t - 1) ** 2),), (r"(t - 1)^2 \\ge 0",)).gaps
        []
    """

    steps: tuple[Step, ...]
    facts: tuple[str, ...]

    @property
    def gaps(self) -> Sequence[str]:
        """The names of the steps that do not hold, or that the normal form cannot decide; empty for a proof."""
        return [step.name for step in self.steps if not vanishes(step.difference)]
