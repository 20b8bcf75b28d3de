"""The defining Gaussian integral by deterministic quadrature, deltas as integrals over their hyperplane."""

from dataclasses import dataclass
from typing import ClassVar

from .deterministic import Deterministic


@dataclass(frozen=True)
class Quadrature(Deterministic):
    """Compare with an integral of `definitions`.

    Tolerance: a few hundred roundings of 1e-16 in a quadrature sum, times the condition number of the plane's
    basis and of e, at most 1/sin(theta) = 20 in the domains used.
    """

    method: ClassVar[str] = "quadrature"
    tolerance: ClassVar[float] = 1e-12


@dataclass(frozen=True)
class Limit(Quadrature):
    """Quadrature extrapolated to a limit, by a polynomial through six steps of 0.01.

    Tolerance: what remains is of the size of the six steps' product, 6! 0.01^6 = 1e-9, times a coefficient below one
    in the claims here; the extrapolation multiplies the rounding 1e-16 / 0.01 of a quotient by at most 100.
    """

    tolerance: ClassVar[float] = 1e-8
