"""What every check is: a reference that knows nothing of the formula, and a comparison with it.

The two are separate so that one reference, which may cost seconds of sampling, serves the formula and all of
its wrong twins.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import numpy as np
from jaxtyping import Float

from ..claim import Claim, Evidence, Formula, Point
from .estimates import Estimates


@dataclass(frozen=True)
class Context:
    """What a run fixes before it draws anything.

    Attributes:
        seed: of all random points and samples.
        points: random points per deterministic check.
        estimates: the Monte-Carlo averages, drawn once per run and shared by claims.
        deep: higher precision and larger domains, where a method has them.
        false_alarm: probability that any sampling check of the run refutes a true formula.
    """

    seed: int
    points: int
    estimates: Estimates
    deep: bool = False
    false_alarm: float = 1e-6

    def generator(self, *label: str) -> np.random.Generator:
        """A stream of its own for every label: what one claim draws does not depend on the others."""
        return np.random.default_rng([self.seed, *"/".join(label).encode()])


class Check:
    """A method: what it finds of a claim is compared with the claim's formula.

    Attributes:
        method: its name in reports.
        compares: it takes the formula's value at its word; if not, it tests a property, such as a sign, that a wrong
            formula may share.
        noisy: small errors of a formula hide in its noise; how small they may be is part of what it finds.
        shares_work: checks of this method share what they derive, and are best done one after another.
    """

    method: ClassVar[str]
    compares: ClassVar[bool] = True
    noisy: ClassVar[bool] = False
    shares_work: ClassVar[bool] = False

    def reference(self, claim: Claim, context: Context) -> Any:
        """Points and what the definition gives there."""
        raise NotImplementedError

    def compare(self, claim: Claim, formula: Formula, reference: Any) -> Any:
        """Evidence, or a `sampling.Measurement` that is judged together with all others of the run."""
        raise NotImplementedError


def observe_value(formula: Formula, point: Point) -> Float[np.ndarray, "..."]:
    return np.asarray(formula(point), dtype=float)


def describe(point: Point) -> str:
    """The numbers of a point, to six digits."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(point)
    named = ((jax.tree_util.keystr(path).lstrip("."), leaf) for path, leaf in leaves)
    return ", ".join(
        f"{name} = {np.array2string(np.asarray(x), precision=6, max_line_width=10**6)}" for name, x in named
    )


__all__ = ["Check", "Context", "Evidence", "describe", "observe_value"]
